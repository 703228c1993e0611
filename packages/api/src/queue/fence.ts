/**
 * Fencing: whose report may change a task. HOLDS is the one predicate that every report is conditional on; explainRefusal
 * says, after a report changed nothing, why.
 */
import { sql, type RawBuilder } from 'kysely';
import type { AttemptOutcome, TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { isLive, isWorkerOf } from '../fleet/look-up.js';
import { taskStatus } from './status.js';

/** Who reports, about what. */
export interface Reporter {
  readonly workerId: string;
  /** From the Worker-Session header; null stands for the worker's current session. */
  readonly sessionId: string | null;
  readonly taskId: string;
  /** From the Task-Attempt header; null stands for the current attempt. */
  readonly attempt: number | null;
  /** How long a call of the worker renews its lease for. */
  readonly leaseSeconds: number;
}

/** The columns of a reporter, in the definition of a recordset. */
export const REPORTER_COLUMNS: RawBuilder<unknown> = sql`worker_id text, session_id uuid, task_id uuid, attempt int, lease_seconds float8`;

/**
 * True of the queue row `q` while the attempt of the reporter `g` holds it: only running rows have a worker and a session. A lapsed
 * lease does not matter before the sweep has acted on it: nobody else has the task yet. The state is not asked for, nor the session by
 * an equality: the planner would then go through an index of what runs, which it takes for short, instead of by the id.
 */
export const HOLDS: RawBuilder<boolean> = sql`
  (q.task_id = g.task_id and q.worker_id = g.worker_id
    and q.session_id is not distinct from coalesce(g.session_id, (select session_id from workers where id = g.worker_id))
    and q.attempt = coalesce(g.attempt, q.attempt))`;

/**
 * True of the queue row `q` of the task of `row` (task_id), for statements that act on rows which they hold. Written so that PostgreSQL can
 * only look it up by the primary key: by an equality a planner that takes the queue for empty could as well read all of an index.
 */
export function isTaskOf(row: string): RawBuilder<boolean> {
  return sql`q.task_id = any (array[${sql.ref(`${row}.task_id`)}])`;
}

/** A reporter as the row that HOLDS and RENEWS_LEASE go by; to be named `g`. */
export function reporterRow({ workerId, sessionId, taskId, attempt, leaseSeconds }: Reporter): RawBuilder<unknown> {
  return sql`(select ${workerId}::text as worker_id, ${sessionId}::uuid as session_id, ${taskId}::uuid as task_id,
                     ${attempt}::int as attempt, ${leaseSeconds}::float8 as lease_seconds)`;
}

/**
 * A CTE that renews the leases of the sessions whose attempts are in the CTE `held`: any accepted report is a sign of life.
 * Only leases of which a third is over, so that a busy worker's row is not written with every report, and only rows that
 * nobody else is writing: whoever does renews them too. Each worker is looked up once, however many of its attempts there are.
 */
export const RENEWS_LEASE: RawBuilder<unknown> = sql`
  renewable as materialized (
    select w.id, w.session_id, h.lease_seconds
      from (select worker_id, session_id, max(lease_seconds) as lease_seconds from held group by worker_id, session_id) as h
     cross join lateral (
       select w.id, w.session_id from workers w
        where w.id = h.worker_id and w.session_id = h.session_id and ${isLive()}
          and w.lease_until < now() + make_interval(secs => h.lease_seconds * 2 / 3)
          for no key update of w skip locked) as w
  ), renewed as (
    update workers w set last_seen_at = now(), lease_until = now() + make_interval(secs => r.lease_seconds)
      from renewable r where ${isWorkerOf('r')}
  )`;

export type Refusal =
  | { readonly kind: 'worker_not_found' | 'task_not_found' | 'session_superseded' }
  | { readonly kind: 'not_held'; readonly status: TaskStatus; readonly attempt: number };

interface RefusalRow {
  worker: boolean;
  session_current: boolean;
  status: TaskStatus | null;
  attempt: number | null;
}

/** Why a report changed nothing, from the state as it is now. */
export async function explainRefusal(db: Database, reporter: Reporter): Promise<Refusal> {
  const { rows } = await sql<RefusalRow>`
    select exists (select from workers where id = ${reporter.workerId}) as worker,
           exists (select from workers where id = ${reporter.workerId}
                    and session_id = coalesce(${reporter.sessionId}::uuid, session_id)) as session_current,
           ${taskStatus()} as status, coalesce(o.attempt, q.attempt) as attempt
      from (values (${reporter.taskId}::uuid)) as asked (id)
      left join queue q on q.task_id = asked.id
      left join outcomes o on o.task_id = asked.id`.execute(db);
  const [row] = rows;
  if (row?.worker !== true) return { kind: 'worker_not_found' };
  if (row.status === null || row.attempt === null) return { kind: 'task_not_found' };
  if (!row.session_current) return { kind: 'session_superseded' };
  return { kind: 'not_held', status: row.status, attempt: row.attempt };
}

/** True of the ended attempt `a` that the reporter speaks of; its last one of the task where it names none. */
function isOf(reporter: Reporter): RawBuilder<boolean> {
  return sql`a.task_id = ${reporter.taskId}::uuid and a.worker_id = ${reporter.workerId}
    and a.session_id = coalesce(${reporter.sessionId}::uuid, a.session_id)
    and a.attempt = coalesce(${reporter.attempt}::int, (
      select max(last.attempt) from attempts last where last.task_id = a.task_id and last.worker_id = a.worker_id))`;
}

/**
 * Keeps what a worker reports of an attempt that was taken from it (lost, timed out, cancelled, handed back), beside that attempt and
 * without effect on its task. A caller that names no attempt is taken for the last one of that worker. The first late report of
 * an attempt stays.
 */
export async function keepLate(
  db: Database,
  reporter: Reporter,
  report: { outcome: 'completed'; result: Record<string, unknown> } | { outcome: 'failed'; error: string },
): Promise<void> {
  await sql`
    insert into late_reports (task_id, attempt, reported_at, outcome, result, error)
    select a.task_id, a.attempt, now(), ${report.outcome},
           ${report.outcome === 'completed' ? JSON.stringify(report.result) : null}::json,
           ${report.outcome === 'failed' ? report.error : null}
      from attempts a
     where ${isOf(reporter)} and a.outcome in ('lost', 'timeout', 'cancelled', 'released')
    on conflict do nothing`.execute(db);
}

/** Whether this very report was accepted before: the reporter's attempt ended with the same outcome. */
export async function wasReported(db: Database, reporter: Reporter, outcome: AttemptOutcome): Promise<boolean> {
  const { rows } = await sql<{ reported: boolean }>`
    select exists (
      select from attempts a
       where ${isOf(reporter)} and a.outcome = ${outcome}) as reported`.execute(db);
  return rows[0]?.reported ?? false;
}
