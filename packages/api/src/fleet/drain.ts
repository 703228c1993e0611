/** Draining: a worker that drains is given nothing more; what it runs, it finishes. A new registration ends it. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

/** Whether there is such a worker. */
export async function setDraining(db: Database, workerId: string, draining: boolean): Promise<boolean> {
  const { rows } = await sql`
    update workers set draining_at = case when ${draining} then coalesce(draining_at, now()) end where id = ${workerId} returning id`.execute(db);
  return rows.length === 1;
}
