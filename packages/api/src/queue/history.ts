/**
 * What every end of an attempt and of a task writes into the permanent tables. Each function gives the body of a CTE for a
 * statement whose own CTEs hold the rows; a verb's statement is then: the rows it may end (locked, under its condition),
 * what becomes of them in the queue, and these.
 */
import { sql, type RawBuilder } from 'kysely';

/**
 * Inserts the attempts that ended. Expects a CTE `held`: queue rows as they were while running, with `outcome` (how the
 * attempt ended) and `error` (why, or null).
 */
export const RECORD_ATTEMPTS: RawBuilder<unknown> = sql`
  insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error)
  select task_id, attempt, worker_id, session_id, started_at, greatest(now(), started_at), outcome, error
    from held where state = 'running'`;

/**
 * Inserts the outcomes of tasks that ended. Expects a CTE `ended`: queue rows as they were, with `status`, `reason`,
 * `result` and `error`.
 */
export const RECORD_OUTCOMES: RawBuilder<unknown> = sql`
  insert into outcomes (task_id, status, reason, attempt, worker_id, session_id, started_at, ended_at, result, error)
  select task_id, status, reason, attempt, worker_id, session_id, started_at,
         greatest(now(), started_at, updated_at), result, error
    from ended`;

/** Counts tasks that ended; expects `ended` as RECORD_OUTCOMES does. Milliseconds are those of the last attempt. */
export const COUNT_OUTCOMES: RawBuilder<unknown> = sql`
  insert into counter_deltas (problem_id, worker_id, kind, tasks, milliseconds)
  select problem_id, coalesce(worker_id, ''), status, count(*),
         coalesce(sum(greatest(0, extract(epoch from now() - started_at) * 1000)), 0)::bigint
    from ended group by problem_id, coalesce(worker_id, ''), status`;

/** The assignments that take a queue row back to pending. */
export const BACK_TO_PENDING: RawBuilder<unknown> = sql`
  state = 'pending', worker_id = null, session_id = null, claim_request = null, started_at = null, deadline_at = null,
  updated_at = now()`;
