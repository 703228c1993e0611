/**
 * The model of a task as the contract shows it, and the one projection that every read of a task uses. A task's state is
 * its queue row or its outcome, whichever exists.
 */
import { sql, type RawBuilder } from 'kysely';
import type { components, TaskStatus, TaskReason } from '@task-executor/shared';
import { jsonBytes } from './piece.js';
import { LAST_PROGRESS, toProgress } from './progress.js';
import { taskStatus } from './status.js';

export type Task = components['schemas']['Task'];

/** A row of TASK_COLUMNS. */
export interface TaskRow {
  id: string;
  name: string | null;
  problem_id: string;
  parameters: Record<string, unknown>;
  labels: Record<string, string>;
  priority: number;
  backend_type: string | null;
  timeout_seconds: number;
  max_attempts: number;
  max_lost: number;
  /** Initial seconds, factor, most seconds, jitter. */
  backoff: [number, number, number, number] | null;
  run_at: Date | null;
  expires_at: Date | null;
  retry_of: string | null;
  workflow_id: string | null;
  schedule_id: string | null;
  dedupe_key: string | null;
  created_at: Date;
  status: TaskStatus;
  reason: TaskReason | null;
  attempt: number;
  worker_id: string | null;
  started_at: Date | null;
  completed_at: Date | null;
  updated_at: Date;
  progress: Task['progress'];
  result: Record<string, unknown> | null;
  error: string | null;
  reused_from: string | null;
}

/** The columns of a submission, from a row `t` of tasks. */
export const SUBMITTED_COLUMNS: RawBuilder<unknown> = sql`
  t.id, t.name, t.problem_id, t.parameters, t.labels, t.backend_type, t.timeout_seconds, t.max_attempts, t.max_lost, t.backoff,
  t.expires_at, t.retry_of, t.workflow_id, t.schedule_id, t.dedupe_key, t.created_at`;

/** Expects `tasks t`, and `queue q` and `outcomes o` joined to it from the left. */
export const TASK_COLUMNS: RawBuilder<TaskRow> = sql`
  ${SUBMITTED_COLUMNS}, coalesce(q.priority, o.priority, t.priority) as priority, coalesce(q.available_at, t.run_at) as run_at,
  ${taskStatus()} as status, coalesce(o.reason, q.wait_reason) as reason, coalesce(o.attempt, q.attempt) as attempt,
  coalesce(o.worker_id, q.worker_id) as worker_id, coalesce(o.started_at, q.started_at) as started_at,
  o.ended_at as completed_at, coalesce(o.ended_at, q.updated_at) as updated_at, ${LAST_PROGRESS} as progress,
  o.result, o.error, o.reused_from`;

export const TASK_JOINS: RawBuilder<unknown> = sql`
  tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id`;

/** The bytes of those of TASK_COLUMNS that may be long. */
export const TASK_BYTES: RawBuilder<number> = sql`
  ${jsonBytes(sql`parameters`)} + ${jsonBytes(sql`result`)} + coalesce(octet_length(error), 0)`;

/** Why a pending task that waits for nothing of its own is not running: see queue/readiness. */
export type ReadyReason = (task: Pick<TaskRow, 'problem_id' | 'backend_type' | 'labels'>) => 'ready' | 'unclaimable' | 'paused' | 'limited';

/** The contract's task of a row. */
export function toTask(row: TaskRow, readyReason: ReadyReason): Task {
  return {
    id: row.id,
    name: row.name,
    problem_id: row.problem_id,
    status: row.status,
    reason: row.status === 'pending' ? (row.reason ?? readyReason(row)) : row.reason,
    parameters: row.parameters,
    labels: row.labels,
    priority: row.priority,
    backend_type: row.backend_type,
    timeout_seconds: row.timeout_seconds,
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    max_lost: row.max_lost,
    retry: retryOf(row),
    run_at: row.run_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
    retry_of: row.retry_of,
    workflow_id: row.workflow_id,
    schedule_id: row.schedule_id,
    dedupe_key: row.dedupe_key,
    worker_id: row.worker_id,
    progress: toProgress(row.progress),
    result: row.result,
    error_details: row.error,
    reused_from: row.reused_from,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    completed_at: row.completed_at?.toISOString() ?? null,
  };
}

function retryOf({ max_attempts, backoff }: TaskRow): Task['retry'] {
  if (backoff === null) return { max_attempts };
  // Stored with the precision of real.
  const [initial_seconds, factor, max_seconds, jitter] = backoff.map((value) => Number(value.toPrecision(6)));
  return { max_attempts, initial_seconds, factor, max_seconds, jitter } as Task['retry'];
}
