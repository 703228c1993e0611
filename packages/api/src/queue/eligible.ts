/**
 * Which pending task may be claimed by which worker: the predicates that the claim is made of, and from which explanations
 * and reasons are taken. `q` is always a pending queue row.
 */
import { sql, type RawBuilder } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import { runsOn } from '../fleet/look-up.js';
import { labelOf } from './limited-labels.js';

/** True of a queue row `q` that is pending, in the words of the index of the order: with others the planner may read another one. */
export const IN_ORDER: RawBuilder<boolean> = sql`(q.state <> 'waiting' and q.state <> 'running')`;

/** True of a queue row `q` that has not expired. What has begun once does not expire. */
export const NOT_EXPIRED: RawBuilder<boolean> = sql`(q.expires_at is null or q.attempt > 0 or q.expires_at > now())`;

/** True of a queue row `q` whose problem is not paused, nor the whole queue. */
export const NOT_PAUSED: RawBuilder<boolean> = sql`not exists (select from pauses p where p.problem_id in ('', q.problem_id))`;

/** True of a row `row` with a problem and a backend that a worker `s` takes, by its backend and its globs. */
export function fits(row: string): RawBuilder<boolean> {
  return sql`(${sql.ref(`${row}.backend_type`)} in ('', s.backend_type)
    and (cardinality(s.problem_patterns) = 0 or ${sql.ref(`${row}.problem_id`)} like any (s.problem_patterns)))`;
}

/**
 * Why a live worker `s` claims nothing, in its own words, or null. One that runs a task which began after it said so has claimed since;
 * what a registration says is older than all that its session runs. Only for explanations: a claim that it makes all the same is answered.
 */
export const UNFIT: RawBuilder<string | null> = sql`
  case when json_typeof(s.metadata -> 'unfit') = 'string' and (
         select true from queue q where ${runsOn('s')} and q.started_at > coalesce(s.fitness_at, '-infinity') limit 1) is null
       then nullif(left(s.metadata ->> 'unfit', ${LIMITS.maxUnfitChars}), '') end`;

/** What a queue row `q` on a worker with `backend` has for the key of the limit `l`; null: the limit is not about it. */
export function limitedValue(backend: RawBuilder<unknown>): RawBuilder<string | null> {
  return sql`
    case l.key when 'problem_id' then q.problem_id when 'backend_type' then ${backend} else q.labels ->> ${labelOf(sql`l.key`)} end`;
}

/**
 * A CTE: for each limit and each value of its key that has tasks running, how many. Counted from the queue, so that nothing
 * has to be kept in step; the running tasks are as many as the fleet can hold.
 */
export const LIMIT_USE: RawBuilder<unknown> = sql`
  limit_use as materialized (
    select l.id as limit_id, l.key, l.value is null as each, l.max_running, used.value, used.running
      from limits l
     cross join lateral (
       select ${limitedValue(sql`q.worker_backend`)} as value, count(*)::int as running
         from queue q where q.state = 'running' group by 1) as used
     where used.value is not null and used.value = coalesce(l.value, used.value)
  )`;

/** True of a queue row `q` while no limit that `backend` and its own values fall under is full. Expects LIMIT_USE. */
export function withinLimits(backend: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`not exists (select from limit_use l where l.running >= l.max_running and l.value = ${limitedValue(backend)})`;
}

/**
 * True of the pending row `q` that was found at the place of `row`, if it is still there and still pending. The state is not asked for by
 * an equality: a planner that takes for short what is pending would then walk all of it for each place, instead of looking there.
 */
export function isPlacedAt(row: string): RawBuilder<boolean> {
  return sql`(q.ctid = ${sql.ref(`${row}.place`)} and q.state is not distinct from 'pending')`;
}
