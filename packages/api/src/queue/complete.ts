/** Completion: the task leaves the queue and gets its one outcome, if the reporter's attempt still holds it. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { holds, renewsLease, type Reporter } from './fence.js';
import { RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/** What was done: null changed nothing. `hasDependents`: others wait for this task, see queue/dependents. */
export async function complete(db: Database, reporter: Reporter, result: Record<string, unknown>): Promise<{ hasDependents: boolean } | null> {
  const { rows } = await sql<{ has_dependents: boolean }>`
    with held as (
      delete from queue q where ${holds(reporter)}
      returning q.*, 'completed' as outcome, null as error
    ), ended as (
      select *, 'completed' as status, null as reason, ${JSON.stringify(result)}::json as result, null::uuid as reused_from from held
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}, ${renewsLease(reporter)}
    select has_dependents from held`.execute(db);
  const [row] = rows;
  return row === undefined ? null : { hasDependents: row.has_dependents };
}
