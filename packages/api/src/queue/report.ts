/**
 * Reports: how attempts ended, as their workers say it; one or many in one statement. Each is conditional on its reporter's
 * attempt still holding the task (see queue/fence), and what one report may change does not depend on the others.
 *
 * A completed attempt ends its task; a failed one does unless it may be tried again; a released one never does, and counts
 * against nothing.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { HOLDS, REPORTER_COLUMNS, RENEWS_LEASE, type Reporter } from './fence.js';
import { backAfter, BACKOFF_SECONDS, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

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
  /** Over, back in the queue at once, or waiting there for its backoff. */
  readonly fate: 'ended' | 'requeued' | 'waiting';
  /** Others wait for this task, see queue/dependents. */
  readonly hasDependents: boolean;
  readonly problemId: string;
  readonly backendType: string;
}

/** What became of each report, in their order; null: the reporter does not hold the task, and nothing was changed. */
export async function report(db: Database, reports: readonly { reporter: Reporter; report: Report }[]): Promise<(Reported | null)[]> {
  const given = reports.map(({ reporter, report: one }, n) => ({
    n, worker_id: reporter.workerId, session_id: reporter.sessionId, task_id: reporter.taskId, attempt: reporter.attempt,
    lease_seconds: reporter.leaseSeconds, outcome: one.outcome,
    result: one.outcome === 'completed' ? one.result : null,
    error: one.outcome === 'failed' ? one.error : one.outcome === 'released' ? one.reason : null,
    retryable: one.outcome === 'failed' ? one.retryable : one.outcome === 'released',
    retry_after: one.outcome === 'failed' ? one.retryAfterSeconds : null,
  }));
  const { rows } = await sql<{ n: number; fate: Reported['fate']; has_dependents: boolean; problem_id: string; backend_type: string }>`
    with given as materialized (
      select * from json_to_recordset(${JSON.stringify(given)}::json) as g (
        ${REPORTER_COLUMNS}, n int, outcome text, result json, error text, retryable boolean, retry_after float8)
    ), locked as materialized (
      -- Row by row through its id, whatever the planner thinks of the queue, and in one order, so that no two statements wait for
      -- each other. Where several reports are about one task, the first is taken: the others will find that it was.
      select q.*, g.n, g.outcome, g.result, g.error, g.retryable, g.retry_after, g.lease_seconds,
             row_number() over (partition by g.task_id order by g.n) as turn
        from (select * from given order by task_id) as g cross join lateral (select q.* from queue q where ${HOLDS} for update of q) as q
    ), held as materialized (
      select h.*,
             case when h.outcome = 'failed' then coalesce(h.retry_after, ${BACKOFF_SECONDS}) end as delay,
             h.outcome = 'released' or (h.outcome = 'failed' and h.retryable and h.failures + 1 < h.max_attempts) as again
        from locked h where h.turn = 1
    ), requeued as (
      update queue q set failures = q.failures + case h.outcome when 'failed' then 1 else 0 end, ${backAfter(sql`h.delay`)}
        from held h where q.task_id = h.task_id and h.again
    ), removed as (
      delete from queue q using held h where q.task_id = h.task_id and not h.again
      returning h.*
    ), ended as (
      select *, outcome as status, case outcome when 'failed' then 'task_failed' end as reason, null::uuid as reused_from from removed
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}, ${RENEWS_LEASE}
    select n, case when not again then 'ended' when delay > 0 then 'waiting' else 'requeued' end as fate, has_dependents, problem_id, backend_type
      from held`.execute(db);
  const reported = reports.map((): Reported | null => null);
  for (const row of rows) {
    reported[row.n] = { fate: row.fate, hasDependents: row.has_dependents, problemId: row.problem_id, backendType: row.backend_type };
  }
  return reported;
}
