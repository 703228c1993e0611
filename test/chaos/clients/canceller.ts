/** Cancels tasks that others submitted, some of them just when they end, and repeats what was not answered. */
import { ask, Client } from './client.js';
import type { Cancel } from './history.js';

const TRIES = 20;

export class Canceller extends Client {
  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(300, 1_500));
      if (this.world.recent.length > 0 && !this.world.isOver) await this.cancel(this.random.pick(this.world.recent));
    }
  }

  /** Until there is an answer; whether there was one. */
  async cancel(taskId: string): Promise<boolean> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const answer = await ask<Cancel>(this, { verb: 'cancel', taskId }, { method: 'POST', path: `/api/v1/tasks/${taskId}/cancel` });
      if (answer.result !== 'unknown') return true;
      if (this.world.isOver) return false;
      await this.world.pause(this.random.between(100, 500));
    }
    return false;
  }
}
