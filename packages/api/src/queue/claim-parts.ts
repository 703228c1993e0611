/**
 * What the two statements of a claim (queue/claim, queue/claim-plain) have in common: who asks, what becomes of the tasks that are
 * picked, and the answer.
 */
import { LIMITS } from '@task-executor/shared';
import { sql, type RawBuilder } from 'kysely';
import { isLive, isWorkerOf, runsOn, workerOf } from '../fleet/look-up.js';
import { isPlacedAt } from './eligible.js';
import { LAST_PROGRESS } from './progress.js';
import { SUBMITTED_COLUMNS, type TaskRow } from './task.js';

export interface ClaimRequest {
  readonly workerId: string;
  readonly sessionId: string;
  /** The worker's id for this claim, or null. */
  readonly requestId: string | null;
  /** How many tasks at most. */
  readonly wanted: number;
  readonly leaseSeconds: number;
}

export type ClaimedRow = TaskRow & { readonly needs_results: boolean };

/**
 * What a statement found for a request.
 * `again`: the tasks that an earlier claim of this request_id took. `new`: pending tasks that fit.
 * `full`: the session has no room, or drains. `raced`: another claim of the session was first.
 * `dry`: nothing fits. `nothing`: what fits went to others, or may be where the statement did not look.
 * `limited`: the one task that a statement takes while there are limits went to another request.
 * `elsewhere`: the shorter statement did not look at all that might fit. `behind`: it did not look before the place where it began.
 */
export type Found = 'again' | 'new' | 'nothing' | 'full' | 'dry' | 'raced' | 'limited' | 'elsewhere' | 'behind';

/** A task for the request of number `n`, or what else there is to say of it. `room`: for how many tasks it had room, and wanted. */
export type ClaimRow = { n: number; found: Found; room: number | null } & ClaimedRow;

/**
 * CTEs: `seen`, the live sessions that ask; `running`, what they run; `again`, what a repeated request_id has; `session`, those that
 * may take `room` tasks now: a claim of a session passes only where it finds claim_seq as it saw it; `appetite`, what they all
 * support; `slots`, a row for each task that is wanted.
 */
export function askingSessions(requests: readonly ClaimRequest[], supportedProblems: readonly string[] | null): RawBuilder<unknown> {
  const given = requests.map(({ workerId, sessionId, requestId, wanted, leaseSeconds }, n) => ({
    n, worker_id: workerId, session_id: sessionId, request_id: requestId, wanted, lease_seconds: leaseSeconds,
  }));
  return sql`
    given as materialized (
      select * from json_to_recordset(${JSON.stringify(given)}::json) as g (
        n int, worker_id text, session_id uuid, request_id text, wanted int, lease_seconds float8)
    ), seen as materialized (
      -- What one of them supports is taken for what all do.
      select g.n, g.request_id, g.wanted, g.lease_seconds,
             w.id, w.session_id, w.claim_seq, w.running_since, w.max_parallel_tasks, w.draining_at, w.backend_type, w.problem_patterns
        from given g
       cross join lateral ${workerOf('g', sql`
         ${isLive()} and w.supported_problems = coalesce(${supportedProblems}::text[], w.supported_problems)`)} as w
    ), running as materialized (
      -- Row by row, since the planner may take for short an index that is full of what has ended.
      select seen.n, seen.request_id, q.*
        from seen cross join lateral (
          select q.task_id, q.attempt, q.worker_id, q.started_at, q.updated_at, q.priority, q.rank, q.claim_request
            from queue q where ${runsOn('seen')} offset 0) as q
    ), again as materialized (
      select n, task_id, attempt, worker_id, started_at, updated_at, priority,
             row_number() over (partition by n order by rank, task_id) as slot
        from running where claim_request = request_id
    ), passing as materialized (
      -- In one order, so that no two claims wait for each other.
      select seen.*
        from (select * from seen order by id) as seen
       cross join lateral (
         select from workers w
          where w.id = seen.id and w.session_id = seen.session_id and w.claim_seq = seen.claim_seq and ${isLive()}
            for no key update of w) as w
    ), session as materialized (
      update workers w
         -- What a replica with a longer lease has promised is never taken back.
         set claim_seq = w.claim_seq + 1, last_seen_at = now(),
             lease_until = greatest(w.lease_until, now() + make_interval(secs => p.lease_seconds)),
             running_since = coalesce((select min(started_at) from running r where r.n = p.n), now())
        from passing p
       where ${isWorkerOf('p')} and w.claim_seq is not distinct from p.claim_seq and w.lease_until > now()
      returning w.id, w.session_id, w.running_since, p.n, p.request_id,
                case when w.draining_at is not null or p.n in (select n from again) then 0
                     else least(p.wanted, w.max_parallel_tasks - (select count(*) from running r where r.n = p.n)) end as room
    ), appetite as materialized (
      select backend_type, problem_patterns from seen limit 1
    ), slots as materialized (
      -- First one task for each session, then a second for each that wants one.
      select s.*, row_number() over (order by turn, s.n) as slot
        from session s cross join lateral generate_series(1, s.room) as turn
    )`;
}

/**
 * CTE: `pick`, of the rows `locked` (rank, task_id, parameter_bytes) as many as one answer may hold, each with its slot. `share`: what
 * goes before rank.
 */
export function pickFrom(locked: RawBuilder<unknown>, share = sql``): RawBuilder<unknown> {
  return sql`
    pick as materialized (
      select p.*
        from (select l.*, row_number() over nth as slot, sum(l.parameter_bytes) over nth as bytes
                from ${locked} l window nth as (order by ${share} l.rank, l.task_id rows unbounded preceding)) as p
       where p.slot = 1 or p.bytes <= ${LIMITS.maxClaimedBytes}
    )`;
}

/**
 * CTEs: `started`, the tasks of `pick` (place, updated_at, slot), each by its slot, where `condition` holds; `taken`, all that are to be
 * answered.
 */
export function startPicked(condition: RawBuilder<boolean>): RawBuilder<unknown> {
  return sql`
    started as (
      update queue q
         set state = 'running', attempt = q.attempt + 1, worker_id = slots.id, session_id = slots.session_id,
             worker_backend = (select backend_type from appetite), claim_request = slots.request_id,
             started_at = moment.at, updated_at = moment.at, deadline_at = moment.at + make_interval(secs => q.timeout_seconds),
             log_lines_before = q.log_lines
        from pick join slots on slots.slot = pick.slot
       cross join lateral (
         -- Our now() may be older than that of whoever put the task back before we saw it, or of the session's claim before us.
         select greatest(now(), pick.updated_at, slots.running_since) as at) as moment
       where ${isPlacedAt('pick')} and ${condition}
      returning slots.n, q.task_id, q.attempt, q.worker_id, q.started_at, q.updated_at, q.priority, pick.slot
    ), taken as (
      select 'again' as found, again.* from again
      union all
      select 'new', started.* from started
    )`;
}

/**
 * The answer: a row for each task of `taken`, and one for each session that took none; `otherwise` says why. `besides`: further columns.
 */
export function claimRows(otherwise: RawBuilder<Found>, besides = sql``): RawBuilder<unknown> {
  return sql`
    select seen.n,
           coalesce(taken.found,
                    case when session.n is null then 'raced' when session.room <= 0 then 'full' else ${otherwise} end) as found,
           session.room::int as room,
           ${SUBMITTED_COLUMNS}, t.run_at, taken.priority, 'running' as status, null as reason, taken.attempt, taken.worker_id,
           taken.started_at, null as completed_at, taken.updated_at, ${LAST_PROGRESS} as progress,
           null as result, null as error, null as reused_from,
           -- With exists a plan that was made while the table was empty would read all of it into a hash, for every claim.
           (select true from dependencies d where d.task_id = t.id and d.kind = 'needs' limit 1) is not null as needs_results
           ${besides}
      from seen
      left join session on session.n = seen.n
      left join taken on taken.n = seen.n
      left join tasks t on t.id = any (array[taken.task_id])
     order by seen.n, taken.slot`;
}
