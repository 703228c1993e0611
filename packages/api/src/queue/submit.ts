/** Submission: the task's permanent row, its queue row and its count, in one statement. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import type { TaskRow } from './task.js';

export interface Submission {
  readonly problemId: string;
  readonly parameters: Record<string, unknown>;
  readonly priority: number;
  readonly backendType: string | null;
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly maxLost: number;
}

/** Stores one task, pending. When this resolves, the task is durable. */
export async function submit(db: Database, task: Submission): Promise<TaskRow> {
  const { rows } = await sql<TaskRow>`
    with stored as (
      insert into tasks (id, problem_id, parameters, priority, backend_type, timeout_seconds, max_attempts, max_lost, created_at)
      select uuid_v7(moment), ${task.problemId}, ${JSON.stringify(task.parameters)}::json, ${task.priority}::smallint,
             ${task.backendType}, ${task.timeoutSeconds}::int, ${task.maxAttempts}::smallint, ${task.maxLost}::smallint,
             -- Cut, not rounded: created_at must never be later than a time read after it.
             date_trunc('milliseconds', moment)
        from (select clock_timestamp() as moment) as clock
      returning *
    ), queued as (
      insert into queue (task_id, problem_id, backend_type, priority, state, timeout_seconds, max_attempts, max_lost, updated_at)
      select id, problem_id, coalesce(backend_type, ''), priority, 'pending', timeout_seconds, max_attempts, max_lost, created_at
        from stored
    ), counted as (
      insert into counter_deltas (problem_id, worker_id, kind, tasks, milliseconds)
      select problem_id, '', 'submitted', 1, 0 from stored
    )
    select s.*, 'pending' as status, null as reason, 0 as attempt, null as worker_id, null as started_at,
           null as completed_at, s.created_at as updated_at, null as result, null as error
      from stored s`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('a submission gave no row');
  return row;
}
