/**
 * Log lines: appended by the attempt that holds the task, numbered without gaps under the task's queue row, read by line
 * number. The row lock makes the order in which batches are accepted the order of their lines.
 */
import { sql } from 'kysely';
import { LIMITS, type LogLevel } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { HOLDS, isTaskOf, RENEWS_LEASE, reporterRow, type Reporter } from './fence.js';
import { jsonBytes, readPiece, type Piece, type PieceSize } from './piece.js';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly context: Record<string, unknown> | null;
  /** ISO 8601, or null for the time of arrival. */
  readonly timestamp: string | null;
}

export type AppendResult =
  | { readonly kind: 'appended'; readonly accepted: number; readonly nextOffset: number }
  /** Nothing was stored: lines before `offset` are missing, or the attempt may log no more. */
  | { readonly kind: 'gap'; readonly expectedOffset: number }
  | { readonly kind: 'full'; readonly expectedOffset: number }
  | { readonly kind: 'not_held' };

/**
 * Appends `entries` to the log of the reporter's attempt. `offset`, where given, is the number of lines of the attempt
 * before the batch: lines that are already there are skipped.
 */
export async function appendLogs(
  db: Database,
  reporter: Reporter,
  entries: readonly LogEntry[],
  offset: number | null,
): Promise<AppendResult> {
  const { rows } = await sql<{ before: number; accepted: number | null }>`
    with held as materialized (
      select q.task_id, q.attempt, q.worker_id, q.session_id, q.log_lines, q.log_lines - q.log_lines_before as before, g.lease_seconds
        from queue q join ${reporterRow(reporter)} as g on ${HOLDS} for update of q
    ), fresh as materialized (
      select h.task_id, h.attempt, h.log_lines + row_number() over (order by e.n) as line, e.entry
        from held h, json_array_elements(${JSON.stringify(entries)}::json) with ordinality as e (entry, n)
       where coalesce(${offset}::bigint, h.before) <= h.before
         and coalesce(${offset}::bigint, h.before) + e.n > h.before
         and coalesce(${offset}::bigint, h.before) + ${entries.length} <= ${LIMITS.maxLogLinesPerAttempt}
    ), stored as (
      insert into task_logs (task_id, line, attempt, logged_at, level, message, context)
      select task_id, line, attempt, coalesce((entry ->> 'timestamp')::timestamptz, now()), entry ->> 'level',
             entry ->> 'message', case when json_typeof(entry -> 'context') = 'object' then entry -> 'context' end
        from fresh
    ), counted as (
      update queue q set log_lines = q.log_lines + (select count(*) from fresh)
        from held h where ${isTaskOf('h')} and exists (select from fresh)
    ), ${RENEWS_LEASE}
    select before, (select count(*) from fresh) as accepted from held`.execute(db);
  const [row] = rows;
  if (row === undefined) return { kind: 'not_held' };
  const { before } = row;
  const accepted = row.accepted ?? 0;
  if (offset !== null && offset > before) return { kind: 'gap', expectedOffset: before };
  if ((offset ?? before) + entries.length > LIMITS.maxLogLinesPerAttempt) return { kind: 'full', expectedOffset: before };
  return { kind: 'appended', accepted, nextOffset: before + accepted };
}

export interface LogRow {
  line: number;
  task_id: string;
  attempt: number;
  logged_at: Date;
  level: LogLevel;
  message: string;
  context: Record<string, unknown> | null;
}

/** A piece of the lines after line `after`, in order, of one level and attempt or of all. */
export function readLogs(
  db: Database,
  taskId: string,
  { after, level, attempt, ...size }: { after: number; level: LogLevel | null; attempt: number | null } & PieceSize,
): Promise<Piece<LogRow>> {
  return readPiece<LogRow>(db, sql`
    select line, task_id, attempt, logged_at, level, message, context
      from task_logs
     where task_id = ${taskId}::uuid and line > ${after}::bigint and (${level}::text is null or level = ${level})
       and (${attempt}::int is null or attempt = ${attempt})
     order by line
     limit ${size.limit + 1}`, sql`octet_length(message) + ${jsonBytes(sql`context`)}`, sql`line`, size);
}

/**
 * How many lines a task has: all (their numbers have no gaps), or, counted up to LIMITS.maxCountedTasks, those of a level or
 * attempt. Null where there is no such task.
 */
export async function countLogs(db: Database, taskId: string, level: LogLevel | null, attempt: number | null): Promise<number | null> {
  const { rows } = await sql<{ lines: number }>`
    select case when ${level}::text is null and ${attempt}::int is null
             then coalesce((select max(line) from task_logs where task_id = t.id), 0)
             else (select count(*) from (
                     select from task_logs
                      where task_id = t.id and (${level}::text is null or level = ${level})
                        and (${attempt}::int is null or attempt = ${attempt})
                      limit ${LIMITS.maxCountedTasks + 1}) as matching)
           end as lines
      from tasks t where t.id = ${taskId}::uuid`.execute(db);
  return rows[0]?.lines ?? null;
}
