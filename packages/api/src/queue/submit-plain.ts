/**
 * Submission of tasks that wait for no other task and stand for none: the case of nearly all, and the reason for a statement
 * of its own beside that of queue/submit, which does the same with more questions. All are stored or none is.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { createdAtOf, labelLaneOf, rankOf, STORED_COLUMNS, submissions, type Submission } from './submission.js';
import type { TaskRow } from './task.js';

/** Whether a submission can be stored by `submitPlain`; it must have no edges either. */
export function isPlain(task: Submission): boolean {
  return task.dedupeKey === null && task.reuseSeconds === null;
}

/** Stores plain tasks, durably when this resolves. The rows, in their order. */
export async function submitPlain(db: Database, ageingMs: number, tasks: readonly Submission[]): Promise<TaskRow[]> {
  const { rows } = await sql<{ id: string; starts_at: Date | null; expires_at: Date | null; waits: boolean }>`
    with given as materialized (
      ${submissions(tasks)}
    ), stored as (
      insert into tasks (${STORED_COLUMNS}, fingerprint, run_at)
      select ${STORED_COLUMNS}, fingerprint, starts_at from given order by n
    ), labelled as (
      insert into task_labels (label, task_id)
      select l.key || '=' || l.value, g.id from given g, json_each_text(g.labels) as l where g.is_labelled
    ), queued as (
      insert into queue (task_id, problem_id, backend_type, priority, rank, state, wait_reason, available_at, expires_at, run_anyway,
                         timeout_seconds, max_attempts, max_lost, backoff, labels, lane, parameter_bytes, updated_at)
      select g.id, g.problem_id, coalesce(g.backend_type, ''), g.priority,
             ${rankOf(sql`greatest(g.created_at, g.starts_at)`, sql`g.priority`, ageingMs)},
             case when g.waits then 'waiting' else 'pending' end, case when g.waits then 'scheduled' end, g.starts_at, g.expires_at,
             g.run_anyway, g.timeout_seconds, g.max_attempts, g.max_lost, g.backoff,
             case when g.is_labelled then g.labels::jsonb end,
             case when g.is_labelled then ${labelLaneOf(sql`g.labels::jsonb`)} else '' end,
             octet_length(g.parameters::text), g.created_at
        from given g order by n
    ), counted as (
      insert into counter_deltas (problem_id, worker_id, kind, tasks, milliseconds)
      select problem_id, '', 'submitted', count(*), 0 from given group by problem_id
    )
    select id, starts_at, expires_at::timestamptz(3), waits from given order by n`.execute(db);
  return rows.map((row, n) => {
    const task = tasks[n] as Submission;
    const createdAt = createdAtOf(row.id);
    return {
      id: row.id, name: task.name, problem_id: task.problemId, parameters: task.parameters, labels: task.labels, priority: task.priority,
      backend_type: task.backendType, timeout_seconds: task.timeoutSeconds, max_attempts: task.maxAttempts, max_lost: task.maxLost,
      backoff: task.backoff === null ? null : [...task.backoff], run_at: row.starts_at, expires_at: row.expires_at, retry_of: task.retryOf,
      workflow_id: task.workflowId, schedule_id: task.scheduleId, dedupe_key: task.dedupeKey, created_at: createdAt,
      status: 'pending', reason: row.waits ? 'scheduled' : null, attempt: 0, worker_id: null, started_at: null, completed_at: null,
      updated_at: createdAt, result: null, error: null, reused_from: null, progress: null,
    };
  });
}
