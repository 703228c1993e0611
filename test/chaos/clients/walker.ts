/** Walks through all tasks by cursor, oldest first, while others submit; and reads the statistics, when nobody does any more. */
import { call } from './call.js';
import { ask, Client, type ClientParts } from './client.js';
import type { Statistics, Walk } from './history.js';

const PAGE_SIZE = 40;
const PAUSE_MS = 3_000;
const TRIES = 10;

export class Walker extends Client {
  readonly #pageSize: number;

  constructor({ pageSize = PAGE_SIZE, ...parts }: ClientParts & { readonly pageSize?: number }) {
    super(parts);
    this.#pageSize = pageSize;
  }

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(PAUSE_MS);
      await this.walk();
    }
  }

  async walk(): Promise<void> {
    const noted = this.world.history.begin<Walk>(this.name, { verb: 'walk', ids: [] });
    let cursor: string | null = null;
    do {
      const page = await this.#page(cursor);
      if (page === null) {
        this.world.history.end(noted, 'fail');
        return;
      }
      noted.ids = [...noted.ids, ...page.tasks.map(({ id }) => id)];
      cursor = page.next_cursor;
    } while (cursor !== null);
    this.world.history.end(noted, 'ok');
  }

  async readStatistics(): Promise<void> {
    await this.untilAnswered(() => ask<Statistics>(this, { verb: 'statistics', counts: {}, byProblem: {} }, { method: 'GET', path: '/api/v1/tasks/stats' }, (noted, { body }) => {
      const all = Object.entries(body as Record<string, unknown>);
      noted.counts = Object.fromEntries(all.filter(([name]) => name.endsWith('_tasks'))) as Record<string, number>;
      noted.byProblem = (body as { tasks_by_problem: Record<string, number> }).tasks_by_problem;
    }));
  }

  async #page(cursor: string | null): Promise<{ tasks: { id: string }[]; next_cursor: string | null } | null> {
    const query = new URLSearchParams({ sort: 'created_at', page_size: String(this.#pageSize), ...(cursor === null ? {} : { cursor }) });
    for (let tries = 1; tries <= TRIES; tries++) {
      const answer = await call(this.url, { method: 'GET', path: `/api/v1/tasks?${query.toString()}` });
      if (answer.result === 'ok') return answer.body as { tasks: { id: string }[]; next_cursor: string | null };
      if (answer.result === 'fail') return null;
      await this.world.pause(200);
    }
    return null;
  }
}
