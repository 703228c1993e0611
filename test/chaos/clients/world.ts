/** What all clients share: where the time of the run ends, what they have heard of so far, and how full the queue is. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Postgres } from '../cast/postgres.js';
import { MAX_OPEN_TASKS } from '../settings.js';
import type { History } from './history.js';

const LOOK_MS = 500;
/** So many of the newest tasks are those that clients choose from. */
const RECENT = 40;

export class World {
  readonly history: History;
  readonly stop: AbortSignal;
  /** Workflows of which something is to be run again. */
  readonly failing: string[] = [];
  readonly #recent: string[] = [];
  #open = 0;

  constructor(history: History, stop: AbortSignal) {
    this.history = history;
    this.stop = stop;
  }

  get isOver(): boolean {
    return this.stop.aborted;
  }

  get recent(): readonly string[] {
    return this.#recent;
  }

  get isFull(): boolean {
    return this.#open > MAX_OPEN_TASKS;
  }

  heardOf(ids: readonly string[]): void {
    this.#recent.push(...ids);
    this.#recent.splice(0, Math.max(0, this.#recent.length - RECENT));
  }

  /** Shorter where the run ends. */
  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stop }).catch(() => undefined);
  }

  /** Looks at the queue until the run ends. */
  async watch(postgres: Postgres): Promise<void> {
    while (!this.isOver) {
      const found = await postgres.withClient((client) => client.query<{ n: string }>('select count(*) as n from queue')).catch(() => null);
      if (found !== null) this.#open = Number(found.rows[0]?.n ?? 0);
      await this.pause(LOOK_MS);
    }
  }
}
