/**
 * What must happen without anybody asking, from any replica at any time: attempts past their deadline end as timeout, and
 * attempts whose session has ended are lost. Each statement decides and writes at once; rows that somebody else is
 * changing are left to them. That a session has ended is final (see fleet/lapse), so a decision by it cannot go stale.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { BACK_TO_PENDING, COUNT_OUTCOMES, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/** Rows that one statement ends at most; a fuller sweep takes several. */
export const SWEEP_ROWS = 200;

/** A task that a sweep took from its worker. */
export interface Swept {
  readonly task_id: string;
  readonly problem_id: string;
  readonly backend_type: string;
  readonly fate: 'requeued' | 'ended';
  readonly outcome: 'timeout' | 'lost' | 'released';
}

/** Ends up to SWEEP_ROWS attempts that are past their deadline. */
export async function sweepTimeouts(db: Database): Promise<Swept[]> {
  const { rows } = await sql<Swept>`
    with held as materialized (
      select q.*, 'timeout' as outcome, 'timed out after ' || q.timeout_seconds || ' seconds' as error
        from queue q
       where q.state = 'running' and q.deadline_at <= now()
       order by q.deadline_at
       limit ${SWEEP_ROWS}
         for update skip locked
    ), requeued as (
      update queue q set failures = q.failures + 1, ${BACK_TO_PENDING}
        from held h where q.task_id = h.task_id and h.failures + 1 < h.max_attempts
    ), ended as (
      delete from queue q using held h where q.task_id = h.task_id and h.failures + 1 >= h.max_attempts
      returning h.*, 'timeout' as status, 'timed_out' as reason, null::json as result
    ), attempted as (${RECORD_ATTEMPTS}
    ), recorded as (${RECORD_OUTCOMES}
    ), counted as (${COUNT_OUTCOMES}
    )
    select task_id, problem_id, backend_type, outcome,
           case when failures + 1 < max_attempts then 'requeued' else 'ended' end as fate
      from held`.execute(db);
  return rows;
}

/**
 * Takes up to SWEEP_ROWS attempts from sessions that have ended, of all workers or of one. They are lost, or released
 * where the worker had left in good order.
 */
export async function sweepSessions(db: Database, workerId: string | null): Promise<Swept[]> {
  const { rows } = await sql<Swept>`
    with held as materialized (
      select q.*, case when w.session_id = q.session_id and w.end_reason = 'deregistered' then 'released' else 'lost' end as outcome,
             case when w.session_id <> q.session_id then 'the worker registered anew'
                  when w.end_reason = 'deregistered' then 'the worker left'
                  else 'the worker stopped sending heartbeats' end as error
        from queue q
        join workers w on w.id = q.worker_id
       where q.state = 'running' and (w.session_id <> q.session_id or w.ended_at is not null)
         and q.worker_id = coalesce(${workerId}, q.worker_id)
       limit ${SWEEP_ROWS}
         for update of q skip locked
    ), requeued as (
      update queue q set losses = q.losses + case h.outcome when 'lost' then 1 else 0 end, ${BACK_TO_PENDING}
        from held h where q.task_id = h.task_id and (h.outcome = 'released' or h.losses + 1 < h.max_lost)
    ), removed as (
      delete from queue q using held h where q.task_id = h.task_id and h.outcome = 'lost' and h.losses + 1 >= h.max_lost
      returning h.*
    ), ended as (
      select task_id, problem_id, attempt, worker_id, session_id, started_at, updated_at, 'failed' as status,
             'workers_lost' as reason, null::json as result,
             losses + 1 || ' attempts were lost with their workers, the last on ' || worker_id || ': ' || error as error
        from removed
    ), attempted as (${RECORD_ATTEMPTS}
    ), recorded as (${RECORD_OUTCOMES}
    ), counted as (${COUNT_OUTCOMES}
    )
    select task_id, problem_id, backend_type, outcome,
           case when outcome = 'released' or losses + 1 < max_lost then 'requeued' else 'ended' end as fate
      from held`.execute(db);
  return rows;
}
