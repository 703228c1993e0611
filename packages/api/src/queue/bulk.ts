/**
 * Bulk operations: cancelling or retrying every task that fits a filter, piece by piece in the order of ids, by whichever replica
 * comes by. A piece and the note of how far it got are one transaction, so no task is acted on twice. Tasks submitted after the
 * operation are left alone.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { LIMITS, TERMINAL_STATUSES, type TaskStatus, type components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { cancelMany, type Cancelled } from './cancel.js';
import { idsOf, leastIdAt, msFrom, type TaskFilter } from './filter.js';
import { readPiece, type Piece as Found } from './piece.js';
import { planRetries } from './lines.js';
import { readRetried, type RetriedRow } from './retry.js';
import { submitRetries } from './retry-many.js';
import { createdAtOf } from './submission.js';
import type { Submitted } from './submit.js';
import { TASK_BYTES, TASK_COLUMNS, TASK_JOINS } from './task.js';

export interface BulkRow {
  id: string;
  action: 'cancel' | 'retry';
  filter: TaskFilter;
  state: 'running' | 'done' | 'stopped';
  place: string | null;
  until: string;
  examined: number;
  changed: number;
  created_at: Date;
  updated_at: Date;
  ended_at: Date | null;
}

/** The filter with the statuses that an action is about, as far as it has them. Null: it has none of them, so no task is meant. */
export function narrowed(action: BulkRow['action'], filter: TaskFilter): TaskFilter | null {
  const able: readonly TaskStatus[] = action === 'cancel' ? ['pending', 'running'] : TERMINAL_STATUSES;
  const wanted: readonly TaskStatus[] = action === 'cancel' ? able : ['failed', 'timeout', 'cancelled'];
  const statuses = filter.statuses.length === 0 ? wanted : filter.statuses.filter((status) => able.includes(status));
  // A filter without statuses would mean all of them.
  return statuses.length === 0 ? null : { ...filter, statuses };
}

/** The new operation, or null where too many are running. */
export async function createBulk(db: Database, action: BulkRow['action'], filter: TaskFilter): Promise<BulkRow | null> {
  const { rows } = await sql<BulkRow>`
    insert into bulk_operations (id, action, filter, state, until, created_at, updated_at)
    select ${randomUUID()}::uuid, ${action}, ${JSON.stringify(filter)}::json, 'running', uuid_v7(clock_timestamp()), now(), now()
     where (select count(*) from bulk_operations where state = 'running') < ${LIMITS.maxBulkOperations}
    returning *`.execute(db);
  return rows[0] ?? null;
}

export async function findBulk(db: Database, id: string): Promise<BulkRow | null> {
  const { rows } = await sql<BulkRow>`select * from bulk_operations where id = ${id}::uuid`.execute(db);
  return rows[0] ?? null;
}

/** Whether it was running. What it has done stays done. */
export async function stopBulk(db: Database, id: string): Promise<boolean> {
  const { rows } = await sql`
    update bulk_operations set state = 'stopped', ended_at = now(), updated_at = now()
     where id = ${id}::uuid and state = 'running' returning id`.execute(db);
  return rows.length === 1;
}

/** Lets the others go first: for one whose piece failed. */
export async function putOffBulk(db: Database, id: string): Promise<void> {
  await sql`update bulk_operations set updated_at = clock_timestamp() where id = ${id}::uuid and state = 'running'`.execute(db);
}

/** What one piece did. */
export interface Piece {
  readonly cancelled: Cancelled[];
  readonly submitted: Submitted;
}

const NOTHING: Submitted = { rows: [], created: [], parentsEnded: false };

/** Whether any bulk operation is under way. */
export const ANY_BULK = sql<boolean>`exists (select from bulk_operations where state = 'running')`;

/** The tasks that the next piece of `row` looks at. A retry reads them whole. */
function readNext(db: Database, row: BulkRow, filter: TaskFilter, limit: number): Promise<Found<{ id: string }>> {
  const after = row.place ?? leastIdAt('1970-01-01T00:00:00Z');
  const ids = sql`select id from (${idsOf(filter, { after, descending: false, limit: limit + 1 })}) as ids where id < ${row.until}::uuid`;
  const [source, bytes] = row.action === 'cancel'
    ? [ids, sql<number>`0`]
    : [sql`with page as materialized (${ids}) select ${TASK_COLUMNS} from page join (${TASK_JOINS}) on t.id = page.id`, TASK_BYTES];
  return readPiece(db, sql`select id, ${bytes} as bytes from (${source}) as page`, sql`bytes`, sql`id`, { limit, bytes: LIMITS.maxBulkBodyBytes });
}

/** Rows to be retried, up to `place` in the order of ids. */
interface RetryPiece {
  readonly rows: RetriedRow[];
  readonly place: string;
}

/**
 * The tasks `ids`, whole. The tasks of a workflow have ids in the order in which they were written down, where a child may come before
 * its parent; then the piece goes on to the end of the workflow, which was submitted within a few milliseconds. A parent beyond that end
 * (the database's clock was set back) is not waited for.
 */
async function readToRetry(db: Database, row: BulkRow, filter: TaskFilter, ids: readonly string[]): Promise<RetryPiece> {
  const rows = await readRetried(db, ids);
  let place = ids.at(-1) ?? '';
  for (;;) {
    const split = rows.flatMap(({ workflow_id: workflow, parents }) => (workflow !== null && parents.some(({ parent_id: parent }) => parent > place) ? [workflow] : []));
    if (split.length === 0) return { rows, place };
    // Each workflow by itself: for several at once the planner may walk back over all tasks that were submitted since.
    const { rows: [end] } = await sql<{ id: string }>`
      select e.id
        from unnest(${[...new Set(split)]}::uuid[]) as w (id)
       cross join lateral (select t.id from tasks t where t.workflow_id = w.id order by t.id desc limit 1) as e
       order by e.id desc limit 1`.execute(db);
    if (end === undefined) throw new Error('a workflow without tasks');
    if (end.id <= place) return { rows, place };
    const { rows: more } = await sql<{ id: string }>`
      select id from (${idsOf(untilTheMomentOf(filter, end.id), { after: place, descending: false, limit: Number.MAX_SAFE_INTEGER })}) as ids
       where id <= ${end.id}::uuid and id < ${row.until}::uuid`.execute(db);
    rows.push(...await readRetried(db, more.map(({ id }) => id)));
    place = end.id;
  }
}

/** The filter without what was submitted in a later millisecond than the task `id`. */
function untilTheMomentOf(filter: TaskFilter, id: string): TaskFilter {
  const before = new Date(createdAtOf(id).getTime() + 1).toISOString();
  return filter.createdBefore !== null && msFrom(filter.createdBefore) < msFrom(before) ? filter : { ...filter, createdBefore: before };
}

/**
 * In a transaction: does the next piece, which looks at up to `most` tasks, of the operation that has waited longest, but for those in
 * `except`. One that retries takes no more bytes of them than a body may bring. Null: none is running, or others are at them.
 */
export async function advanceBulk(
  transaction: Database,
  ageingMs: number,
  most: number,
  except: readonly string[] = [],
  onTaken: (id: string) => void = () => undefined,
): Promise<Piece | null> {
  const { rows } = await sql<BulkRow>`
    select * from bulk_operations
     where state = 'running' and not (id = any (${except}::uuid[]))
     order by updated_at
     limit 1
       for update skip locked`.execute(transaction);
  const [row] = rows;
  if (row === undefined) return null;
  onTaken(row.id);
  const filter = narrowed(row.action, row.filter);
  const { rows: found, hasMore } = filter === null ? { rows: [], hasMore: false } : await readNext(transaction, row, filter, most);
  const ids = found.map(({ id }) => id);
  let examined = ids.length;
  let place = ids.at(-1) ?? null;
  let cancelled: Cancelled[] = [];
  let submitted = NOTHING;
  if (ids.length > 0 && row.action === 'cancel') cancelled = await cancelMany(transaction, ids);
  if (ids.length > 0 && filter !== null && row.action === 'retry') {
    const piece = await readToRetry(transaction, row, filter, ids);
    const ended = piece.rows.filter((task) => task.completed_at !== null);
    submitted = await submitRetries(transaction, ageingMs, ended, await planRetries(transaction, ended));
    examined = piece.rows.length;
    place = piece.place;
  }
  const changed = cancelled.length + submitted.created.filter((created) => created).length;
  const { rows: noted } = await sql`
    update bulk_operations
       set place = coalesce(${place}::uuid, place), examined = examined + ${examined}, changed = changed + ${changed},
           updated_at = clock_timestamp(), state = case when ${!hasMore} then 'done' else state end,
           ended_at = case when ${!hasMore} then clock_timestamp() end
     where id = ${row.id}::uuid and state = 'running'
    returning id`.execute(transaction);
  if (noted.length !== 1) throw new Error('a bulk operation was ended under its lock');
  return { cancelled, submitted };
}

/** The contract's bulk operation of a row. */
export function toBulk(row: BulkRow): components['schemas']['BulkOperation'] {
  return {
    id: row.id,
    action: row.action,
    state: row.state,
    examined: row.examined,
    changed: row.changed,
    skipped: row.examined - row.changed,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}
