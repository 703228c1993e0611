/**
 * Reports: how attempts ended, as their workers say it; one or many in one statement. Each is conditional on its reporter's
 * attempt still holding the task (see queue/fence), and what one report may change does not depend on the others.
 *
 * A completed attempt ends its task; a failed one does unless it may be tried again; a released one never does, and counts
 * against nothing.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../db/database.js';
import { HOLDS, isTaskOf, REPORTER_COLUMNS, RENEWS_LEASE, type Reporter } from './fence.js';
import { backAfter, BACKOFF_SECONDS, ENDED_AT, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';
import { LAST_PROGRESS } from './progress.js';
import { SUBMITTED_COLUMNS, type TaskRow } from './task.js';

export type Report =
  | { readonly outcome: 'completed'; readonly result: Record<string, unknown> }
  | {
    readonly outcome: 'failed';
    readonly error: string;
    /** False: no further attempt, whatever max_attempts says. */
    readonly retryable: boolean;
    /** Seconds until the next attempt; null: as the task's backoff says. */
    readonly retryAfterSeconds: number | null;
  }
  | { readonly outcome: 'released'; readonly reason: string | null };

export interface Reported {
  /** What became of the task: over, back in the queue at once, or waiting there for its backoff. */
  readonly fate: 'ended' | 'requeued' | 'waiting';
  /** Others wait for this task, see queue/dependents. */
  readonly hasDependents: boolean;
  readonly problemId: string;
  readonly backendType: string;
  /** The task as it has ended, where that was asked for. */
  readonly task: TaskRow | null;
}

/** A report, and whether the task is to be shown as it then is. */
export interface ReportItem {
  readonly reporter: Reporter;
  readonly report: Report;
  readonly isShown?: boolean;
}

type ReportedRow = { n: number; fate: Reported['fate']; has_dependents: boolean; lane_problem: string; lane_backend: string }
  & (TaskRow | { id: null });

function isTask(row: TaskRow | { id: null }): row is TaskRow {
  return row.id !== null;
}

/** Why the task of the row `row` ended. */
const reasonOf = (row: string): RawBuilder<string | null> => sql`case ${sql.ref(`${row}.outcome`)} when 'failed' then 'task_failed' end`;

/** What became of each report, in their order; null: the reporter does not hold the task, and nothing was changed. */
export async function report(db: Database, reports: readonly ReportItem[]): Promise<(Reported | null)[]> {
  const given = reports.map(({ reporter, report: one, isShown }, n) => ({
    n, is_shown: isShown === true, worker_id: reporter.workerId, session_id: reporter.sessionId, task_id: reporter.taskId,
    attempt: reporter.attempt, lease_seconds: reporter.leaseSeconds, outcome: one.outcome,
    result: one.outcome === 'completed' ? one.result : null,
    error: one.outcome === 'failed' ? one.error : one.outcome === 'released' ? one.reason : null,
    retryable: one.outcome === 'failed' ? one.retryable : one.outcome === 'released',
    retry_after: one.outcome === 'failed' ? one.retryAfterSeconds : null,
  }));
  const { rows } = await sql<ReportedRow>`
    with held as materialized (
      -- Row by row through its id, whatever the planner thinks of the queue, and in one order, so that no two statements wait for
      -- each other. Where several reports are about one task, the first is taken: the others will find that it was.
      select h.*, ${ENDED_AT} as ended_at,
             case when h.outcome = 'failed' then coalesce(h.retry_after, ${BACKOFF_SECONDS}) end as delay,
             h.outcome = 'released' or (h.outcome = 'failed' and h.retryable and h.failures + 1 < h.max_attempts) as again
        from (select q.*, g.n, g.is_shown, g.outcome, g.result, g.error, g.retryable, g.retry_after, g.lease_seconds,
                     row_number() over (partition by g.task_id order by g.n) as turn
                from (select * from json_to_recordset(${JSON.stringify(given)}::json) as g (
                        ${REPORTER_COLUMNS}, n int, is_shown boolean, outcome text, result json, error text, retryable boolean,
                        retry_after float8)
                       order by task_id, n) as g
               cross join lateral (
                 select q.task_id, q.state, q.problem_id, q.backend_type, q.priority, q.attempt, q.worker_id, q.session_id,
                        q.started_at, q.updated_at, q.available_at, q.max_attempts, q.failures, q.backoff, q.has_dependents
                   from queue q where ${HOLDS} for update of q) as q) as h
       where h.turn = 1
    ), requeued as (
      update queue q set failures = q.failures + case h.outcome when 'failed' then 1 else 0 end, ${backAfter(sql`h.delay`)}
        from held h where ${isTaskOf('h')} and h.again
    ), ended as (
      delete from queue q using held h where ${isTaskOf('h')} and not h.again
      returning h.task_id, h.problem_id, h.outcome as status, ${reasonOf('h')} as reason, h.attempt, h.worker_id, h.session_id,
                h.started_at, h.ended_at, h.result, h.error, null::uuid as reused_from, h.priority, h.has_dependents
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}, ${RENEWS_LEASE}
    select h.n, case when not h.again then 'ended' when h.delay > 0 then 'waiting' else 'requeued' end as fate, h.has_dependents,
           h.problem_id as lane_problem, h.backend_type as lane_backend,
           ${SUBMITTED_COLUMNS}, h.priority, coalesce(h.available_at, t.run_at) as run_at, h.outcome as status,
           ${reasonOf('h')} as reason, h.attempt, h.worker_id, h.started_at, h.ended_at as completed_at, h.ended_at as updated_at,
           ${LAST_PROGRESS} as progress, h.result, h.error, null as reused_from
      from held h left join tasks t on t.id = any (array[case when h.is_shown and not h.again then h.task_id end])`.execute(db);
  const reported = reports.map((): Reported | null => null);
  for (const { n, fate, has_dependents, lane_problem, lane_backend, ...task } of rows) {
    reported[n] = {
      fate, hasDependents: has_dependents, problemId: lane_problem, backendType: lane_backend, task: isTask(task) ? task : null,
    };
  }
  return reported;
}
