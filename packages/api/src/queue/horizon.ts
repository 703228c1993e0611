/**
 * How far a reader of ids or ends may go without stepping over one that is not visible yet: a submission takes its id, and an end its
 * moment, before it commits. Both are made from clock_timestamp(), which is never before the start of their transaction. (An end is
 * rounded to whole milliseconds, but so is the horizon, and always down.)
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

/** The moment before which no submission and no end is still under way, ISO 8601. */
export async function readHorizon(db: Database): Promise<string> {
  const { rows } = await sql<{ horizon: Date }>`
    select least(now(), (select min(xact_start) from pg_stat_activity
                          where datname = current_database() and usename = current_user and backend_type = 'client backend'
                            and pid <> pg_backend_pid())) as horizon`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('reading the horizon gave no row');
  return row.horizon.toISOString();
}
