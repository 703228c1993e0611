/** Release: a worker hands a task back unfinished, and the attempt counts against nothing. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { holds, renewsLease, type Reporter } from './fence.js';
import { BACK_TO_PENDING, RECORD_ATTEMPTS } from './history.js';

/** Whether it was done; false changed nothing. */
export async function release(db: Database, reporter: Reporter, reason: string | null): Promise<boolean> {
  const { rows } = await sql`
    with held as materialized (
      select q.*, 'released' as outcome, ${reason}::text as error from queue q where ${holds(reporter)} for update
    ), requeued as (
      update queue q set ${BACK_TO_PENDING} from held h where q.task_id = h.task_id
    ), ${RECORD_ATTEMPTS}, ${renewsLease(reporter)}
    select task_id from held`.execute(db);
  return rows.length === 1;
}
