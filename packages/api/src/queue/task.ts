/**
 * The model of a task as the contract shows it, and the one projection that every read of a task uses. A task's state is
 * its queue row or its outcome, whichever exists.
 */
import { sql, type RawBuilder } from 'kysely';
import type { components, TaskStatus, TaskReason } from '@task-executor/shared';

export type Task = components['schemas']['Task'];

/** A row of TASK_COLUMNS. */
export interface TaskRow {
  id: string;
  problem_id: string;
  parameters: Record<string, unknown>;
  priority: number;
  backend_type: string | null;
  timeout_seconds: number;
  max_attempts: number;
  max_lost: number;
  created_at: Date;
  status: TaskStatus;
  reason: TaskReason | null;
  attempt: number;
  worker_id: string | null;
  started_at: Date | null;
  completed_at: Date | null;
  updated_at: Date;
  result: Record<string, unknown> | null;
  error: string | null;
}

/** Expects `tasks t`, and `queue q` and `outcomes o` joined to it from the left. */
export const TASK_COLUMNS: RawBuilder<TaskRow> = sql`
  t.id, t.problem_id, t.parameters, t.priority, t.backend_type, t.timeout_seconds, t.max_attempts, t.max_lost, t.created_at,
  coalesce(o.status, q.state) as status, o.reason, coalesce(o.attempt, q.attempt) as attempt,
  coalesce(o.worker_id, q.worker_id) as worker_id, coalesce(o.started_at, q.started_at) as started_at,
  o.ended_at as completed_at, coalesce(o.ended_at, q.updated_at) as updated_at, o.result, o.error`;

export const TASK_JOINS: RawBuilder<unknown> = sql`
  tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id`;

/** Says whether any live worker could take a task; see fleet/capabilities. */
export type Claimable = (task: { problem_id: string; backend_type: string | null }) => boolean;

/** The contract's task of a row. */
export function toTask(row: TaskRow, claimable: Claimable): Task {
  return {
    id: row.id,
    problem_id: row.problem_id,
    status: row.status,
    reason: row.status === 'pending' ? (claimable(row) ? 'ready' : 'unclaimable') : row.reason,
    parameters: row.parameters,
    priority: row.priority,
    backend_type: row.backend_type,
    timeout_seconds: row.timeout_seconds,
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    max_lost: row.max_lost,
    worker_id: row.worker_id,
    result: row.result,
    error_details: row.error,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    completed_at: row.completed_at?.toISOString() ?? null,
  };
}
