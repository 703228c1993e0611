/**
 * Tasks in the order of their ids, for exports that are resumed later: nothing is passed over for ever. A submission takes its
 * id before it commits, so a reader of the newest ids could step over one that is not visible yet. `readHorizon`, read in a
 * statement before, is a moment that every submission still under way is later than: ids are made from clock_timestamp(),
 * which is never before the start of their transaction.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { idsOf, type TaskFilter } from './filter.js';
import { readPiece, type Piece, type PieceSize } from './piece.js';
import { TASK_BYTES, TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

/** The moment before which no submission is still under way, ISO 8601. */
export async function readHorizon(db: Database): Promise<string> {
  const { rows } = await sql<{ horizon: Date }>`
    select least(now(), (select min(xact_start) from pg_stat_activity
                          where datname = current_database() and usename = current_user and backend_type = 'client backend'
                            and pid <> pg_backend_pid())) as horizon`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('reading the horizon gave no row');
  return row.horizon.toISOString();
}

/** A piece of the tasks that fit, after id `after` and submitted before `horizon`, oldest first. */
export async function readForExport(
  db: Database,
  filter: TaskFilter,
  { after, horizon, ...size }: { after: string | null; horizon: string } & PieceSize,
): Promise<Piece<TaskRow>> {
  const before = filter.createdBefore === null || Date.parse(filter.createdBefore) > Date.parse(horizon) ? horizon : filter.createdBefore;
  return readPiece<TaskRow>(db, sql`
    with page as materialized (${idsOf({ ...filter, createdBefore: before }, { after, descending: false, limit: size.limit + 1 })})
    select ${TASK_COLUMNS} from page join (${TASK_JOINS}) on t.id = page.id`, TASK_BYTES, sql`id`, size);
}
