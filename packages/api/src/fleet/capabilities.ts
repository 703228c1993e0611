/** What a worker may claim, changed while it runs: its session goes on, and with it what it holds. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { likePattern } from '../db/like.js';
import { isLive } from './look-up.js';

export interface Capabilities {
  readonly maxParallelTasks: number;
  readonly supportedProblems: readonly string[];
}

/** Puts `capabilities` in place of those of a live session. Whether it was live. */
export async function changeCapabilities(
  db: Database,
  workerId: string,
  sessionId: string,
  { maxParallelTasks, supportedProblems }: Capabilities,
): Promise<boolean> {
  const { rows } = await sql`
    update workers w
       set max_parallel_tasks = ${maxParallelTasks}, supported_problems = ${supportedProblems}::text[],
           problem_patterns = ${supportedProblems.map(likePattern)}::text[]
     where w.id = ${workerId} and w.session_id = ${sessionId}::uuid and ${isLive()}
    returning w.id`.execute(db);
  return rows.length === 1;
}
