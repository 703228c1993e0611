/**
 * PostgreSQL as the run has it: embedded, durable as in production (fsync and the rest at their defaults), on a data folder of its
 * own; and what can be done to it.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../packages/api/src/embedded-postgres.js';
import { childrenOf, isAlive } from '../../support/process-tree.js';
import type { Undo } from '../undo.js';

const CONNECT_MS = 5_000;
const RETRY_MS = 100;
const TRIES = 300;

export class Postgres {
  readonly #dataDir: string;
  #server: EmbeddedPostgres;
  #postmaster: number;
  #stopped = false;
  /** Everything of it that was paused. */
  #paused: number[] = [];

  private constructor(dataDir: string, server: EmbeddedPostgres) {
    this.#dataDir = dataDir;
    this.#server = server;
    this.#postmaster = postmasterOf(dataDir);
  }

  static async start(folder: string, undo: Undo): Promise<Postgres> {
    const dataDir = join(folder, 'database');
    await mkdir(dataDir);
    const postgres = new Postgres(dataDir, await start(dataDir));
    const forget = undo.atExit(() => {
      postgres.#signal([...postgres.#paused, postgres.#postmaster], 'SIGCONT');
      postgres.#signal([postgres.#postmaster], 'SIGQUIT');
    });
    undo.add(() => postgres.stop().then(forget));
    return postgres;
  }

  /** Its address at this moment; a proxy leads whoever is to find it after a restart. */
  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return this.#server.port;
  }

  /** What `pg_ctl stop -m immediate` does: no checkpoint, no goodbye. */
  async crash(): Promise<void> {
    this.resume();
    this.#signal([this.#postmaster], 'SIGQUIT');
    while (isAlive(this.#postmaster)) await sleep(20);
    // Gives its lock on the data folder back.
    await this.#server.stop();
  }

  /** Starts it again; it recovers from its log. */
  async restart(): Promise<void> {
    if (this.#stopped) return;
    this.#server = await start(this.#dataDir);
    this.#postmaster = postmasterOf(this.#dataDir);
  }

  pause(): void {
    this.#paused = [this.#postmaster, ...childrenOf(this.#postmaster)];
    this.#signal(this.#paused, 'SIGSTOP');
  }

  resume(): void {
    this.#signal(this.#paused.splice(0), 'SIGCONT');
  }

  /** Ends a random half of the connections of the API; how many. */
  async terminateBackends(): Promise<number> {
    return this.withClient(async (client) => {
      const { rows } = await client.query<{ n: string }>(`
        select count(*) filter (where pg_terminate_backend(pid)) as n from (
          select pid from pg_stat_activity where application_name like 'task-executor-api%' and random() < 0.5) as chosen`);
      return Number(rows[0]?.n ?? 0);
    });
  }

  /** Takes a snapshot and holds it, as a dump does, until what this gives is called; null where it could not be taken. */
  async holdSnapshot(): Promise<(() => Promise<void>) | null> {
    const client = await this.#connect();
    const end = (): Promise<void> => client.end().catch(() => undefined);
    try {
      await client.query('begin isolation level repeatable read');
      await client.query('select count(*) from tasks');
      return end;
    } catch {
      await end();
      return null;
    }
  }

  /** A connection that no fault is in; tried again while the server is down. */
  async withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.resume();
    await this.#server.stop();
  }

  async #connect(): Promise<pg.Client> {
    for (let tries = 1; ; tries++) {
      const client = new pg.Client({ connectionString: this.#server.url, connectionTimeoutMillis: CONNECT_MS });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return client;
      } catch (error) {
        await client.end().catch(() => undefined);
        if (tries === TRIES) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  #signal(pids: readonly number[], signal: NodeJS.Signals): void {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended.
      }
    }
  }
}

function start(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, settings: { max_connections: 120 } });
}

function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
}
