/** Failure as the worker reports it: another attempt while max_attempts allows one, else the task has failed. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { holds, type Reporter } from './fence.js';
import { BACK_TO_PENDING, COUNT_OUTCOMES, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/** What became of the task, or null where the reporter does not hold it and nothing was changed. */
export async function fail(db: Database, reporter: Reporter, error: string): Promise<'requeued' | 'ended' | null> {
  const { rows } = await sql<{ fate: 'requeued' | 'ended' }>`
    with held as materialized (
      select q.*, 'failed' as outcome, ${error}::text as error from queue q where ${holds(reporter)} for update
    ), requeued as (
      update queue q set failures = q.failures + 1, ${BACK_TO_PENDING}
        from held h where q.task_id = h.task_id and h.failures + 1 < h.max_attempts
      returning q.task_id
    ), removed as (
      delete from queue q using held h where q.task_id = h.task_id and h.failures + 1 >= h.max_attempts
      returning h.*
    ), ended as (
      select *, 'failed' as status, 'task_failed' as reason, null::json as result from removed
    ), attempted as (${RECORD_ATTEMPTS}
    ), recorded as (${RECORD_OUTCOMES}
    ), counted as (${COUNT_OUTCOMES}
    )
    select 'requeued' as fate from requeued union all select 'ended' from removed`.execute(db);
  return rows[0]?.fate ?? null;
}
