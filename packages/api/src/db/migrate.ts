/**
 * Brings a database to the newest schema: the files of migrations/, in the order of their names, each once. Safe when several
 * replicas start at once, through a pooler too: everything happens in one transaction, which holds a lock from its first statement
 * on. (kysely's migrator takes a lock of the session, which a pooler in transaction mode would give to one connection and take from
 * another, and waits for it longer than `statement_timeout` lets it.)
 */
import { readdir, readFile } from 'node:fs/promises';
import { sql, type Transaction } from 'kysely';
import type { Database } from './database.js';
import { isLockTimeout } from './errors.js';

const FOLDER = new URL('../../migrations/', import.meta.url);
/** Each waits for a lock as long as `lock_timeout` says. */
const ATTEMPTS = 12;
const OLDEST_SERVER = 150_000;
/** The number that kysely's migrator locks, so that replicas of versions that use it are kept out too. */
const LOCK_ID = '3853314791062309107';

/** A database that cannot be used as it is; the message says what to do. */
export class MigrationError extends Error {}

/** The names of the migrations that there are, in their order. */
async function knownMigrations(): Promise<string[]> {
  return (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).map((name) => name.replace(/\.sql$/, '')).sort();
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
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(migrateIn);
    } catch (error) {
      // Another replica is migrating, or a long query holds a table: both pass.
      if (!isLockTimeout(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function migrateIn(transaction: Transaction<unknown>): Promise<string[]> {
  await sql`select pg_advisory_xact_lock(${LOCK_ID}::bigint)`.execute(transaction);
  const known = await knownMigrations();
  const done = await doneMigrations(transaction);
  const unknown = done.filter((name, n) => name !== known[n]);
  if (unknown.length > 0) {
    const what = unknown.join(', ');
    throw new MigrationError(`The database was migrated by another version of Task Executor, which knows ${what}: start that or a later one.`);
  }
  const missing = known.slice(done.length);
  for (const name of missing) {
    await sql.raw(await readFile(new URL(`${name}.sql`, FOLDER), 'utf8')).execute(transaction);
    await sql`insert into schema_migrations (name, timestamp) values (${name}, ${new Date().toISOString()})`.execute(transaction);
  }
  return missing;
}

/** The names of the migrations that were applied, in their order. */
async function doneMigrations(transaction: Transaction<unknown>): Promise<string[]> {
  // Asked first: a role that may not create tables can start where there is nothing to create.
  const { rows: [table] } = await sql<{ exists: boolean }>`select to_regclass('schema_migrations') is not null as exists`.execute(transaction);
  if (table?.exists !== true) {
    await sql`create table schema_migrations (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(transaction);
  }
  const { rows } = await sql<{ name: string }>`select name from schema_migrations order by name collate "C"`.execute(transaction);
  return rows.map(({ name }) => name);
}
