/**
 * Brings a database to the newest schema: the files of migrations/, in the order of their names, each once, all that are missing in
 * one transaction. It may be served by an earlier version meanwhile, so no lock is waited for longer than a moment: whoever
 * comes after a statement that waits for a table waits with it. Safe when several replicas start at once, those of earlier versions
 * too: kysely's migrator holds an advisory lock, on a connection that this module opens for it.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Migrator, sql, type Migration } from 'kysely';
import type { Logger } from 'pino';
import { backoffMs } from '@task-executor/shared';
import { MIGRATION_NAME, openForMigration, type Database } from './database.js';
import { isLockTimeout } from './errors.js';

const FOLDER = new URL('../../migrations/', import.meta.url);
const OLDEST_SERVER = 150_000;

/** Each try holds others up for a second at most (lock_timeout of openForMigration); between them they go on. */
const TRIES = 40;
const BETWEEN_TRIES = { initialMs: 500, maxMs: 4_000 };

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
}

/**
 * Applies what is missing and returns the names of the applied migrations.
 * @throws MigrationError when the server is too old, the database was migrated by a newer version, an API of an earlier version has to
 * be stopped first, or a table stays locked.
 */
export async function migrate({ databaseUrl, log, folder = FOLDER }: MigrateParts): Promise<string[]> {
  const db = openForMigration(databaseUrl);
  try {
    await refuseOldServer(db);
    return await migrateWith(db, log, folder);
  } finally {
    await db.destroy();
  }
}

async function migrateWith(db: Database, log: Logger, folder: URL): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).map((name) => name.replace(/\.sql$/, '')).sort();
  const applied = await appliedTo(db);
  const unknown = applied.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new MigrationError(
      `The database was migrated by a newer version of Task Executor: it has ${unknown.join(', ')}, which this version does not know. `
      + 'Start the newer version, or restore the backup that was made before the upgrade.',
    );
  }
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => readMigrations(folder, names, applied.length > 0) },
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migrations_lock',
    // Otherwise kysely takes what is applied in the order of times that the clocks of hosts gave, and refuses what is then out of order.
    allowUnorderedMigrations: true,
  });
  for (let tries = 1; ; tries++) {
    const { error, results } = await migrator.migrateToLatest();
    if (error === undefined) {
      return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
    }
    if (!isLockTimeout(error)) throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
    if (tries === TRIES) {
      throw new MigrationError(
        'The migration needs a table that a transaction has held all the while; nothing was changed. '
        + 'pg_stat_activity shows it (the oldest xact_start): wait for its end or terminate it, then start again.',
      );
    }
    log.info({ event: 'migration_waits', tries }, 'a transaction holds a table that the migration needs');
    await sleep(backoffMs(BETWEEN_TRIES, tries, Math.random()));
  }
}

async function readMigrations(folder: URL, names: readonly string[], served: boolean): Promise<Record<string, Migration>> {
  const migrations: Record<string, Migration> = {};
  for (const name of names) {
    const text = await readFile(new URL(`${name}.sql`, folder), 'utf8');
    migrations[name] = {
      up: async (db: Database) => {
        if (served) await refuseBesideEarlier(db, name);
        await sql.raw(text).execute(db);
      },
    };
  }
  return migrations;
}

async function refuseOldServer(db: Database): Promise<void> {
  const { rows } = await sql<{ version: number }>`select current_setting('server_version_num')::int as version`.execute(db);
  if ((rows[0]?.version ?? 0) < OLDEST_SERVER) {
    throw new MigrationError('PostgreSQL 15 or later is needed; point DATABASE_URL at a newer server.');
  }
}

async function appliedTo(db: Database): Promise<string[]> {
  const { rows: [table] } = await sql<{ there: boolean }>`select to_regclass('schema_migrations') is not null as there`.execute(db);
  if (table?.there !== true) return [];
  const { rows } = await sql<{ name: string }>`select name from schema_migrations order by name`.execute(db);
  return rows.map(({ name }) => name);
}

async function refuseBesideEarlier(db: Database, name: string): Promise<void> {
  const trouble = NOT_BESIDE_EARLIER[name];
  if (trouble === undefined) return;
  const { rows: [others] } = await sql<{ connections: number }>`
    select count(*)::int as connections from pg_stat_activity
     where datname = current_database() and application_name like 'task-executor-api%' and application_name <> ${MIGRATION_NAME}`.execute(db);
  if (others === undefined || others.connections === 0) return;
  throw new MigrationError(
    `An API of an earlier version is connected to the database (${others.connections} connections), and ${name} cannot be applied while `
    + `it serves: ${trouble}. Nothing was changed. Stop every API on this database, then start this one.`,
  );
}
