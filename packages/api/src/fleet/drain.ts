/** Draining: a worker that drains is given nothing more; what it runs, it finishes. A new registration ends it. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isLive } from './look-up.js';

/**
 * Begins or ends the drain of a worker whose session is `sessionId` (null: any). Whether it did: only a live worker can begin to drain,
 * since the registration that ends its absence would end the drain.
 */
export async function setDraining(db: Database, workerId: string, sessionId: string | null, draining: boolean): Promise<boolean> {
  const { rows } = await sql`
    update workers w set draining_at = case when ${draining} then coalesce(draining_at, now()) end
     where id = ${workerId} and session_id = coalesce(${sessionId}::uuid, session_id) and (${isLive()} or not ${draining})
     returning id`.execute(db);
  return rows.length === 1;
}
