/** The lanes of pending tasks as wake-ups go by them: a problem and a backend, without the labels that limits are about. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

export interface PendingLane {
  readonly problem_id: string;
  /** '' for any. */
  readonly backend_type: string;
}

/** The lanes that have pending tasks, at most `most`, each found by one step through the index. */
export async function pendingLanes(db: Database, most: number): Promise<PendingLane[]> {
  const { rows } = await sql<PendingLane>`
    with recursive lanes as (
      (select problem_id, backend_type from queue where state = 'pending' order by problem_id, backend_type limit 1)
      union all
      select next.*
        from lanes l
       cross join lateral (
         select q.problem_id, q.backend_type from queue q
          where q.state = 'pending' and (q.problem_id, q.backend_type) > (l.problem_id, l.backend_type)
          order by q.problem_id, q.backend_type limit 1) as next
    )
    select * from lanes limit ${most}`.execute(db);
  return rows;
}
