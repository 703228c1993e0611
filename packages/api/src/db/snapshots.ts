/** Snapshots that others hold: while one is held, vacuum takes away nothing of what has ended since. */
import { sql } from 'kysely';
import type { Database } from './database.js';

/** The age in seconds of the oldest transaction that holds a snapshot; 0 where there is none but our own. */
export async function oldestSnapshotSeconds(db: Database): Promise<number> {
  const { rows: [age] } = await sql<{ seconds: number }>`
    select coalesce(max(extract(epoch from now() - xact_start)), 0)::float8 as seconds
      from pg_stat_activity where backend_xmin is not null and pid <> pg_backend_pid()`.execute(db);
  return age?.seconds ?? 0;
}
