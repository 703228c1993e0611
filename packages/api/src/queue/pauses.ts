/** Pauses: nothing of a paused problem is claimed; '' pauses the whole queue. What runs goes on. */
import { sql } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import type { Database } from '../db/database.js';

export interface PauseRow {
  problem_id: string;
  reason: string | null;
  paused_at: Date;
}

/** Pauses a problem, or keeps it paused with a new reason. Null where too many are. */
export async function pause(db: Database, problemId: string, reason: string | null): Promise<PauseRow | null> {
  const { rows } = await sql<PauseRow>`
    insert into pauses as p (problem_id, reason, paused_at)
    select ${problemId}, ${reason}, now()
     where (select count(*) from pauses) < ${LIMITS.maxPauses} or exists (select from pauses where problem_id = ${problemId})
    on conflict (problem_id) do update set reason = excluded.reason
    returning p.*`.execute(db);
  return rows[0] ?? null;
}

/** Ends the pause of a problem. Whether it was paused. */
export async function resume(db: Database, problemId: string): Promise<boolean> {
  const { rows } = await sql`delete from pauses where problem_id = ${problemId} returning problem_id`.execute(db);
  return rows.length === 1;
}

export async function listPauses(db: Database): Promise<PauseRow[]> {
  const { rows } = await sql<PauseRow>`select * from pauses order by problem_id`.execute(db);
  return rows;
}
