/** Where the scene of a mutant is played: one API process on a database of its own, and clients whose history is kept. */
import { join } from 'node:path';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../cast/api.js';
import type { Postgres } from '../cast/postgres.js';
import type { Evidence, Sample } from '../checker/evidence.js';
import { readSnapshot } from '../checker/snapshot.js';
import { breaches, INVARIANTS } from '../../../packages/api/test/support/invariants.js';
import { Canceller } from '../clients/canceller.js';
import { submit, type ClientParts } from '../clients/client.js';
import { History, type Submission } from '../clients/history.js';
import { RawWorker } from '../clients/raw-worker.js';
import { Walker } from '../clients/walker.js';
import { World } from '../clients/world.js';
import { Clock, monotonicMs } from '../clock.js';
import { Random } from '../random.js';
import type { Undo } from '../undo.js';

/** Longer than a scene: none of its workers sends heartbeats. */
const LEASE_SECONDS = 60;
const LOOK_MS = 50;

export class Stage {
  readonly worker: RawWorker;
  readonly canceller: Canceller;
  readonly #api: Api;
  readonly #databaseUrl: string;
  readonly #history = new History(monotonicMs);
  readonly #world = new World(this.#history, new AbortController().signal);
  readonly #clock = new Clock();
  readonly #samples: Sample[] = [];
  #submitted = 0;

  private constructor(api: Api, databaseUrl: string) {
    this.#api = api;
    this.#databaseUrl = databaseUrl;
    this.worker = new RawWorker({ ...this.#parts, name: 'worker' });
    this.canceller = new Canceller({ ...this.#parts, name: 'canceller' });
  }

  static async open(options: { name: string; folder: string; main: string; postgres: Postgres; undo: Undo }): Promise<Stage> {
    const { name, folder, main, postgres, undo } = options;
    const database = `chaos_${name.replaceAll('-', '_')}`;
    await postgres.withClient((client) => client.query(`create database ${database}`));
    const url = new URL(postgres.url);
    url.pathname = `/${database}`;
    const api = await Api.make({ name, folder: join(folder, 'stages'), main, databaseUrl: url.href, undo, leaseSeconds: LEASE_SECONDS });
    api.program.start();
    await api.up();
    return new Stage(api, url.href);
  }

  get #parts(): Omit<ClientParts, 'name'> {
    return { url: `http://127.0.0.1:${this.#api.target?.port ?? 0}`, world: this.#world, random: new Random(1) };
  }

  /** Submits one task under a key; its id. */
  async submit(problem: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const [id = ''] = await this.submitMany(problem, 1, more);
    return id;
  }

  /** Submits `count` tasks in one call. */
  async submitMany(problem: string, count: number, more: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> {
    const tasks = Array.from({ length: count }, (): Submission => ({
      problem_id: problem, parameters: { marker: `${problem}-${++this.#submitted}`, ticks: 0, lines: 0, failures: 0 }, ...more,
    }));
    const key = `${problem}-key-${this.#submitted}`;
    return (await submit({ ...this.#parts, name: 'submitter' }, key, tasks, count === 1 ? 'one' : 'batch')).ids;
  }

  /** Walks through all tasks in pages of `pageSize`. */
  async walk(pageSize: number): Promise<void> {
    await new Walker({ ...this.#parts, name: 'walker', pageSize }).walk();
  }

  /** kill -9 of the API, which stays away. */
  async killApi(): Promise<void> {
    await this.#api.program.kill();
    while (this.#api.target !== null) await sleep(LOOK_MS);
  }

  /** Runs a statement on its database. */
  async run(statement: string): Promise<void> {
    await this.#withClient((client) => client.query(statement));
  }

  /** Waits until the one row of `query` says `ok`, or `seconds` are over. */
  async eventually(query: string, seconds: number): Promise<void> {
    const deadline = monotonicMs() + seconds * 1000;
    await this.#withClient(async (client) => {
      while (monotonicMs() < deadline) {
        const { rows } = await client.query<{ ok: boolean }>(query);
        if (rows[0]?.ok === true) return;
        await sleep(LOOK_MS);
      }
    });
  }

  /** Looks at what must hold at any moment. */
  async look(): Promise<void> {
    const found = await this.#withClient((client) => breaches((text) => client.query(text), INVARIANTS));
    this.#samples.push({ at: monotonicMs(), breaches: found });
  }

  async evidence(): Promise<Evidence> {
    const database = await this.#withClient((client) => readSnapshot(client, this.#clock, []));
    return {
      operations: this.#history.operations, runs: [], troubles: [], ways: { lostAnswers: 0, duplicates: 0, resets: 0, swallowed: 0 },
      database, samples: this.#samples, realSessions: new Set(), hostOfSession: new Map(),
    };
  }

  async close(): Promise<void> {
    await this.#api.program.kill();
  }

  async #withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.#databaseUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}
