/** Cancellation: a task that has not ended leaves the queue at once, pending or running; its worker finds out by fencing. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { COUNT_OUTCOMES, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/** Whether it was done; false: there is no such task, or it has ended. */
export async function cancel(db: Database, taskId: string): Promise<boolean> {
  const { rows } = await sql`
    with held as (
      delete from queue q where q.task_id = ${taskId}::uuid
      returning q.*, 'cancelled' as outcome, 'cancelled on request' as error
    ), ended as (
      select *, 'cancelled' as status, 'cancel_requested' as reason, null::json as result from held
    ), attempted as (${RECORD_ATTEMPTS}
    ), recorded as (${RECORD_OUTCOMES}
    ), counted as (${COUNT_OUTCOMES}
    )
    select task_id from held`.execute(db);
  return rows.length === 1;
}
