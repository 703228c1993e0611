/** Retrying: a new task that is submitted like one that has ended, and names it. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { fingerprintOf } from './fingerprint.js';
import type { Submission } from './submission.js';
import { TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

export type RetriedRow = TaskRow & {
  run_anyway: boolean;
  is_retried: boolean;
  parents: { parent_id: string; name: string }[];
};

/** Rows of the tasks `ids`, with what a retry of them needs. */
export async function readRetried(db: Database, ids: readonly string[]): Promise<RetriedRow[]> {
  const { rows } = await sql<RetriedRow>`
    select ${TASK_COLUMNS}, t.run_anyway, exists (select from tasks r where r.retry_of = t.id offset 0) as is_retried,
           coalesce((select json_agg(json_build_object('parent_id', d.parent_id, 'name', d.name))
                       from dependencies d where d.task_id = t.id and d.kind = 'needs'), '[]') as parents
      from ${TASK_JOINS} where t.id = any (${ids}::uuid[])
     order by t.id`.execute(db);
  return rows;
}

/**
 * The submission that retries a task: the same work under the same rules, at once. A moment to run at, an expiry, a workflow
 * and the wish to reuse a result belong to the old task.
 */
export function retryOf(row: RetriedRow): Submission {
  return {
    name: row.name,
    problemId: row.problem_id,
    parameters: row.parameters,
    labels: row.labels,
    priority: row.priority,
    backendType: row.backend_type,
    timeoutSeconds: row.timeout_seconds,
    maxAttempts: row.max_attempts,
    maxLost: row.max_lost,
    backoff: row.backoff,
    runAt: null,
    delaySeconds: null,
    expiresAt: null,
    runAnyway: row.run_anyway,
    retryOf: row.id,
    workflowId: null,
    scheduleId: null,
    dedupeKey: row.dedupe_key,
    reuseSeconds: null,
    fingerprint: fingerprintOf(row.problem_id, row.parameters),
  };
}
