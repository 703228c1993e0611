/** Heartbeat: renews a live session's lease. A session that has ended, or whose lease has lapsed, is not revived. */
import { sql } from 'kysely';
import type { TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';

export interface NamedAttempt {
  readonly taskId: string;
  /** Null where the worker named only the task. */
  readonly attempt: number | null;
}

export interface Directive {
  readonly task_id: string;
  readonly attempt: number | null;
  readonly reason: TaskStatus | 'unknown';
}

/** Renews the lease of `sessionId` (null: the worker's current one). Returns the session, or null where none is live. */
export async function renewLease(
  db: Database,
  { workerId, sessionId, leaseSeconds }: { workerId: string; sessionId: string | null; leaseSeconds: number },
): Promise<string | null> {
  const { rows } = await sql<{ session_id: string }>`
    update workers
       set last_seen_at = now(), lease_until = now() + make_interval(secs => ${leaseSeconds}::float8)
     where id = ${workerId} and session_id = coalesce(${sessionId}::uuid, session_id) and ended_at is null and lease_until > now()
    returning session_id`.execute(db);
  return rows[0]?.session_id ?? null;
}

/** Of the attempts that a session says it runs, those that it should not: ended tasks to cancel, and lost ones. */
export async function directivesFor(
  db: Database,
  sessionId: string,
  named: readonly NamedAttempt[],
): Promise<{ cancel: Directive[]; lost: Directive[] }> {
  if (named.length === 0) return { cancel: [], lost: [] };
  const { rows } = await sql<Directive>`
    select named.task_id, named.attempt, coalesce(o.status, case when q.state = 'running' then 'running' when q.state is not null then 'pending' end, 'unknown') as reason
      from unnest(${named.map((one) => one.taskId)}::uuid[], ${named.map((one) => one.attempt)}::int[]) as named (task_id, attempt)
      left join queue q on q.task_id = named.task_id
      left join outcomes o on o.task_id = named.task_id
     where not coalesce(q.state = 'running' and q.session_id = ${sessionId}::uuid
                        and q.attempt = coalesce(named.attempt, q.attempt), false)`.execute(db);
  const stopped = (row: Directive): boolean => row.reason === 'cancelled' || row.reason === 'timeout';
  return { cancel: rows.filter(stopped), lost: rows.filter((row) => !stopped(row)) };
}
