/** Draining: a worker that drains is given nothing more; what it runs, it finishes. A new registration ends it. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

/** Whether there is such a worker, and `sessionId` (null: any) its session. */
export async function setDraining(db: Database, workerId: string, sessionId: string | null, draining: boolean): Promise<boolean> {
  const { rows } = await sql`
    update workers set draining_at = case when ${draining} then coalesce(draining_at, now()) end
     where id = ${workerId} and session_id = coalesce(${sessionId}::uuid, session_id) returning id`.execute(db);
  return rows.length === 1;
}
