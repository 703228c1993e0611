/**
 * Submits sets of tasks, cancels what has not ended of each in bulk and then retries, in bulk, what did not complete. Each call under a
 * key, repeated until it is answered; each operation is followed to its end.
 */
import { call } from './call.js';
import { ask, Client } from './client.js';
import type { Bulk, Submission } from './history.js';
import { makeSubmission } from './submissions.js';

const FOLLOW_MS = 300;
/** Nobody else cancels or retries what has this problem. */
const PROBLEM = 'chaos-set';

export class BulkClient extends Client {
  readonly #open: Bulk[] = [];
  #made = 0;

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(500, 2_000));
      if (!this.world.isFull && !this.world.isOver) await this.#round();
    }
  }

  /** Reads the ends of those that the end of the run cut off. */
  async finish(): Promise<void> {
    for (const bulk of this.#open.filter(({ finished }) => finished === null)) await this.#read(bulk);
  }

  async #round(): Promise<void> {
    this.#made += 1;
    const set = `${this.name}-${this.#made}`;
    const tasks = Array.from({ length: this.random.whole(4, 6) }, (_one, n): Submission => ({
      ...makeSubmission(this.random, `${set}.${n + 1}`, []), problem_id: PROBLEM, labels: { set },
    }));
    if ((await this.submitTogether(set, tasks)).length === 0) return;
    await this.world.pause(this.random.pick([0, 500, 3_000]));
    for (const action of ['cancel', 'retry'] as const) {
      const bulk = await this.#begin(action, set);
      if (bulk === null || !(await this.#follow(bulk))) return;
    }
  }

  async #begin(action: Bulk['action'], set: string): Promise<Bulk | null> {
    const key = `${action}-${set}`;
    const request = { method: 'POST', path: '/api/v1/bulk-operations', body: { action, filter: { labels: { set } } }, headers: { 'idempotency-key': key } } as const;
    let made: Bulk | null = null;
    await this.untilAnswered(() => ask<Bulk>(this, { verb: 'bulk', key, action, set, id: null, finished: null }, request, (noted, { body }) => {
      noted.id = (body as { id: string }).id;
      made = noted;
      this.#open.push(noted);
    }));
    return made;
  }

  /** Whether it has finished before the run is over. */
  async #follow(bulk: Bulk): Promise<boolean> {
    while (!this.world.isOver) {
      await this.#read(bulk);
      if (bulk.finished !== null) return true;
      await this.world.pause(FOLLOW_MS);
    }
    return false;
  }

  async #read(bulk: Bulk): Promise<void> {
    const answer = await call(this.url, { method: 'GET', path: `/api/v1/bulk-operations/${bulk.id ?? ''}` });
    if (answer.result !== 'ok') return;
    const { state, examined, changed } = answer.body as { state: string; examined: number; changed: number };
    if (state === 'done') bulk.finished = { at: this.world.history.now(), examined, changed };
  }
}
