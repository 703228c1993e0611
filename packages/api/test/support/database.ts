/**
 * A database of its own for each test file, cloned from a migrated template on the server of TEST_DATABASE_URL. The
 * template's name holds a hash of the migrations, so a new schema gets a new one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { pino } from 'pino';
import { migrate } from '../../src/db/migrate.js';

const MIGRATIONS = new URL('../../migrations/', import.meta.url);
/** Serialises the making of the template, and the cloning, between test files. */
const LOCK = 7_361_001;

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

function serverUrl(database: string): string {
  const given = process.env.TEST_DATABASE_URL;
  if (given === undefined) throw new Error('TEST_DATABASE_URL is not set: run the tests with `npm test`, or set it to a PostgreSQL server');
  const url = new URL(given);
  url.pathname = `/${database}`;
  return url.href;
}

function templateName(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(MIGRATIONS).sort()) hash.update(readFileSync(new URL(name, MIGRATIONS)));
  return `task_executor_template_${hash.digest('hex').slice(0, 12)}`;
}

async function withAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: serverUrl('postgres') });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1)', [LOCK]);
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** A migrated database. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = templateName();
  const name = `task_executor_test_${randomBytes(6).toString('hex')}`;
  await withAdmin(async (admin) => {
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [template]);
    if (rowCount === 0) {
      const making = `${template}_making`;
      await admin.query(`drop database if exists ${making} with (force)`);
      await admin.query(`create database ${making}`);
      await migrate({ databaseUrl: serverUrl(making), log: pino({ level: 'silent' }) });
      await admin.query(`alter database ${making} rename to ${template}`);
    }
    await admin.query(`create database ${name} template ${template}`);
  });
  return {
    url: serverUrl(name),
    drop: () => withAdmin(async (admin) => {
      await admin.query(`drop database if exists ${name} with (force)`);
    }),
  };
}

/** An empty database that nobody has migrated. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `task_executor_test_${randomBytes(6).toString('hex')}`;
  await withAdmin((admin) => admin.query(`create database ${name}`));
  return {
    url: serverUrl(name),
    drop: () => withAdmin(async (admin) => {
      await admin.query(`drop database if exists ${name} with (force)`);
    }),
  };
}

/** Empties every table but those of the migrations, which takes the triggers that refuse it out of the way for that time. */
export async function emptyDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(`
      select format('%I', tablename) as name from pg_tables where schemaname = 'public' and tablename not like 'schema_migrations%' order by 1`);
    const tables = rows.map(({ name }) => name);
    await client.query([
      'begin',
      ...tables.map((name) => `alter table ${name} disable trigger user`),
      `truncate ${tables.join(', ')}`,
      ...tables.map((name) => `alter table ${name} enable trigger user`),
      'commit',
    ].join(';'));
  } finally {
    await client.end();
  }
}
