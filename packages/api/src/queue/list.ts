/**
 * Lists of tasks. A list is merged from sources (queue rows, outcomes, or tasks where neither matters), each read in the
 * wanted order through an index and only as far as the page needs, so a page costs the same however many tasks there are.
 * The sort key created_at is the id itself: ids sort by submission.
 */
import { sql, type RawBuilder } from 'kysely';
import { LIMITS, TERMINAL_STATUSES, type TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { CursorError, decodeCursor, encodeCursor } from './cursor.js';
import { endedOf, pendingOf, readTotals } from './stats.js';
import { TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

export type SortKey = 'created_at' | 'updated_at' | 'started_at' | 'completed_at';

export interface ListRequest {
  readonly status: TaskStatus | null;
  readonly problemId: string | null;
  readonly workerId: string | null;
  readonly sort: SortKey;
  readonly descending: boolean;
  readonly pageSize: number;
  /** From 1; not used with a cursor. */
  readonly page: number;
  readonly cursor: string | null;
}

export interface TaskPage {
  readonly rows: TaskRow[];
  readonly page: number;
  readonly nextCursor: string | null;
}

interface Place {
  readonly key: string | null;
  readonly id: string;
}

/** Rows with an id and a sort key that is never null, or always. */
interface Source {
  readonly from: RawBuilder<unknown>;
  readonly id: RawBuilder<unknown>;
  readonly key: RawBuilder<unknown> | null;
  readonly where: RawBuilder<unknown>[];
}

const TERMINAL: readonly string[] = TERMINAL_STATUSES;

function sourcesOf(request: ListRequest): Source[] {
  const { status, problemId, workerId, sort } = request;
  if (sort === 'created_at' && status === null && workerId === null) {
    const where = problemId === null ? [] : [sql`t.problem_id = ${problemId}`];
    return [{ from: sql`tasks t`, id: sql`t.id`, key: sql`t.id`, where }];
  }
  const queued = (key: RawBuilder<unknown> | null, ...where: RawBuilder<unknown>[]): Source[] => {
    if (status !== null && TERMINAL.includes(status)) return [];
    if (status !== null) where.push(sql`q.state = ${status}`);
    if (problemId !== null) where.push(sql`q.problem_id = ${problemId}`);
    if (workerId !== null) where.push(sql`q.worker_id = ${workerId}`);
    return [{ from: sql`queue q`, id: sql`q.task_id`, key, where }];
  };
  const ended = (key: RawBuilder<unknown> | null, ...where: RawBuilder<unknown>[]): Source[] => {
    if (status !== null && !TERMINAL.includes(status)) return [];
    if (status !== null) where.push(sql`o.status = ${status}`);
    if (workerId !== null) where.push(sql`o.worker_id = ${workerId}`);
    if (problemId === null) return [{ from: sql`outcomes o`, id: sql`o.task_id`, key, where }];
    where.push(sql`t.problem_id = ${problemId}`);
    return [{ from: sql`outcomes o join tasks t on t.id = o.task_id`, id: sql`o.task_id`, key, where }];
  };
  switch (sort) {
    case 'created_at':
      return [...queued(sql`q.task_id`), ...ended(sql`o.task_id`)];
    case 'updated_at':
      return [...queued(sql`q.updated_at`), ...ended(sql`o.ended_at`)];
    case 'completed_at':
      return [...ended(sql`o.ended_at`), ...queued(null)];
    case 'started_at':
      return [
        ...queued(sql`q.started_at`, sql`q.state = 'running'`),
        ...ended(sql`o.started_at`, sql`o.started_at is not null`),
        ...queued(null, sql`q.state = 'pending'`),
        ...ended(null, sql`o.started_at is null`),
      ];
  }
}

function afterPlace(source: Source, place: Place, request: ListRequest): RawBuilder<unknown>[] | null {
  const beyond = request.descending ? sql`<` : sql`>`;
  if (request.sort === 'created_at') return [sql`${source.id} ${beyond} ${place.id}::uuid`];
  if (source.key === null) return place.key === null ? [sql`${source.id} ${beyond} ${place.id}::uuid`] : [];
  if (place.key === null) return null;
  return [sql`(${source.key}, ${source.id}) ${beyond} (${place.key}::timestamptz, ${place.id}::uuid)`];
}

function filtersOf(request: ListRequest): string {
  return [request.status, request.problemId, request.workerId, request.descending ? '-' : '+', request.sort]
    .map((part) => part ?? '').join(' ');
}

/** One page. @throws CursorError */
export async function listTasks(db: Database, request: ListRequest): Promise<TaskPage> {
  let place: Place | null = null;
  let page = request.page;
  if (request.cursor !== null) {
    const [filters, key, id, cursorPage] = decodeCursor(request.cursor, 4);
    const fits = filters === filtersOf(request) && typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id)
      && typeof cursorPage === 'number' && (key === null || (typeof key === 'string' && !Number.isNaN(Date.parse(key))));
    if (!fits) throw new CursorError('the cursor belongs to other filters or another sort; begin without it');
    place = { key, id };
    page = cursorPage;
  }
  const offset = request.cursor === null ? (request.page - 1) * request.pageSize : 0;
  const wanted = offset + request.pageSize + 1;
  const direction = request.descending ? sql`desc` : sql`asc`;
  const byKey = request.sort !== 'created_at';

  const parts = sourcesOf(request).flatMap((source) => {
    const after = place === null ? [] : afterPlace(source, place, request);
    if (after === null) return [];
    const where = [...source.where, ...after];
    const order = byKey && source.key !== null ? sql`${source.key} ${direction}, ${source.id} ${direction}` : sql`${source.id} ${direction}`;
    const key = byKey ? source.key ?? sql`null` : sql`null`;
    return [sql`(select ${source.id} as id, (${key})::timestamptz as key from ${source.from}
      ${where.length > 0 ? sql`where ${sql.join(where, sql` and `)}` : sql``} order by ${order} limit ${wanted})`];
  });
  if (parts.length === 0) return { rows: [], page, nextCursor: null };

  const { rows } = await sql<TaskRow & { key: Date | null }>`
    with page as materialized (
      select id, key from (${sql.join(parts, sql` union all `)}) as merged
       order by key ${direction} nulls last, id ${direction} offset ${offset} limit ${request.pageSize + 1}
    )
    select ${TASK_COLUMNS}, page.key from page join (${TASK_JOINS}) on t.id = page.id
     order by page.key ${direction} nulls last, t.id ${direction}`.execute(db);

  const shown = rows.slice(0, request.pageSize);
  const last = shown.at(-1);
  const nextCursor = rows.length > request.pageSize && last !== undefined
    ? encodeCursor([filtersOf(request), last.key?.toISOString() ?? null, last.id, page + 1])
    : null;
  return { rows: shown, page, nextCursor };
}

/**
 * How many tasks fit the filters: exact from counters for no filter or one; for several counted up to
 * LIMITS.maxCountedTasks, then a lower bound.
 */
export async function countTasks(db: Database, request: ListRequest): Promise<{ total: number; lowerBound: boolean }> {
  const { status, problemId, workerId } = request;
  const given = [status, problemId, workerId].filter((filter) => filter !== null).length;
  if (given <= 1) {
    const totals = await readTotals(db, {
      ...(problemId === null ? {} : { problemId }), ...(workerId === null ? {} : { workerId }),
    });
    if (workerId !== null) return { total: endedOf(totals) + totals.running, lowerBound: false };
    if (status === null) return { total: totals.submitted, lowerBound: false };
    return { total: status === 'pending' ? pendingOf(totals) : totals[status], lowerBound: false };
  }
  const sources = sourcesOf({ ...request, sort: 'updated_at' });
  const parts = sources.map((source) => sql`
    (select from ${source.from} where ${sql.join(source.where, sql` and `)} limit ${LIMITS.maxCountedTasks + 1})`);
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from (${sql.join(parts, sql` union all `)}) as matching`.execute(db);
  const total = rows[0]?.total ?? 0;
  return { total: Math.min(total, LIMITS.maxCountedTasks), lowerBound: total > LIMITS.maxCountedTasks };
}
