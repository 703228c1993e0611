/**
 * Brings a database to the newest schema: the files of migrations/, in the order of their names, each once. Safe when
 * several replicas start at once: kysely's migrator takes an advisory lock for the length of its transaction.
 */
import { readdir, readFile } from 'node:fs/promises';
import { Migrator, sql, type Migration } from 'kysely';
import type { Database } from './database.js';
import { isLockTimeout } from './errors.js';

const FOLDER = new URL('../../migrations/', import.meta.url);
const ATTEMPTS = 12;
const OLDEST_SERVER = 150_000;

/** A database that cannot be used as it is; the message says what to do. */
export class MigrationError extends Error {}

async function readMigrations(): Promise<Record<string, Migration>> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  const migrations: Record<string, Migration> = {};
  for (const name of names) {
    const text = await readFile(new URL(name, FOLDER), 'utf8');
    migrations[name.replace(/\.sql$/, '')] = {
      up: async (db) => {
        await sql.raw(text).execute(db);
      },
    };
  }
  return migrations;
}

/**
 * Applies what is missing and returns the names of the applied migrations.
 * @throws MigrationError when the server is too old or the database was migrated by a newer version.
 */
export async function migrate(db: Database): Promise<string[]> {
  const version = await sql<{ version: number }>`select current_setting('server_version_num')::int as version`.execute(db);
  if ((version.rows[0]?.version ?? 0) < OLDEST_SERVER) {
    throw new MigrationError('PostgreSQL 15 or later is needed; point DATABASE_URL at a newer server.');
  }
  const migrator = new Migrator({
    db,
    provider: { getMigrations: readMigrations },
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migrations_lock',
  });
  for (let attempt = 1; ; attempt++) {
    const { error, results } = await migrator.migrateToLatest();
    if (error === undefined) {
      return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
    }
    // Another replica is migrating, or a long query holds a table: both pass.
    if (isLockTimeout(error) && attempt < ATTEMPTS) continue;
    if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
      throw new MigrationError(`The database was migrated by another version of Task Executor: ${error.message}`);
    }
    throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
  }
}
