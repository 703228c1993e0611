/**
 * A worker that does what ours never do: it falls silent and reports all the same, reports under a session that was replaced, under
 * an attempt that it has not got, after it handed the task back, and everything twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.js';
import { LEASE_SECONDS } from '../settings.js';
import type { Canceller } from './canceller.js';
import type { Held, RawSession, RawWorker } from './raw-worker.js';
import type { World } from './world.js';

/** Not what others are alone with. */
const PROBLEMS = ['chaos-a', 'chaos-b', 'chaos-c', 'chaos-scheduled'];
const SILENCE_MS = LEASE_SECONDS * 1000 * 1.7;

export class SlyWorker {
  readonly #raw: RawWorker;
  readonly #canceller: Canceller;
  readonly #world: World;
  readonly #random: Random;
  #session: RawSession | null = null;

  constructor(parts: { raw: RawWorker; canceller: Canceller; world: World; random: Random }) {
    this.#raw = parts.raw;
    this.#canceller = parts.canceller;
    this.#world = parts.world;
    this.#random = parts.random;
  }

  async run(): Promise<void> {
    let tricks: ((held: Held) => Promise<unknown>)[] = [];
    while (!this.#world.isOver) {
      this.#session ??= await this.#raw.register(null, PROBLEMS);
      const held = this.#session === null ? null : await this.#raw.claim(this.#session);
      if (held === null) {
        this.#session = null;
        await this.#world.pause(200);
        continue;
      }
      if (tricks.length === 0) tricks = this.#random.shuffled([this.#twice, this.#race, this.#race, this.#silent, this.#replaced, this.#released, this.#wrongAttempt, this.#failed]);
      await tricks.pop()?.call(this, held);
    }
  }

  async #twice(held: Held): Promise<void> {
    const lines = ['first', 'second', 'third'].map((word) => `${word} of ${held.taskId}`);
    for (let n = 0; n < 2; n++) await this.#raw.logs(held, 0, lines);
    for (let n = 0; n < 2; n++) await this.#raw.deliver(held, 'completed', bodyOf(held));
  }

  async #failed(held: Held): Promise<void> {
    for (let n = 0; n < 2; n++) await this.#raw.deliver(held, 'failed', { error: `sly about ${held.marker}` });
  }

  async #race(held: Held): Promise<void> {
    await Promise.all([this.#raw.deliver(held, 'completed', bodyOf(held)), this.#canceller.cancel(held.taskId)]);
  }

  async #silent(held: Held): Promise<void> {
    this.#session = null;
    await sleep(SILENCE_MS);
    if (this.#random.chance(0.5)) await this.#raw.deliver(held, 'completed', bodyOf(held));
    else await this.#raw.deliver(held, 'failed', { error: 'too late' });
  }

  async #replaced(held: Held): Promise<void> {
    this.#session = await this.#raw.register(held.workerId, PROBLEMS);
    await this.#raw.deliver(held, 'completed', bodyOf(held));
  }

  async #released(held: Held): Promise<void> {
    await this.#raw.deliver(held, 'released', { reason: 'no wish to' });
    await this.#raw.deliver(held, 'completed', bodyOf(held));
  }

  async #wrongAttempt(held: Held): Promise<void> {
    await this.#raw.deliver({ ...held, attempt: held.attempt + 1 }, 'completed', { ...bodyOf(held), attempt: held.attempt + 1 });
    await this.#raw.deliver(held, 'completed', bodyOf(held));
  }
}

function bodyOf({ marker, attempt }: Held): Record<string, unknown> {
  return { marker, attempt };
}
