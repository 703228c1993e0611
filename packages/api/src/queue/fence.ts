/**
 * Fencing: whose report may change a task. HOLDS is the one predicate that every report is conditional on; explainRefusal
 * says, after a report changed nothing, why.
 */
import { sql, type RawBuilder } from 'kysely';
import type { AttemptOutcome, TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';

/** Who reports, about what. */
export interface Reporter {
  readonly workerId: string;
  /** From the Worker-Session header; null stands for the worker's current session. */
  readonly sessionId: string | null;
  readonly taskId: string;
  /** From the Task-Attempt header; null stands for the current attempt. */
  readonly attempt: number | null;
}

/**
 * True of the queue row `q` while the reporter's attempt holds it. A lapsed lease does not matter before the sweep has
 * acted on it: nobody else has the task yet.
 */
export function holds(reporter: Reporter): RawBuilder<boolean> {
  return sql`q.task_id = ${reporter.taskId}::uuid and q.state = 'running' and q.worker_id = ${reporter.workerId}
    and q.session_id = coalesce(${reporter.sessionId}::uuid, (select session_id from workers where id = ${reporter.workerId}))
    and q.attempt = coalesce(${reporter.attempt}::int, q.attempt)`;
}

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
           coalesce(o.status, q.state) as status, coalesce(o.attempt, q.attempt) as attempt
      from (values (${reporter.taskId}::uuid)) as asked (id)
      left join queue q on q.task_id = asked.id
      left join outcomes o on o.task_id = asked.id`.execute(db);
  const [row] = rows;
  if (row?.worker !== true) return { kind: 'worker_not_found' };
  if (row.status === null || row.attempt === null) return { kind: 'task_not_found' };
  if (!row.session_current) return { kind: 'session_superseded' };
  return { kind: 'not_held', status: row.status, attempt: row.attempt };
}

/** Whether this very report was accepted before: the reporter's attempt ended with the same outcome. */
export async function wasReported(db: Database, reporter: Reporter, outcome: AttemptOutcome): Promise<boolean> {
  const { rows } = await sql<{ reported: boolean }>`
    select exists (
      select from attempts a
       where a.task_id = ${reporter.taskId}::uuid and a.worker_id = ${reporter.workerId} and a.outcome = ${outcome}
         and a.session_id = coalesce(${reporter.sessionId}::uuid, a.session_id)
         and a.attempt = coalesce(${reporter.attempt}::int, (
           select max(last.attempt) from attempts last
            where last.task_id = a.task_id and last.worker_id = a.worker_id))) as reported`.execute(db);
  return rows[0]?.reported ?? false;
}
