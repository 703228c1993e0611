/**
 * How far a reader of ids or ends may go without stepping over one that is not visible yet: a submission takes its id, and an end its
 * moment, before it commits. Both are made from clock_timestamp(), which is never before the start of their transaction. (An end is
 * rounded to whole milliseconds, but so is the horizon, and always down.)
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { STATEMENT_TIMEOUT_MS } from '../db/settings.js';

/** PostgreSQL may be late to end one. */
const LONGEST_STATEMENT_MS = 2 * STATEMENT_TIMEOUT_MS;

/**
 * The moment before which no submission and no end is still under way, ISO 8601. A transaction counts from its start where it has written.
 * What has not may be about to, in the statement that it runs: ids and moments are made in the statement that stores them. No statement of the
 * service runs for longer than STATEMENT_TIMEOUT_MS; what does, or rests, only reads: a dump holds nothing up.
 */
export async function readHorizon(db: Database): Promise<string> {
  const { rows } = await sql<{ horizon: Date }>`
    select least(now(), (select min(case when backend_xid is not null then xact_start else query_start end) from pg_stat_activity
                          where datname = current_database() and usename = current_user and backend_type = 'client backend'
                            and pid <> pg_backend_pid()
                            and (backend_xid is not null
                                 or (state = 'active' and query_start > now() - ${LONGEST_STATEMENT_MS}::int * interval '1 millisecond'))
                        )) as horizon`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('reading the horizon gave no row');
  return row.horizon.toISOString();
}
