/**
 * The PostgreSQL server of a run: an embedded one of its own, in a temporary folder, durable as in production; or the one that
 * DATABASE_URL names. Databases are made on it for a measurement and dropped again.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../scripts/lib/postgres.mjs';
import { pg } from './packages.mjs';
import { cpuOfFamily, parentOf } from './proc.mjs';

const MEGABYTE = 1024 ** 2;

/** As an operator would set them; the first three are PostgreSQL's defaults, named because nothing here may be read without them. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: 300,
  shared_buffers: `${Math.min(1024, Math.floor(totalmem() / MEGABYTE / 4))}MB`,
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
};

export async function startPostgres(undo) {
  const given = process.env.DATABASE_URL ?? '';
  return given === '' ? startEmbedded(undo) : new PostgresServer(given, undo, 'DATABASE_URL');
}

/** An embedded one whatever DATABASE_URL says, with `settings` on top of those of a run. */
export async function startEmbedded(undo, settings = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'task-executor-bench-'));
  undo.add(() => rm(dataDir, { recursive: true, force: true }));
  const server = await startEmbeddedPostgres({ dataDir, settings: { ...SETTINGS, ...settings } });
  undo.add(() => server.stop());
  return new PostgresServer(server.url, undo, 'embedded');
}

class PostgresServer {
  #url;
  #undo;
  #admin = null;
  #postmaster = null;

  constructor(url, undo, kind) {
    this.#url = url;
    this.#undo = undo;
    this.kind = kind;
  }

  /** CPU seconds of all its processes so far; null where it is not on this host. */
  async cpu() {
    await this.#connect();
    return this.#postmaster === null ? null : cpuOfFamily(this.#postmaster);
  }

  /** Its version and the settings that decide what a commit costs. */
  async describe() {
    const names = ['server_version', ...Object.keys(SETTINGS)];
    const { rows } = await this.query('select name, current_setting(name) as value from unnest($1::text[]) as name', [names]);
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  /** Milliseconds of a durable commit of one row, the median of `times`. */
  async commitMs(times = 100) {
    const database = await this.createDatabase();
    const took = [];
    try {
      await database.query('create table commits (n int)');
      for (let n = 0; n < times; n++) {
        const began = performance.now();
        await database.query('insert into commits values ($1)', [n]);
        took.push(performance.now() - began);
      }
    } finally {
      await database.drop();
    }
    return took.sort((a, b) => a - b)[times >> 1];
  }

  /** On the database of administration, which no measurement counts. */
  async query(text, values) {
    const admin = await this.#connect();
    return admin.query(text, values);
  }

  /** An empty database. */
  async createDatabase() {
    const name = `task_executor_bench_${randomBytes(6).toString('hex')}`;
    await this.query(`create database ${name}`);
    const url = new URL(this.#url);
    url.pathname = `/${name}`;
    const database = new Database(this, name, url.href);
    database.drop = this.#undo.add(async () => {
      await database.close();
      await this.query(`drop database if exists ${name} with (force)`);
    });
    return database;
  }

  async #connect() {
    if (this.#admin !== null) return this.#admin;
    const url = new URL(this.#url);
    url.pathname = '/postgres';
    const admin = new pg.Client({ connectionString: url.href });
    admin.on('error', () => undefined);
    await admin.connect();
    this.#undo.add(() => admin.end());
    const { rows } = await admin.query('select pg_backend_pid() as pid');
    this.#postmaster = parentOf(rows[0].pid, 'postgres');
    return (this.#admin = admin);
  }
}

class Database {
  #server;
  #pool;

  constructor(server, name, url) {
    this.#server = server;
    this.name = name;
    this.url = url;
    this.#pool = new pg.Pool({ connectionString: url, max: 2 });
    this.#pool.on('error', () => undefined);
  }

  query(text, values) {
    return this.#pool.query(text, values);
  }

  /** A connection to keep; `release()` gives it back. */
  connect() {
    return this.#pool.connect();
  }

  /** Transactions so far. The server hears of those of a connection within ten seconds. */
  async transactions() {
    const { rows } = await this.#server.query('select xact_commit + xact_rollback as n from pg_stat_database where datname = $1', [this.name]);
    return Number(rows[0].n);
  }

  /** Bytes of all tables of ours with their indexes. */
  async bytes() {
    const { rows } = await this.query(`
      select coalesce(sum(pg_total_relation_size(oid)), 0) as n
        from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`);
    return Number(rows[0].n);
  }

  async close() {
    if (!this.#pool.ended) await this.#pool.end();
  }
}
