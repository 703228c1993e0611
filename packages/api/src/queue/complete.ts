/** Completion: the task leaves the queue and gets its one outcome, if the reporter's attempt still holds it. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { holds, type Reporter } from './fence.js';
import { COUNT_OUTCOMES, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/** Whether it was done; false changed nothing. */
export async function complete(db: Database, reporter: Reporter, result: Record<string, unknown>): Promise<boolean> {
  const { rows } = await sql`
    with held as (
      delete from queue q where ${holds(reporter)}
      returning q.*, 'completed' as outcome, null as error
    ), ended as (
      select *, 'completed' as status, null as reason, ${JSON.stringify(result)}::json as result from held
    ), attempted as (${RECORD_ATTEMPTS}
    ), recorded as (${RECORD_OUTCOMES}
    ), counted as (${COUNT_OUTCOMES}
    )
    select task_id from held`.execute(db);
  return rows.length === 1;
}
