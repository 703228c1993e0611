/** The backlog by reason: how many tasks have not ended, why those that do not run are waiting, and for how long. */
import { sql } from 'kysely';
import type { PENDING_REASONS } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { LIMITED_LABELS } from './limited-labels.js';
import type { ReadyReason } from './task.js';

export type PendingReason = (typeof PENDING_REASONS)[number];

/** Tasks that have the same reason. */
export interface BacklogPart {
  /** Null: they run. */
  readonly reason: PendingReason | null;
  readonly problem_id: string;
  readonly tasks: number;
  /** How long the one that was changed longest ago has been as it is. */
  readonly oldest_seconds: number;
}

interface GroupRow {
  problem_id: string;
  backend_type: string;
  labels: Record<string, string> | null;
  state: 'waiting' | 'pending' | 'running';
  wait_reason: PendingReason | null;
  tasks: number;
  oldest_seconds: number;
}

/** One part for each problem and reason. The queue is read whole: it holds only what has not ended. */
export async function readBacklog(db: Database, reasonOf: ReadyReason): Promise<BacklogPart[]> {
  const { rows } = await sql<GroupRow>`
    with limited as materialized (
      ${LIMITED_LABELS}
    ), grouped as (
      select q.*, case when q.state = 'pending' and exists (select from limited)
               then (select jsonb_object_agg(key, q.labels ->> key) from limited where q.labels ->> key is not null) end as told
        from queue q
    )
    select problem_id, backend_type, told as labels, state, wait_reason, count(*) as tasks,
           extract(epoch from now() - min(updated_at))::float8 as oldest_seconds
      from grouped group by 1, 2, 3, 4, 5`.execute(db);
  const parts = new Map<string, BacklogPart>();
  for (const row of rows) {
    const { problem_id, state, wait_reason } = row;
    const reason = state === 'running' ? null
      : wait_reason ?? reasonOf({ problem_id, backend_type: row.backend_type === '' ? null : row.backend_type, labels: row.labels ?? {} });
    const key = `${reason ?? 'running'} ${problem_id}`;
    const before = parts.get(key);
    parts.set(key, {
      reason, problem_id,
      tasks: row.tasks + (before?.tasks ?? 0),
      oldest_seconds: Math.max(0, row.oldest_seconds, before?.oldest_seconds ?? 0),
    });
  }
  return [...parts.values()];
}
