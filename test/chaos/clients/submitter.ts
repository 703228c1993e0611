/**
 * Those who submit. The plain one never asks twice; the careful one has a key for each submission and repeats it until it is
 * answered, and now and then afterwards; the one with batches submits many tasks at once, under a key.
 */
import type { Random } from '../random.js';
import { call, type Answer } from './call.js';
import type { Submission, Submit } from './history.js';
import { makeSubmission } from './submissions.js';
import type { World } from './world.js';

export type SubmitterKind = 'plain' | 'careful' | 'batches';

const TRIES = 40;

export class Submitter {
  readonly #name: string;
  readonly #kind: SubmitterKind;
  readonly #url: string;
  readonly #world: World;
  readonly #random: Random;
  readonly #keyed: { key: string; tasks: readonly Submission[] }[] = [];
  #made = 0;

  constructor(parts: { name: string; kind: SubmitterKind; url: string; world: World; random: Random }) {
    this.#name = parts.name;
    this.#kind = parts.kind;
    this.#url = parts.url;
    this.#world = parts.world;
    this.#random = parts.random;
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      await this.#world.pause(this.#random.between(100, 900));
      if (!this.#world.isFull && !this.#world.isOver) await this.#submit();
    }
  }

  /** Asks once more for what was long answered, when nothing is broken any more. */
  async repeatKeys(most: number): Promise<void> {
    for (const { key, tasks } of this.#random.shuffled(this.#keyed).slice(0, most)) await this.#ask(key, tasks);
  }

  async #submit(): Promise<void> {
    this.#made += 1;
    const marker = `${this.#name}-${this.#made}`;
    const count = this.#kind === 'batches' ? this.#random.whole(2, 6) : 1;
    const tasks = Array.from({ length: count }, (_one, n) => makeSubmission(this.#random, count === 1 ? marker : `${marker}.${n + 1}`, this.#world.recent));
    if (this.#kind === 'plain') {
      await this.#ask(null, tasks);
      return;
    }
    this.#keyed.push({ key: marker, tasks });
    for (let tries = 1; tries <= TRIES; tries++) {
      if ((await this.#ask(marker, tasks)).result !== 'unknown') break;
      await this.#world.pause(this.#random.between(100, 600));
    }
    if (this.#random.chance(0.2)) await this.#ask(marker, tasks);
  }

  async #ask(key: string | null, tasks: readonly Submission[]): Promise<Answer> {
    const isBatch = this.#kind === 'batches';
    const noted = this.#world.history.begin<Submit>(this.#name, { verb: 'submit', key, tasks, form: isBatch ? 'batch' : 'one', ids: [], workflowId: null, existed: false });
    const answer = await call(this.#url, {
      method: 'POST', path: isBatch ? '/api/v1/tasks/batch' : '/api/v1/tasks', body: isBatch ? { tasks } : tasks[0],
      ...(key === null ? {} : { headers: { 'idempotency-key': key } }),
    });
    if (answer.result === 'ok') noted.ids = isBatch ? (answer.body as { tasks: { id: string }[] }).tasks.map(({ id }) => id) : [(answer.body as { id: string }).id];
    this.#world.history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
    this.#world.heardOf(noted.ids);
    return answer;
  }
}
