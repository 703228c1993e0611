/**
 * Submits tasks that are equal to others: under a dedupe_key that others use, or with the parameters of others and the wish to reuse
 * their result. Half of them under an Idempotency-Key, repeated until it is answered.
 */
import type { Random } from '../random.js';
import { call, type Answer } from './call.js';
import type { Submission, Submit } from './history.js';
import { untilAnswered } from './persist.js';
import { makeSubmission } from './submissions.js';
import type { World } from './world.js';

const DEDUPE_KEYS = 2;
const EQUAL_TASKS = 4;
/** A result that is older than this is not taken, or any. */
const AGES_SECONDS = [5, 3_600];

export class Twins {
  readonly #name: string;
  readonly #url: string;
  readonly #world: World;
  readonly #random: Random;
  #made = 0;

  constructor(parts: { name: string; url: string; world: World; random: Random }) {
    this.#name = parts.name;
    this.#url = parts.url;
    this.#world = parts.world;
    this.#random = parts.random;
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      await this.#world.pause(this.#random.between(400, 1_600));
      if (this.#world.isFull || this.#world.isOver) continue;
      this.#made += 1;
      const name = `${this.#name}-${this.#made}`;
      const task = this.#random.chance(0.5) ? this.#deduped(name) : this.#equal();
      if (this.#random.chance(0.5)) await this.#ask(null, task);
      else await untilAnswered(this.#world, this.#random, () => this.#ask(name, task));
    }
  }

  #deduped(marker: string): Submission {
    return { ...makeSubmission(this.#random, marker, []), dedupe_key: `twins-${this.#random.whole(1, DEDUPE_KEYS)}` };
  }

  /** One of a few, each always the same. The last one always fails. */
  #equal(): Submission {
    const n = this.#random.whole(1, EQUAL_TASKS);
    const parameters = { marker: `equal-${n}`, ticks: 5, lines: 1, failures: n === EQUAL_TASKS ? 999 : 0 };
    const task = makeSubmission(this.#random, parameters.marker, []);
    return { ...task, problem_id: 'chaos-a', parameters, reuse: { max_age_seconds: this.#random.pick(AGES_SECONDS) } };
  }

  async #ask(key: string | null, task: Submission): Promise<Answer> {
    const noted = this.#world.history.begin<Submit>(this.#name, { verb: 'submit', key, tasks: [task], form: 'one', ids: [], workflowId: null, existed: false });
    const answer = await call(this.#url, { method: 'POST', path: '/api/v1/tasks', body: task, ...(key === null ? {} : { headers: { 'idempotency-key': key } }) });
    if (answer.result === 'ok') {
      noted.ids = [(answer.body as { id: string }).id];
      noted.existed = answer.status === 200;
      // Those under a dedupe_key are not retried by hand: the answer would be whichever has the key then.
      if (task['dedupe_key'] === undefined) this.#world.heardOf(noted.ids);
    }
    this.#world.history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
    return answer;
  }
}
