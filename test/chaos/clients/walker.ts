/** Walks through all tasks by cursor, oldest first, while others submit. */
import { call } from './call.js';
import { Client, type ClientParts } from './client.js';
import type { Walk } from './history.js';

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
