/**
 * Lists of tasks. A list is merged from sources (see queue/filter), each read in the wanted order through an index and only as
 * far as the page needs, so a page costs the same however many tasks there are. The sort key created_at is the id itself: ids
 * sort by submission.
 */
import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { CursorError, decodeCursor, encodeCursor, idIn } from './cursor.js';
import { endedSources, idsOf, matching, queuedSources, whereAll, type Source, type TaskFilter } from './filter.js';
import { readPiece } from './piece.js';
import { endedOf, pendingOf, readTotals } from './stats.js';
import { TASK_BYTES, TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

export type SortKey = 'created_at' | 'updated_at' | 'started_at' | 'completed_at';

export interface ListRequest {
  readonly filter: TaskFilter;
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

/** Thrown where a page by its number would be too large. A shorter one would hide tasks from whoever asks for the next number. */
export class PageTooLarge extends Error {
  /** How many tasks would fit. */
  readonly fitting: number;

  constructor(fitting: number) {
    super(`the first ${fitting} tasks of the page fit`);
    this.fitting = fitting;
  }
}

/** Whether `key` is a sort key as a cursor has it. Date.parse takes much that PostgreSQL refuses, such as 30 February. */
function isMoment(key: string): boolean {
  return /^[1-9]\d{3}-/.test(key) && !Number.isNaN(Date.parse(key)) && new Date(key).toISOString() === key;
}

interface Place {
  readonly key: string | null;
  readonly id: string;
}

/** What a list by anything but the id is merged from. */
function sourcesOf({ filter, sort }: { filter: TaskFilter; sort: Exclude<SortKey, 'created_at'> }): Source[] {
  const queued = (key: RawBuilder<unknown> | null, ...where: RawBuilder<unknown>[]): Source[] => queuedSources(filter, key, where);
  const ended = (key: RawBuilder<unknown> | null, ...where: RawBuilder<unknown>[]): Source[] => endedSources(filter, key, where);
  switch (sort) {
    case 'updated_at':
      return [...queued(sql`q.updated_at`), ...ended(sql`o.ended_at`)];
    case 'completed_at':
      return [...ended(sql`o.ended_at`), ...queued(null)];
    case 'started_at':
      return [
        ...queued(sql`q.started_at`, sql`q.state = 'running'`),
        ...ended(sql`o.started_at`, sql`o.started_at is not null`),
        ...queued(null, sql`q.state <> 'running'`),
        ...ended(null, sql`o.started_at is null`),
      ];
  }
}

function afterPlace(source: Source, place: Place, descending: boolean): RawBuilder<unknown>[] | null {
  const beyond = descending ? sql`<` : sql`>`;
  if (source.key === null) return place.key === null ? [sql`${source.id} ${beyond} ${place.id}::uuid`] : [];
  if (place.key === null) return null;
  return [sql`(${source.key}, ${source.id}) ${beyond} (${place.key}::timestamptz, ${place.id}::uuid)`];
}

/** What a cursor belongs to, in few characters. */
function filtersOf({ filter, descending, sort }: ListRequest): string {
  return createHash('sha256').update(JSON.stringify([filter, descending, sort])).digest('base64url').slice(0, 16);
}

/**
 * One page. It has no more bytes than LIMITS.maxPageBytes or one task; after a cursor it is then shorter, and goes on with the next.
 * @throws CursorError, PageTooLarge
 */
export async function listTasks(db: Database, request: ListRequest): Promise<TaskPage> {
  let place: Place | null = null;
  let page = request.page;
  if (request.cursor !== null) {
    const [filters, key, task, cursorPage] = decodeCursor(request.cursor, 4);
    const fits = filters === filtersOf(request)
      && typeof cursorPage === 'number' && (key === null || (typeof key === 'string' && isMoment(key)));
    if (!fits) throw new CursorError('the cursor belongs to other filters or another sort; begin without it');
    const id = idIn(task);
    place = { key, id };
    page = cursorPage;
  }
  const offset = request.cursor === null ? (request.page - 1) * request.pageSize : 0;
  const wanted = offset + request.pageSize + 1;
  const direction = request.descending ? sql`desc` : sql`asc`;
  const { filter, sort, descending } = request;
  const parts = sort === 'created_at'
    ? [sql`(select id, null::timestamptz as key from (${idsOf(filter, { after: place?.id ?? null, descending, limit: wanted })}) as ids)`]
    : sourcesOf({ filter, sort }).flatMap((source) => {
      const after = place === null ? [] : afterPlace(source, place, descending);
      if (after === null) return [];
      const order = source.key === null ? sql`${source.id} ${direction}` : sql`${source.key} ${direction}, ${source.id} ${direction}`;
      return [sql`(select ${source.id} as id, (${source.key ?? sql`null`})::timestamptz as key from ${source.from}
        ${whereAll([...source.where, ...after])} order by ${order} limit ${wanted})`];
    });
  if (parts.length === 0) return { rows: [], page, nextCursor: null };

  const order = sql`key ${direction} nulls last, id ${direction}`;
  const { rows, hasMore, isCut } = await readPiece<TaskRow & { key: Date | null }>(db, sql`
    with page as materialized (
      select id, key from (${sql.join(parts, sql` union all `)}) as merged
       order by ${order} offset ${offset} limit ${request.pageSize + 1}
    )
    select ${TASK_COLUMNS}, page.key from page join (${TASK_JOINS}) on t.id = page.id`,
  TASK_BYTES, order, { limit: request.pageSize, bytes: LIMITS.maxPageBytes });
  if (isCut && request.cursor === null) throw new PageTooLarge(rows.length);

  const last = rows.at(-1);
  const nextCursor = hasMore && last !== undefined
    ? encodeCursor([filtersOf(request), last.key?.toISOString() ?? null, last.id, page + 1])
    : null;
  return { rows, page, nextCursor };
}

/**
 * How many tasks fit the filters: exact from totals for no filter or one; for several counted up to
 * LIMITS.maxCountedTasks, then a lower bound.
 */
export async function countTasks(db: Database, request: ListRequest): Promise<{ total: number; lowerBound: boolean }> {
  const { statuses, problemId, workerId, ...rest } = request.filter;
  const others = Object.values(rest).filter((value) => value !== null && (!Array.isArray(value) || value.length > 0)).length;
  const given = (statuses.length > 0 ? 1 : 0) + (problemId === null ? 0 : 1) + (workerId === null ? 0 : 1);
  if (others === 0 && given <= 1) {
    const totals = await readTotals(db, problemId !== null ? { problemId } : workerId !== null ? { workerId } : 'all');
    if (workerId !== null) return { total: endedOf(totals) + totals.running, lowerBound: false };
    if (statuses.length === 0) return { total: totals.submitted, lowerBound: false };
    const total = [...new Set(statuses)].reduce((sum, status) => sum + (status === 'pending' ? pendingOf(totals) : totals[status]), 0);
    return { total, lowerBound: false };
  }
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from (${matching(request.filter, LIMITS.maxCountedTasks + 1)}) as counted`.execute(db);
  const total = rows[0]?.total ?? 0;
  return { total: Math.min(total, LIMITS.maxCountedTasks), lowerBound: total > LIMITS.maxCountedTasks };
}
