/** The model of a worker as the contract shows it, and the one projection that every read of a worker uses. */
import { sql, type RawBuilder } from 'kysely';
import type { components, WorkerStatus } from '@task-executor/shared';
import { isLive, runsOn } from './look-up.js';

export type Worker = components['schemas']['Worker'];

/** A row of WORKER_COLUMNS. */
export interface WorkerRow {
  id: string;
  session_id: string;
  backend_type: string;
  max_parallel_tasks: number;
  supported_problems: string[];
  metadata: Record<string, unknown>;
  registered_at: Date;
  last_seen_at: Date;
  live: boolean;
  draining_at: Date | null;
  end_reason: 'lapsed' | 'deregistered' | null;
  running_tasks: number;
  current_task_id: string | null;
  tasks_completed: number;
  tasks_failed: number;
}

/** Expects `workers w`. */
export const WORKER_COLUMNS: RawBuilder<WorkerRow> = sql`
  w.id, w.session_id, w.backend_type, w.max_parallel_tasks, w.supported_problems, w.metadata, w.registered_at, w.last_seen_at,
  ${isLive()} as live, w.draining_at, w.end_reason, r.running_tasks, r.current_task_id,
  (coalesce(t.completed, 0) + coalesce(c.completed, 0))::bigint as tasks_completed,
  (coalesce(t.failed, 0) + coalesce(c.failed, 0))::bigint as tasks_failed`;

/** Joins to `workers w` what it runs and what it did. `workers` gives the same rows; what is not in totals yet is summed in one pass. */
export function workerJoins(workers: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    cross join lateral (
      select count(*) as running_tasks, (array_agg(q.task_id order by q.started_at, q.task_id))[1] as current_task_id
        from queue q where ${runsOn('w')}) as r
    left join lateral (
      select completed, failed + timeout as failed from totals where axis = 'worker' and key = w.id offset 0) as t on true
    left join (
      select worker_id, sum(tasks) filter (where kind = 'completed') as completed,
             sum(tasks) filter (where kind in ('failed', 'timeout')) as failed
        from counter_deltas where worker_id in (select id from ${workers} as known)
       group by worker_id) as c on c.worker_id = w.id`;
}

export function statusOf(row: Pick<WorkerRow, 'live' | 'running_tasks'>): WorkerStatus {
  if (!row.live) return 'offline';
  return row.running_tasks > 0 ? 'busy' : 'idle';
}

/** The contract's worker of a row. */
export function toWorker(row: WorkerRow): Worker {
  return {
    id: row.id,
    backend_type: row.backend_type,
    status: statusOf(row),
    draining: row.live && row.draining_at !== null,
    last_heartbeat: row.last_seen_at.toISOString(),
    current_task_id: row.live ? row.current_task_id : null,
    running_tasks: row.live ? row.running_tasks : 0,
    capabilities: { max_parallel_tasks: row.max_parallel_tasks, supported_problems: row.supported_problems },
    metadata: row.metadata,
    tasks_completed: row.tasks_completed,
    tasks_failed: row.tasks_failed,
    registered_at: row.registered_at.toISOString(),
  };
}
