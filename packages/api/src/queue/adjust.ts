/** Adjusting a task that waits or is pending, also between two attempts: its priority, and the moment from which it may run. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { rankOf } from './submission.js';

export interface Adjustment {
  readonly priority: number | null;
  /** ISO 8601; null: as it was. */
  readonly runAt: string | null;
}

export interface Adjusted {
  readonly problem_id: string;
  readonly backend_type: string;
  readonly state: 'waiting' | 'pending';
}

/** The task's lane and state, or null where it is not there, runs or has ended. A new moment ends a backoff. */
export async function adjust(db: Database, ageingMs: number, taskId: string, { priority, runAt }: Adjustment): Promise<Adjusted | null> {
  const startsAt = sql`coalesce(${runAt}::timestamptz, q.available_at)`;
  const newPriority = sql`coalesce(${priority}::smallint, q.priority)`;
  const waits = sql`(q.blockers > 0 or coalesce(${startsAt} > now(), false))`;
  const { rows } = await sql<Adjusted>`
    update queue q
       set priority = ${newPriority},
           rank = case when ${runAt}::timestamptz is null
             then q.rank + (q.priority - ${newPriority})::bigint * ${ageingMs}::bigint
             else ${rankOf(sql`greatest(t.created_at, ${runAt}::timestamptz)`, newPriority, ageingMs)} end,
           available_at = ${startsAt},
           state = case when ${waits} then 'waiting' else 'pending' end,
           wait_reason = case when not ${waits} then null
                              when q.blockers > 0 or ${runAt}::timestamptz is null then q.wait_reason
                              else 'scheduled' end,
           updated_at = now()
      from tasks t
     where q.task_id = ${taskId}::uuid and t.id = q.task_id and q.state in ('waiting', 'pending')
    returning q.problem_id, q.backend_type, q.state`.execute(db);
  return rows[0] ?? null;
}
