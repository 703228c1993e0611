/**
 * The line before a pool of connections. Whoever is more urgent goes first: what keeps leases alive before what ends tasks, that before
 * logs, those before claims, those before submissions, and reading last. Reading never has the last connections of its pool, and its
 * part of the line is short: a list that is refused can be asked for again, a lease that lapsed cannot.
 */
import type pg from 'pg';
import { CoalescerFull } from './coalesce.js';
import { connecting, DatabaseAway } from './errors.js';

/** The most urgent first. */
export const RANKS = ['heartbeats', 'reports', 'logs', 'claims', 'submissions', 'reads'] as const;
export type Rank = (typeof RANKS)[number];

/** Statements of one rank that wait at most; more are told to come again. */
const MAX_WAITING: Readonly<Record<Rank, number>> = {
  heartbeats: 1_000, reports: 1_000, logs: 1_000, claims: 1_000, submissions: 500, reads: 100,
};
/** What reading leaves to others of its pool. */
const KEPT_FREE = 2;

interface Waiting {
  readonly go: () => void;
  readonly timer: NodeJS.Timeout;
}

export class Line {
  readonly #pool: pg.Pool;
  readonly #most: number;
  readonly #timeoutMs: number;
  readonly #waiting: Record<Rank, Waiting[]> = { heartbeats: [], reports: [], logs: [], claims: [], submissions: [], reads: [] };
  #taken = 0;

  /** `timeoutMs`: how long a statement waits for its turn. */
  constructor(pool: pg.Pool, { most, timeoutMs }: { most: number; timeoutMs: number }) {
    this.#pool = pool;
    this.#most = most;
    this.#timeoutMs = timeoutMs;
  }

  /** The pool as statements of `rank` see it. */
  as(rank: Rank): { connect(): Promise<pg.PoolClient>; end(): Promise<void> } {
    return { connect: () => this.#connect(rank), end: () => Promise.resolve() };
  }

  async #connect(rank: Rank): Promise<pg.PoolClient> {
    if (this.#mayGo(rank)) this.#taken += 1;
    else await this.#wait(rank);
    try {
      const client = await connecting(this.#pool.connect());
      const release = client.release.bind(client);
      // The pool gives a client another `release` each time.
      client.release = (error) => {
        release(error);
        this.#leave();
      };
      return client;
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #mayGo(rank: Rank): boolean {
    return this.#taken < (rank === 'reads' ? Math.max(1, this.#most - KEPT_FREE) : this.#most);
  }

  /** Resolves when it is the turn of a statement of `rank`, with its place taken. */
  #wait(rank: Rank): Promise<void> {
    const line = this.#waiting[rank];
    if (line.length >= MAX_WAITING[rank]) return Promise.reject(new CoalescerFull(`too many ${rank} are waiting for the database`));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        go: () => {
          clearTimeout(waiting.timer);
          resolve();
        },
        timer: setTimeout(() => {
          line.splice(line.indexOf(waiting), 1);
          reject(new DatabaseAway('no connection to the database was free in time'));
        }, this.#timeoutMs),
      };
      line.push(waiting);
    });
  }

  #leave(): void {
    this.#taken -= 1;
    for (const rank of RANKS) {
      if (this.#waiting[rank].length === 0) continue;
      // Where reading has to stay behind, nothing is less urgent.
      if (!this.#mayGo(rank)) return;
      this.#taken += 1;
      this.#waiting[rank].shift()?.go();
      return;
    }
  }
}
