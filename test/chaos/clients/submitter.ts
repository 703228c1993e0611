/**
 * Those who submit. The plain one never asks twice; the careful one has a key for each submission and repeats it until it is
 * answered, and now and then afterwards; the one with batches submits many tasks at once, under a key.
 */
import type { Answer } from './call.js';
import { Client, submit, type ClientParts } from './client.js';
import type { Submission } from './history.js';
import { makeSubmission } from './submissions.js';

export type SubmitterKind = 'plain' | 'careful' | 'batches';

export class Submitter extends Client {
  readonly #kind: SubmitterKind;
  readonly #keyed: { key: string; tasks: readonly Submission[] }[] = [];
  #made = 0;

  constructor({ kind, ...parts }: ClientParts & { readonly kind: SubmitterKind }) {
    super(parts);
    this.#kind = kind;
  }

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(100, 900));
      if (!this.world.isFull && !this.world.isOver) await this.#submit();
    }
  }

  /** Asks once more for what was long answered, when nothing is broken any more. */
  async repeatKeys(most: number): Promise<void> {
    for (const { key, tasks } of this.random.shuffled(this.#keyed).slice(0, most)) await this.#ask(key, tasks);
  }

  async #submit(): Promise<void> {
    this.#made += 1;
    const marker = `${this.name}-${this.#made}`;
    const count = this.#kind === 'batches' ? this.random.whole(2, 6) : 1;
    const tasks = Array.from({ length: count }, (_one, n) => makeSubmission(this.random, count === 1 ? marker : `${marker}.${n + 1}`, this.world.recent));
    if (this.#kind === 'plain') {
      await this.#ask(null, tasks);
      return;
    }
    this.#keyed.push({ key: marker, tasks });
    await this.untilAnswered(() => this.#ask(marker, tasks));
    if (this.random.chance(0.2)) await this.#ask(marker, tasks);
  }

  async #ask(key: string | null, tasks: readonly Submission[]): Promise<Answer> {
    const { answer, ids } = await submit(this, key, tasks, this.#kind === 'batches' ? 'batch' : 'one');
    this.world.heardOf(ids);
    return answer;
  }
}
