/**
 * The system under test: the API as it is built, one process or several, on a database of its own, with its defaults, its log
 * at `info` written to a file, and no internal workers. Whoever takes a system stops it.
 */
import { startLogged } from './logged.mjs';
import { cpuOf, rssOf } from './proc.mjs';

export class Systems {
  #postgres;
  #undo;
  #fresh;
  #shared = null;

  constructor(postgres, undo, { fresh }) {
    this.#postgres = postgres;
    this.#undo = undo;
    this.#fresh = fresh;
  }

  /** A system that nobody used; or, where a run may not take long, the one that all use. */
  async take() {
    if (this.#fresh) return this.#start();
    this.#shared ??= Object.assign(await this.#start(), { isShared: true });
    return this.#shared;
  }

  async #start() {
    const database = await this.#postgres.createDatabase();
    const system = new System(this.#postgres, database, this.#undo);
    await system.addReplica();
    return system;
  }
}

class System {
  #postgres;
  #undo;
  replicas = [];
  isShared = false;

  constructor(postgres, database, undo) {
    this.#postgres = postgres;
    this.database = database;
    this.#undo = undo;
  }

  get urls() {
    return this.replicas.map((replica) => replica.url);
  }

  async addReplica() {
    this.replicas.push(await startApi(this.database.url, this.#undo));
  }

  /** Bytes of memory of its API processes. */
  rss() {
    return this.replicas.reduce((sum, { pid }) => sum + (rssOf(pid) ?? NaN), 0);
  }

  /** CPU seconds so far: of the API, of PostgreSQL, and of this process, which is the client. Null where unknown. */
  async cpu() {
    const api = this.replicas.map(({ pid }) => cpuOf(pid));
    const { user, system } = process.cpuUsage();
    return {
      api: api.includes(null) ? null : api.reduce((sum, seconds) => sum + seconds, 0),
      postgres: await this.#postgres.cpu(),
      client: (user + system) / 1e6,
    };
  }

  /** Runs `load`, which resolves with `{ ops, seconds, ... }`, and adds the CPU seconds that it took. */
  async metered(load) {
    const before = await this.cpu();
    const result = await load();
    const after = await this.cpu();
    const cpu = Object.fromEntries(Object.keys(before).map((who) => [who, before[who] === null || after[who] === null ? null : after[who] - before[who]]));
    return { ...result, cpu: { ...cpu, ...result.cpu } };
  }

  async stop() {
    for (const replica of this.replicas.splice(this.isShared ? 1 : 0)) await replica.stop();
    if (!this.isShared) await this.database.drop();
  }
}

async function startApi(databaseUrl, undo) {
  const { pid, lines: [{ url }], stop } = await startLogged('api', ['packages/api/dist/main.js', 'serve'], (folder) => ({
    DATABASE_URL: databaseUrl, DATA_DIR: folder, HOST: '127.0.0.1', PORT: '0', NUM_INTERNAL_WORKERS: '0',
    // Where DATABASE_URL leads to a pooler.
    DATABASE_POOLER: process.env.DATABASE_POOLER ?? '',
  }), ['listening'], undo);
  return { url, pid, stop };
}
