/**
 * Tasks one after another, for exports that are resumed later: nothing is passed over for ever. There are two walks. A filter that
 * means ended tasks only goes by their ends, so that a slow task is not left behind by quick ones that were submitted after it; any
 * other goes by submission, and comes to each task once, however it stands then.
 *
 * A submission takes its id, and an end its moment, before it commits, so a reader of the newest could step over one that is not
 * visible yet. So it reads up to a horizon, which it has read in a statement before (queue/horizon).
 */
import { sql, type RawBuilder } from 'kysely';
import { TERMINAL_STATUSES, type TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { CursorError, decodeCursor, encodeCursor, idIn } from './cursor.js';
import { endedSources, idsOf, msFrom, queuedSources, whereAll, type TaskFilter } from './filter.js';
import { readPiece, type Piece, type PieceSize } from './piece.js';
import { TASK_BYTES, TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

export type Walk = 'by submission' | 'by end';

/** The place after a task: its id, and in a walk by end the moment of its end, in whole milliseconds as the database has it. */
export interface Place {
  readonly id: string;
  readonly endedAtMs: number | null;
}

const TERMINAL: readonly TaskStatus[] = TERMINAL_STATUSES;

/** The walk of a filter: by end where nothing that it means is in the queue. */
export function walkOf(filter: TaskFilter): Walk {
  return queuedSources(filter, null).length === 0 ? 'by end' : 'by submission';
}

export function placeAt(row: TaskRow, walk: Walk): Place {
  return { id: row.id, endedAtMs: walk === 'by end' ? row.completed_at?.getTime() ?? null : null };
}

/** The cursor of a place: of one part in a walk by submission, of two by end. */
export function toCursor({ id, endedAtMs }: Place): string {
  return encodeCursor(endedAtMs === null ? [id] : [id, endedAtMs]);
}

/** The place of a cursor of this walk. @throws CursorError */
export function placeOf(cursor: string | null, walk: Walk): Place | null {
  if (cursor === null) return null;
  const [first, endedAtMs] = decodeCursor(cursor, 1, 2);
  const id = idIn(first);
  if (endedAtMs === undefined) {
    if (walk === 'by submission') return { id, endedAtMs: null };
    throw new CursorError('the cursor is of an export in the order of submission, and tasks that have ended are exported in the order in which '
      + 'they ended; begin without it, or give the filters that it came from');
  }
  if (typeof endedAtMs !== 'number' || endedAtMs < 0) throw new CursorError();
  if (walk === 'by end') return { id, endedAtMs };
  throw new CursorError('the cursor is of an export of ended tasks, in the order in which they ended, and these filters mean others too; '
    + 'begin without it, or give the filters that it came from');
}

interface Reach extends PieceSize {
  readonly after: Place | null;
  readonly horizon: string;
}

/** A piece of the tasks that fit, after the place `after` and before `horizon`, in the order of the filter's walk. */
export async function readForExport(db: Database, filter: TaskFilter, reach: Reach): Promise<Piece<TaskRow>> {
  const isByEnd = walkOf(filter) === 'by end';
  return readPiece<TaskRow>(db, sql`
    with page as materialized (${isByEnd ? idsByEnd(filter, reach) : idsBySubmission(filter, reach)})
    select ${TASK_COLUMNS} from page join (${TASK_JOINS}) on t.id = page.id`,
  TASK_BYTES, isByEnd ? sql`completed_at, id` : sql`id`, reach);
}

function idsBySubmission(filter: TaskFilter, { after, horizon, limit }: Reach): RawBuilder<{ id: string }> {
  const before = filter.createdBefore === null || msFrom(filter.createdBefore) > msFrom(horizon) ? horizon : filter.createdBefore;
  return idsOf({ ...filter, createdBefore: before }, { after: after?.id ?? null, descending: false, limit: limit + 1 });
}

/** Reads one source for all statuses: one for each would read on through the ends of the others, page by page, for what it has few of. */
function idsByEnd(filter: TaskFilter, { after, horizon, limit }: Reach): RawBuilder<{ id: string }> {
  const given = [sql`o.ended_at < ${horizon}::timestamptz`];
  const ended = filter.statuses.filter((status) => TERMINAL.includes(status));
  if (filter.statuses.length > 0) given.push(sql`o.status = any (${ended}::text[])`);
  if (after !== null) {
    const endedAt = sql`timestamptz 'epoch' + ${after.endedAtMs}::bigint * interval '1 millisecond'`;
    given.push(sql`(o.ended_at, o.task_id) > (${endedAt}, ${after.id}::uuid)`);
  }
  const [source] = endedSources({ ...filter, statuses: [] }, sql`o.ended_at`, given);
  if (source === undefined) throw new Error('there is no source of ended tasks');
  return sql`select ${source.id} as id from ${source.from} ${whereAll(source.where)} order by o.ended_at, ${source.id} limit ${limit + 1}`;
}
