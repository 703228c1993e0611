/** Cancels tasks that others submitted, some of them just when they end, and repeats what was not answered. */
import type { Random } from '../random.js';
import { call } from './call.js';
import type { Cancel } from './history.js';
import type { World } from './world.js';

const TRIES = 20;

export class Canceller {
  readonly #name: string;
  readonly #url: string;
  readonly #world: World;
  readonly #random: Random;

  constructor(parts: { name: string; url: string; world: World; random: Random }) {
    this.#name = parts.name;
    this.#url = parts.url;
    this.#world = parts.world;
    this.#random = parts.random;
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      await this.#world.pause(this.#random.between(300, 1_500));
      if (this.#world.recent.length > 0 && !this.#world.isOver) await this.cancel(this.#random.pick(this.#world.recent));
    }
  }

  async cancel(taskId: string): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const noted = this.#world.history.begin<Cancel>(this.#name, { verb: 'cancel', taskId });
      const answer = await call(this.#url, { method: 'POST', path: `/api/v1/tasks/${taskId}/cancel` });
      this.#world.history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
      if (answer.result !== 'unknown' || this.#world.isOver) return;
      await this.#world.pause(this.#random.between(100, 500));
    }
  }
}
