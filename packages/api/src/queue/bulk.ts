/**
 * Bulk operations: cancelling or retrying every task that fits a filter, piece by piece, by whichever replica comes by. A piece and the
 * note of how far it got are one transaction, so no task is acted on twice. Tasks submitted after the operation are left alone.
 *
 * What is left lies between `place` and `until`. Retries go upwards from `place`, parents before children. Cancels go downwards from
 * `until`, children before parents: the end of a parent would let those run that run anyway, before their turn. A replica of an earlier
 * version cancels upwards, too, and leaves nothing out: each takes from its own end of what is left.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { LIMITS, TERMINAL_STATUSES, type TaskStatus, type components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { cancelMany, type Cancelled } from './cancel.js';
import { NIL_ID } from './cursor.js';
import { idsOf, msFrom, whereAll, type TaskFilter } from './filter.js';
import { readPiece, type Piece } from './piece.js';
import { planRetries } from './retry-plan.js';
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

/** Operations in `state`, or in any, from the newest on, behind the operation `after`: one more than `limit` where there are more. */
export async function listBulk(
  db: Database, { state, after, limit }: { state: string | null; after: string | null; limit: number },
): Promise<BulkRow[]> {
  const conditions = [
    ...(state === null ? [] : [sql`state = ${state}`]),
    ...(after === null ? [] : [sql`(created_at, id) < (select created_at, id from bulk_operations where id = ${after}::uuid)`]),
  ];
  const { rows } = await sql<BulkRow>`
    select * from bulk_operations ${whereAll(conditions)} order by created_at desc, id desc limit ${limit + 1}`.execute(db);
  return rows;
}

/** Whether it was running. What it has done stays done. */
export async function stopBulk(db: Database, id: string): Promise<boolean> {
  const { rows } = await sql`
    update bulk_operations set state = 'stopped', ended_at = now(), updated_at = now()
     where id = ${id}::uuid and state = 'running' returning id`.execute(db);
  return rows.length === 1;
}

/** Puts an operation whose piece failed behind the others. */
export async function putOffBulk(db: Database, id: string): Promise<void> {
  await sql`update bulk_operations set updated_at = clock_timestamp() where id = ${id}::uuid and state = 'running'`.execute(db);
}

/** What was done about the tasks of one piece. */
export interface BulkStep {
  readonly cancelled: Cancelled[];
  readonly submitted: Submitted;
}

/** Whether any bulk operation is under way. */
export const ANY_BULK = sql<boolean>`exists (select from bulk_operations where state = 'running')`;

/** What a dependency of a task that is retried counts for among its bytes: a piece has no more of them than a workflow may have. */
const DEPENDENCY_BYTES = Math.floor(LIMITS.maxBulkBodyBytes / LIMITS.maxSubmittedDependencies);

/** The tasks that the next piece of `row` looks at, in the order in which it does. A retry reads them whole. */
function readNext(db: Database, row: BulkRow, filter: TaskFilter, limit: number): Promise<Piece<{ id: string }>> {
  const place = row.place ?? NIL_ID;
  const size = { limit, bytes: LIMITS.maxBulkBodyBytes };
  if (row.action === 'cancel') {
    const ids = idsOf(filter, { after: row.until, descending: true, limit: limit + 1 });
    return readPiece(db, sql`select id from (${ids}) as ids where id > ${place}::uuid`, sql`0`, sql`id desc`, size);
  }
  const ids = idsOf(filter, { after: place, descending: false, limit: limit + 1 });
  return readPiece(db, sql`
    select id, ${TASK_BYTES} + ${DEPENDENCY_BYTES} * (select count(*) from dependencies d where d.task_id = page.id) as bytes
      from (with page as materialized (select id from (${ids}) as ids where id < ${row.until}::uuid)
            select ${TASK_COLUMNS} from page join (${TASK_JOINS}) on t.id = page.id) as page`,
  sql`bytes`, sql`id`, size);
}

/** The id of the first or the last task of `workflows`; null where there are none of these. */
async function edgeOf(db: Database, workflows: readonly string[], edge: 'first' | 'last'): Promise<string | null> {
  if (workflows.length === 0) return null;
  const direction = edge === 'first' ? sql`asc` : sql`desc`;
  // Each workflow by itself: for several at once the planner may walk over all tasks that were submitted since.
  const { rows: [task] } = await sql<{ id: string }>`
    select e.id
      from unnest(${[...new Set(workflows)]}::uuid[]) as w (id)
     cross join lateral (select t.id from tasks t where t.workflow_id = w.id order by t.id ${direction} limit 1) as e
     order by e.id ${direction} limit 1`.execute(db);
  if (task === undefined) throw new Error('a workflow without tasks');
  return task.id;
}

/** Tasks to be cancelled, and the new `until`. */
interface CancelPiece {
  readonly ids: string[];
  readonly until: string;
}

/**
 * The tasks `newest`; and where one of their children comes before them, since a workflow had it written down before its parent, also what
 * fits back to the start of that workflow. A child that is not of the workflow (the database's clock was set back) is not looked for.
 */
async function readToCancel(db: Database, row: BulkRow, filter: TaskFilter, newest: readonly string[]): Promise<CancelPiece> {
  const ids = [...newest];
  let until = ids.at(-1) ?? row.until;
  for (;;) {
    const { rows: split } = await sql<{ workflow_id: string }>`
      select distinct t.workflow_id
        from queue q join tasks t on t.id = q.task_id
       where q.task_id = any (${ids}::uuid[]) and q.has_dependents and t.workflow_id is not null
         and exists (select from open_dependencies d where d.parent_id = q.task_id and d.task_id < ${until}::uuid)`.execute(db);
    const start = await edgeOf(db, split.map(({ workflow_id: workflow }) => workflow), 'first');
    if (start === null || start >= until) return { ids, until };
    const { rows: more } = await sql<{ id: string }>`
      select id from (${idsOf(sinceTheMomentOf(filter, start), { after: until, descending: true, limit: Number.MAX_SAFE_INTEGER })}) as ids
       where id >= ${start}::uuid and id > ${row.place ?? NIL_ID}::uuid`.execute(db);
    ids.push(...more.map(({ id }) => id));
    until = start;
  }
}

/** The filter without what was submitted in an earlier millisecond than the task `id`. */
function sinceTheMomentOf(filter: TaskFilter, id: string): TaskFilter {
  const from = createdAtOf(id).toISOString();
  return filter.createdFrom !== null && msFrom(filter.createdFrom) > msFrom(from) ? filter : { ...filter, createdFrom: from };
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
    const split = rows.filter(({ parents }) => parents.some(({ parent_id: parent }) => parent > place)).map((task) => task.workflow_id);
    const end = await edgeOf(db, split.filter((workflow) => workflow !== null), 'last');
    if (end === null || end <= place) return { rows, place };
    const { rows: more } = await sql<{ id: string }>`
      select id from (${idsOf(untilTheMomentOf(filter, end), { after: place, descending: false, limit: Number.MAX_SAFE_INTEGER })}) as ids
       where id <= ${end}::uuid and id < ${row.until}::uuid`.execute(db);
    rows.push(...await readRetried(db, more.map(({ id }) => id)));
    place = end;
  }
}

/** The filter without what was submitted in a later millisecond than the task `id`. */
function untilTheMomentOf(filter: TaskFilter, id: string): TaskFilter {
  const before = new Date(createdAtOf(id).getTime() + 1).toISOString();
  return filter.createdBefore !== null && msFrom(filter.createdBefore) < msFrom(before) ? filter : { ...filter, createdBefore: before };
}

/** A step, and what is left after it; null: as it was. */
interface Advance extends BulkStep {
  readonly examined: number;
  readonly place: string | null;
  readonly until: string | null;
}

const NO_TASKS: Submitted = { rows: [], created: [], parentsEnded: false };
const NO_ADVANCE: Advance = { cancelled: [], submitted: NO_TASKS, examined: 0, place: null, until: null };

async function advanceCancel(db: Database, row: BulkRow, filter: TaskFilter, found: readonly string[]): Promise<Advance> {
  const { ids, until } = await readToCancel(db, row, filter, found);
  return { ...NO_ADVANCE, cancelled: await cancelMany(db, ids), examined: ids.length, until };
}

async function advanceRetry(db: Database, row: BulkRow, filter: TaskFilter, found: readonly string[], ageingMs: number): Promise<Advance> {
  // One at a time: else two operations that come to a task at once would both find it not retried yet.
  await sql`select pg_advisory_xact_lock(hashtext('task_executor.bulk_retry'))`.execute(db);
  const { rows, place } = await readToRetry(db, row, filter, found);
  // The newest retry of a task stands for it: it has the same labels, and may have completed.
  const again = rows.filter((task) => task.completed_at !== null && !task.is_retried);
  const submitted = await submitRetries(db, ageingMs, again, await planRetries(db, again));
  return { ...NO_ADVANCE, submitted, examined: rows.length, place };
}

/**
 * Does the next piece of the operation that has waited longest, but for those in `except`; within a transaction. A piece is of up to `most`
 * tasks; that of a retry has no more bytes than a body may bring, and no more dependencies than a workflow may have. Null: no operation is
 * running, or others are at them.
 */
export async function advanceBulk(
  transaction: Database,
  ageingMs: number,
  most: number,
  except: readonly string[] = [],
  onTaken: (id: string) => void = () => undefined,
): Promise<BulkStep | null> {
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
  let advance = NO_ADVANCE;
  if (ids.length > 0 && filter !== null) {
    advance = row.action === 'cancel'
      ? await advanceCancel(transaction, row, filter, ids)
      : await advanceRetry(transaction, row, filter, ids, ageingMs);
  }
  const { cancelled, submitted, examined, place, until } = advance;
  const changed = cancelled.length + submitted.created.filter((created) => created).length;
  const { rows: noted } = await sql`
    update bulk_operations
       set place = coalesce(${place}::uuid, place), until = coalesce(${until}::uuid, until),
           examined = examined + ${examined}, changed = changed + ${changed}, updated_at = clock_timestamp(),
           state = case when ${!hasMore} then 'done' else state end,
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
