/**
 * Databases as earlier versions left them: their migrations, and after each the data (support/earlier) of the version that brought it,
 * so that a database of a level has lived through all levels before.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { migrate } from '../../src/db/migrate.js';
import { createEmptyDatabase, type TestDatabase } from './database.js';

const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));
const DATA = fileURLToPath(new URL('earlier/', import.meta.url));
const log = pino({ level: 'silent' });

/** The names of all migrations, without the ending. */
export const NAMES = readdirSync(MIGRATIONS).sort().map((name) => name.replace(/\.sql$/, ''));

export interface MigrationFolder {
  readonly url: URL;
  remove(): Promise<void>;
}

/** A folder with the first `count` of our migrations, for more to be put beside them. */
export function folderOf(count: number): MigrationFolder & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'task-executor-migrations-'));
  for (const name of NAMES.slice(0, count)) copyFileSync(join(MIGRATIONS, `${name}.sql`), join(path, `${name}.sql`));
  return { path, url: pathToFileURL(`${path}/`), remove: () => rm(path, { recursive: true }) };
}

/** Runs a text of statements in one transaction. */
export async function runSql(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** A database at migration `level` (from 1), with data. */
export async function createEarlierDatabase(level: number): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  for (let at = 1; at <= level; at++) {
    const folder = folderOf(at);
    await migrate({ databaseUrl: database.url, log, folder: folder.url });
    await folder.remove();
    const data = join(DATA, `${String(at).padStart(4, '0')}.sql`);
    if (!existsSync(data)) continue;
    await runSql(database.url, readFileSync(data, 'utf8'));
    await runSql(database.url, readFileSync(join(DATA, 'counts.sql'), 'utf8'));
  }
  return database;
}
