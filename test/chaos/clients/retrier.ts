/** Retries tasks and workflows by hand, under a key that it repeats until it is answered, and now and then afterwards. */
import type { Random } from '../random.js';
import { call, type Answer } from './call.js';
import type { Retry } from './history.js';
import { untilAnswered } from './persist.js';
import type { World } from './world.js';

export class Retrier {
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
      await this.#world.pause(this.#random.between(500, 1_500));
      if (this.#world.isFull || this.#world.isOver) continue;
      const workflow = this.#random.chance(0.5) ? this.#world.failing.shift() : undefined;
      if (workflow !== undefined) {
        // One that has not ended yet gets another turn.
        if ((await this.#retry('workflow', workflow)).result !== 'ok') this.#world.failing.push(workflow);
      } else if (this.#world.recent.length > 0) await this.#retry('task', this.#random.pick(this.#world.recent));
    }
  }

  async #retry(what: Retry['what'], of: string): Promise<Answer> {
    this.#made += 1;
    const key = `${this.#name}-${this.#made}`;
    const answer = await untilAnswered(this.#world, this.#random, () => this.#ask(what, of, key));
    if (this.#random.chance(0.3)) await this.#ask(what, of, key);
    return answer;
  }

  async #ask(what: Retry['what'], of: string, key: string): Promise<Answer> {
    const noted = this.#world.history.begin<Retry>(this.#name, { verb: 'retry', what, of, key, newId: null });
    const answer = await call(this.#url, { method: 'POST', path: `/api/v1/${what}s/${of}/retry`, headers: { 'idempotency-key': key } });
    if (answer.result === 'ok') noted.newId = (answer.body as { id: string }).id;
    this.#world.history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
    return answer;
  }
}
