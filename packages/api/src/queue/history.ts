/**
 * What every end of an attempt and of a task writes into the permanent tables: CTEs for a statement whose own CTEs hold the
 * rows. A verb's statement is then: the rows it may end (locked, under its condition), what becomes of them in the queue,
 * and these.
 */
import { sql, type RawBuilder } from 'kysely';

/**
 * Inserts the attempts that ended. Expects a CTE `held`: queue rows as they were while running, with `outcome` (how the
 * attempt ended) and `error` (why, or null).
 */
export const RECORD_ATTEMPTS: RawBuilder<unknown> = sql`
  attempted as (
    insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error)
    select task_id, attempt, worker_id, session_id, started_at, greatest(now(), started_at), outcome, error
      from held where state = 'running'
  )`;

/**
 * The moment at which the task of a queue row ends, no earlier than anything that was recorded of it. Not now(), which is taken shortly
 * before a transaction can be seen to be under way: an export could pass an end by then that is yet to be committed (see queue/horizon).
 */
export const ENDED_AT: RawBuilder<Date> = sql`greatest(clock_timestamp(), started_at, updated_at)::timestamptz(3)`;

/**
 * Inserts the outcomes of tasks that ended, counts them, and notes those that others depend on. Expects a CTE `ended`: queue
 * rows as they were, with `status`, `reason`, `result`, `error`, `reused_from` and `ended_at` (ENDED_AT, which differs each time that it
 * is asked for). Milliseconds are those of the last attempt.
 */
export const RECORD_OUTCOMES: RawBuilder<unknown> = sql`
  recorded as (
    insert into outcomes (task_id, status, reason, attempt, worker_id, session_id, started_at, ended_at, result, error,
                          reused_from, priority)
    select task_id, status, reason, attempt, worker_id, session_id, started_at,
           ended_at, result, error, reused_from, priority
      from ended
  ), counted as (
    insert into counter_deltas (problem_id, worker_id, kind, tasks, milliseconds)
    select problem_id, coalesce(worker_id, ''), status, count(*),
           coalesce(sum(greatest(0, extract(epoch from now() - started_at) * 1000)), 0)::bigint
      from ended group by problem_id, coalesce(worker_id, ''), status
  ), noted as (
    insert into ended_parents (task_id) select task_id from ended where has_dependents
  )`;

/** The assignments that take the attempt out of a queue row. */
const WITHOUT_ATTEMPT = sql`
  worker_id = null, session_id = null, worker_backend = null, claim_request = null, started_at = null, deadline_at = null,
  updated_at = greatest(now(), q.started_at)`;

/** The assignments that take a running queue row back to pending. */
export const BACK_TO_PENDING: RawBuilder<unknown> = sql`state = 'pending', ${WITHOUT_ATTEMPT}`;

/**
 * The assignments that take a running queue row back to be claimed no earlier than in `seconds`; at once where that is 0, or null, which
 * leaves available_at as it was.
 */
export function backAfter(seconds: RawBuilder<number | null>): RawBuilder<unknown> {
  return sql`
    state = case when ${seconds} > 0 then 'waiting' else 'pending' end,
    wait_reason = case when ${seconds} > 0 then 'backing_off' end,
    available_at = case when ${seconds} > 0 then now() + make_interval(secs => ${seconds}) when ${seconds} is null then q.available_at end,
    ${WITHOUT_ATTEMPT}`;
}

/**
 * Seconds until the next attempt of the queue row `h`, after one more failure: exponential, bounded, and shortened at random
 * by up to the task's jitter. The contract's bounds of factor and max_attempts keep the power, 100^99 at most, from overflowing.
 */
export const BACKOFF_SECONDS: RawBuilder<number> = sql`
  coalesce(least(h.backoff[3], h.backoff[1] * power(h.backoff[2]::float8, h.failures))
           * (1 - h.backoff[4] * random()), 0)::float8`;
