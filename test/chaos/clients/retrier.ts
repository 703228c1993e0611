/** Retries tasks and workflows by hand, under a key that it repeats until it is answered, and now and then afterwards. */
import type { Answer } from './call.js';
import { ask, Client } from './client.js';
import type { Retry } from './history.js';

export class Retrier extends Client {
  #made = 0;

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(500, 1_500));
      if (this.world.isFull || this.world.isOver) continue;
      const workflow = this.random.chance(0.5) ? this.world.failing.shift() : undefined;
      if (workflow !== undefined) {
        // One that has not ended yet gets another turn.
        if ((await this.#retry('workflow', workflow)).result !== 'ok') this.world.failing.push(workflow);
      } else if (this.world.recent.length > 0) await this.#retry('task', this.random.pick(this.world.recent));
    }
  }

  async #retry(what: Retry['what'], of: string): Promise<Answer> {
    this.#made += 1;
    const key = `${this.name}-${this.#made}`;
    const answer = await this.untilAnswered(() => this.#ask(what, of, key));
    if (this.random.chance(0.3)) await this.#ask(what, of, key);
    return answer;
  }

  #ask(what: Retry['what'], of: string, key: string): Promise<Answer> {
    const request = { method: 'POST', path: `/api/v1/${what}s/${of}/retry`, headers: { 'idempotency-key': key } } as const;
    return ask<Retry>(this, { verb: 'retry', what, of, key, newId: null }, request, (noted, { body }) => {
      noted.newId = (body as { id: string }).id;
    });
  }
}
