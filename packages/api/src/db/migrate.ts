/**
 * Brings a database to the newest schema: the files of migrations/, in the order of their names, each once, in a transaction of its
 * own (of an empty database all in one), which holds a lock from its first statement on; so several replicas may start at once,
 * through a pooler too. (kysely's migrator takes a lock of the session, which a pooler in transaction mode would give to one
 * connection and take from another.) An earlier version may serve meanwhile, so no lock on a table is waited for longer than a moment:
 * whoever comes after a statement that waits for a table waits with it. Nor is one held beyond the migration that needs it, while the
 * next fills an index.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { backoffMs } from '@task-executor/shared';
import { MIGRATION_NAME, openForMigration, type Database } from './database.js';
import { isDeadlock, isLockTimeout } from './errors.js';

const FOLDER = new URL('../../migrations/', import.meta.url);
const OLDEST_SERVER = 150_000;
/** The number that kysely's migrator locks, so that replicas of versions that use it are kept out too. */
const LOCK_ID = '3853314791062309107';

/** Another replica's migration may fill an index over all that there is. */
const OTHERS_MIGRATION_MS = 3_600_000;
const BETWEEN_ASKS_MS = 200;
/** Each try holds others up for so long at most; between them they go on. */
const TABLE_LOCK = '1s';
const TRIES = 40;
const BETWEEN_TRIES = { initialMs: 500, maxMs: 4_000 };

/** A connection that has been closed is seen for a moment longer. */
const LOOKS = 10;
const BETWEEN_LOOKS_MS = 100;

/** Migrations beside which an API of an earlier version cannot serve, and what would go wrong. */
const NOT_BESIDE_EARLIER: Readonly<Record<string, string>> = {
  '0002_semantics': 'its submissions would fail, and it would not tell tasks that depend on others of the end of these',
};

/** A database that cannot be used as it is; the message says what to do. */
export class MigrationError extends Error {}

export interface MigrateParts {
  readonly databaseUrl: string;
  readonly log: Logger;
  /** The folder of the migrations; a file URL that ends in a slash. */
  readonly folder?: URL;
  /** Aborts when nothing more is to be waited for or begun; a migration that is under way comes to its end. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Applies what is missing and returns the names of the applied migrations.
 * @throws MigrationError when the server is too old, the database was migrated by a newer version, an API of an earlier version has to
 * be stopped first, or a table stays locked; an AbortError once `stopping` aborts.
 */
export async function migrate({ databaseUrl, log, folder = FOLDER, stopping }: MigrateParts): Promise<string[]> {
  const db = openForMigration(databaseUrl);
  try {
    await refuseOldServer(db);
    const applied: string[] = [];
    for (let tries = 1; ; tries++) {
      try {
        for (;;) {
          stopping?.throwIfAborted();
          const names = await db.transaction().execute((transaction) => applyNext(transaction, folder, stopping));
          if (names.length === 0) return applied;
          applied.push(...names);
        }
      } catch (error) {
        // An earlier version locks the tables of a statement in an order of its own.
        if (!isLockTimeout(error) && !isDeadlock(error)) throw error;
      }
      if (tries === TRIES) {
        const done = applied.length === 0 ? 'nothing was changed' : `applied were ${applied.join(', ')}`;
        throw new MigrationError(
          `The migration needs a table that a transaction has held all the while; ${done}. `
          + 'pg_stat_activity shows it (the oldest xact_start): wait for its end or terminate it, then start again.',
        );
      }
      log.info({ event: 'migration_waits', tries }, 'a transaction holds a table that the migration needs');
      await sleep(backoffMs(BETWEEN_TRIES, tries, Math.random()), undefined, { signal: stopping });
    }
  } finally {
    await db.destroy();
  }
}

/** Applies the first migration that is missing, or all to an empty database, and returns their names. */
async function applyNext(transaction: Transaction<unknown>, folder: URL, stopping?: AbortSignal): Promise<string[]> {
  const set = (name: string, value: string) => sql`select set_config(${name}, ${value}, true)`.execute(transaction);
  for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout']) await set(name, '0');
  await takeLock(transaction, stopping);
  await set('lock_timeout', TABLE_LOCK);
  const known = (await readdir(folder)).filter((name) => name.endsWith('.sql')).map((name) => name.replace(/\.sql$/, '')).sort();
  const done = await doneMigrations(transaction);
  const unknown = done.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new MigrationError(
      `The database was migrated by a newer version of Task Executor: it has ${unknown.join(', ')}, which this version does not know. `
      + 'Start the newer version, or restore the backup that was made before the upgrade.',
    );
  }
  const missing = known.filter((name) => !done.includes(name));
  const next = done.length === 0 ? missing : missing.slice(0, 1);
  for (const name of next) {
    if (done.length > 0) await refuseBesideEarlier(transaction, name);
    await sql.raw(await readFile(new URL(`${name}.sql`, folder), 'utf8')).execute(transaction);
    await sql`insert into schema_migrations (name, timestamp) values (${name}, ${new Date().toISOString()})`.execute(transaction);
  }
  return next;
}

/** Asks for the lock until it has it: a statement that waits for it would go on waiting when this process is to end. */
async function takeLock(transaction: Transaction<unknown>, stopping?: AbortSignal): Promise<void> {
  const deadline = performance.now() + OTHERS_MIGRATION_MS;
  for (;;) {
    const { rows: [lock] } = await sql<{ taken: boolean }>`
      select pg_try_advisory_xact_lock(${LOCK_ID}::bigint) as taken`.execute(transaction);
    if (lock?.taken === true) return;
    if (performance.now() > deadline) {
      throw new MigrationError(
        'Another process has been migrating this database for an hour: pg_locks shows it (locktype advisory). '
        + 'Wait for its end or terminate it, then start again.',
      );
    }
    await sleep(BETWEEN_ASKS_MS, undefined, { signal: stopping });
  }
}

/** The names of the migrations that were applied, in their order. */
async function doneMigrations(transaction: Transaction<unknown>): Promise<string[]> {
  // Asked first: a role that may not create tables can start where there is nothing to create.
  const { rows: [table] } = await sql<{ exists: boolean }>`
    select to_regclass('schema_migrations') is not null as exists`.execute(transaction);
  if (table?.exists !== true) {
    await sql`create table schema_migrations (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(transaction);
  }
  const { rows } = await sql<{ name: string }>`select name from schema_migrations order by name collate "C"`.execute(transaction);
  return rows.map(({ name }) => name);
}

async function refuseOldServer(db: Database): Promise<void> {
  const { rows } = await sql<{ version: number }>`select current_setting('server_version_num')::int as version`.execute(db);
  if ((rows[0]?.version ?? 0) < OLDEST_SERVER) {
    throw new MigrationError('PostgreSQL 15 or later is needed; point DATABASE_URL at a newer server.');
  }
}

async function refuseBesideEarlier(db: Database, name: string): Promise<void> {
  const trouble = NOT_BESIDE_EARLIER[name];
  if (trouble === undefined) return;
  for (let looks = 1; ; looks++) {
    const { rows: [others] } = await sql<{ connections: number }>`
      select count(*)::int as connections from pg_stat_activity
       where datname = current_database() and application_name like 'task-executor-api%'
         and application_name <> ${MIGRATION_NAME}`.execute(db);
    if (others === undefined || others.connections === 0) return;
    if (looks === LOOKS) {
      throw new MigrationError(
        `An API of an earlier version is connected to the database (${others.connections} connections), and ${name} cannot be applied while `
        + `it serves: ${trouble}. Nothing was changed. Stop every API on this database, then start this one.`,
      );
    }
    await sleep(BETWEEN_LOOKS_MS);
    // Within a transaction what was seen of others' activity stays as it was.
    await sql`select pg_stat_clear_snapshot()`.execute(db);
  }
}
