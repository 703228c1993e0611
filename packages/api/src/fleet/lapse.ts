/**
 * The ends of sessions. Both are final: no statement anywhere clears ended_at but a new registration, which makes a new
 * session. Therefore the sweep may act on an ended session without looking again.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

/** Sessions that one statement ends at most; the next round ends what is left. */
const MOST_LAPSED = 1_000;

const LAPSED = sql<boolean>`ended_at is null and lease_until <= now()`;

/** Whether the lease of any session has lapsed. */
export const ANY_LAPSED = sql<boolean>`exists (select from workers where ${LAPSED})`;

/**
 * Ends the sessions whose lease has lapsed, and returns their workers. This API has been there for `presentSeconds`; a session that was
 * not heard from in them gets a whole lease from their beginning on: while the API was away, nobody could be heard. So it is while this
 * waits for a lock on the table: after more than `maxGapSeconds` it ends none.
 */
export async function lapseSessions(
  db: Database,
  { presentSeconds, maxGapSeconds, leaseSeconds }: { presentSeconds: number; maxGapSeconds: number; leaseSeconds: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with lapsed as materialized (
      select id from workers
       where ${LAPSED}
         and (${presentSeconds}::float8 >= ${leaseSeconds}::float8
              or last_seen_at >= now() - make_interval(secs => ${presentSeconds}::float8))
         and clock_timestamp() <= now() + make_interval(secs => ${maxGapSeconds}::float8)
       limit ${MOST_LAPSED} for update skip locked
    )
    update workers w set ended_at = now(), end_reason = 'lapsed'
      from lapsed where w.id = lapsed.id and w.ended_at is null and w.lease_until <= now()
    returning w.id`.execute(db);
  return rows.map((row) => row.id);
}

/** Ends a live session (null: the worker's current one) on its own wish. Whether it was live. */
export async function deregister(db: Database, workerId: string, sessionId: string | null): Promise<boolean> {
  const { rows } = await sql`
    update workers set ended_at = now(), end_reason = 'deregistered'
     where id = ${workerId} and session_id = coalesce(${sessionId}::uuid, session_id) and ended_at is null
    returning id`.execute(db);
  return rows.length === 1;
}
