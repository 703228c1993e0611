/** Cancellation: a task that has not ended leaves the queue at once, pending or running; its worker finds out by fencing. */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../db/database.js';
import { ENDED_AT, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/** A task that was cancelled. */
export interface Cancelled {
  readonly task_id: string;
  /** The worker that ran it and is to be told; null where it was pending. */
  readonly worker_id: string | null;
  /** Whether others wait for it; see queue/dependents. */
  readonly has_dependents: boolean;
}

/** Cancels the queue rows `q` that `which` is true of; those that are not there any more have ended. */
async function cancelWhere(db: Database, which: RawBuilder<unknown>): Promise<Cancelled[]> {
  const { rows } = await sql<Cancelled>`
    with held as (
      delete from queue q where ${which}
      returning q.*, 'cancelled' as outcome, 'cancelled on request' as error
    ), ended as (
      select *, ${ENDED_AT} as ended_at, 'cancelled' as status, 'cancel_requested' as reason, null::json as result,
             null::uuid as reused_from
        from held
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}
    select task_id, worker_id, has_dependents from held`.execute(db);
  return rows;
}

/** Cancels one task. Null: there is no such task, or it has ended. */
export async function cancel(db: Database, taskId: string): Promise<Cancelled | null> {
  const [row] = await cancelWhere(db, sql`q.task_id = ${taskId}::uuid`);
  return row ?? null;
}

/** Cancels those of `taskIds` that have not ended. */
export async function cancelMany(db: Database, taskIds: readonly string[]): Promise<Cancelled[]> {
  // Locked in one order, so that two of these never wait for each other.
  return cancelWhere(db, sql`q.task_id = any (array(
    select task_id from queue where task_id = any (${taskIds}::uuid[]) order by task_id for update))`);
}
