/**
 * Submits tasks that are equal to others: under a dedupe_key that others use, or with the parameters of others and the wish to reuse
 * their result. Half of them under an Idempotency-Key, repeated until it is answered.
 */
import type { Answer } from './call.js';
import { Client, submit } from './client.js';
import type { Submission } from './history.js';
import { makeSubmission } from './submissions.js';

const DEDUPE_KEYS = 2;
const EQUAL_TASKS = 4;
/** A result that is older than this is not taken, or any. */
const AGES_SECONDS = [5, 3_600];

export class Twins extends Client {
  #made = 0;

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(400, 1_600));
      if (this.world.isFull || this.world.isOver) continue;
      this.#made += 1;
      const name = `${this.name}-${this.#made}`;
      const task = this.random.chance(0.5) ? this.#deduped(name) : this.#equal();
      await this.#submit(name, task);
      // While the first is there, a second one that may reuse its result waits for it.
      if (task['reuse'] !== undefined && this.random.chance(0.5)) await this.#submit(`${name}-again`, task);
    }
  }

  async #submit(name: string, task: Submission): Promise<void> {
    if (this.random.chance(0.5)) await this.#ask(null, task);
    else await this.untilAnswered(() => this.#ask(name, task));
  }

  #deduped(marker: string): Submission {
    return { ...makeSubmission(this.random, marker, []), dedupe_key: `twins-${this.random.whole(1, DEDUPE_KEYS)}` };
  }

  /** One of a few, each always the same. The last one always fails. */
  #equal(): Submission {
    const n = this.random.whole(1, EQUAL_TASKS);
    const parameters = { marker: `equal-${n}`, ticks: 5, lines: 1, failures: n === EQUAL_TASKS ? 999 : 0 };
    const task = makeSubmission(this.random, parameters.marker, []);
    return { ...task, problem_id: 'chaos-a', parameters, reuse: { max_age_seconds: this.random.pick(AGES_SECONDS) } };
  }

  async #ask(key: string | null, task: Submission): Promise<Answer> {
    const { answer, ids } = await submit(this, key, [task], 'one');
    // Those under a dedupe_key are not retried by hand: the answer would be whichever has the key then.
    if (task['dedupe_key'] === undefined) this.world.heardOf(ids);
    return answer;
  }
}
