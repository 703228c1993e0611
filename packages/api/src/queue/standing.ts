/** How tasks stand, for those who follow them: many tasks in one statement, without what is large. */
import { sql } from 'kysely';
import type { TaskReason, TaskStatus, components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { LAST_PROGRESS, toProgress } from './progress.js';
import { taskStatus } from './status.js';
import { TASK_JOINS, type ReadyReason, type TaskRow } from './task.js';

export interface Standing extends Pick<TaskRow, 'id' | 'problem_id' | 'backend_type' | 'labels'> {
  readonly status: TaskStatus;
  readonly reason: TaskReason | null;
  readonly attempt: number;
  readonly worker_id: string | null;
  readonly updated_at: Date;
  readonly ended: boolean;
  /** How many lines its log has. */
  readonly lines: number;
  readonly progress: components['schemas']['TaskProgress'];
}

/** How the tasks `taskIds`, as far as they exist, stand at one moment. */
export async function readStandings(db: Database, taskIds: readonly string[]): Promise<Standing[]> {
  const { rows } = await sql<Standing>`
    select t.id, t.problem_id, t.backend_type, t.labels, o.status is not null as ended,
           ${taskStatus()} as status, coalesce(o.reason, q.wait_reason) as reason, coalesce(o.attempt, q.attempt) as attempt,
           coalesce(o.worker_id, q.worker_id) as worker_id, coalesce(o.ended_at, q.updated_at) as updated_at,
           coalesce(q.log_lines, (select max(line) from task_logs where task_id = t.id), 0) as lines, ${LAST_PROGRESS} as progress
      from ${TASK_JOINS}
     where t.id = any (${taskIds}::uuid[])`.execute(db);
  return rows.map((row) => ({ ...row, progress: toProgress(row.progress) }));
}

/** The contract's status of a task. */
export function toStatus(standing: Standing, readyReason: ReadyReason): components['schemas']['TaskStatusEvent'] {
  return {
    task_id: standing.id,
    status: standing.status,
    reason: standing.status === 'pending' ? (standing.reason ?? readyReason(standing)) : standing.reason,
    attempt: standing.attempt,
    worker_id: standing.worker_id,
    updated_at: standing.updated_at.toISOString(),
  };
}
