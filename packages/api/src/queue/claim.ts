/**
 * The claim: one statement that gives a worker's session the next task that fits it. Invariants: no task goes to two
 * workers (its queue row is locked and still pending when it is taken); a session never holds more than
 * max_parallel_tasks (claims of one session pass one at a time: each must find claim_seq as its snapshot saw it); no limit
 * is exceeded (claims under one value of a limit pass one at a time, in the same way); a repeated request_id finds what the
 * first one took.
 *
 * Order: by rank, which is priority and age (see the migration). The statement first looks at the front of the whole
 * order; only when nothing there fits does it look at the best of each fitting lane (a problem, a backend and values of
 * limited labels that have pending tasks), so a worker that fits little is served fast behind a million tasks that it does
 * not fit. Where a limit holds for each value of a key, values that use less of it come first, whatever the rank.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { fits, LIMIT_USE, limitedValue, NOT_EXPIRED, NOT_PAUSED, withinLimits } from './eligible.js';
import { LAST_PROGRESS } from './progress.js';
import { SUBMITTED_COLUMNS, type TaskRow } from './task.js';

/** How many rows of the whole order are looked at before the lanes are. */
const FRONT_ROWS = 200;
/** Candidates per lane beyond the wanted one: others may be locking the first. */
const LANE_ROWS = 65;
/** A claim loses a race to another claim of its own session, of which a worker has few, or under the same limit. */
const MAX_RACES = 30;

export interface ClaimRequest {
  readonly workerId: string;
  readonly sessionId: string;
  /** The worker's id for this claim, or null. */
  readonly requestId: string | null;
  readonly leaseSeconds: number;
}

export type ClaimedRow = TaskRow & { readonly needs_results: boolean };

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly task: ClaimedRow; readonly repeated: boolean }
  | { readonly kind: 'nothing' }
  /** The session is not live (any more). */
  | { readonly kind: 'no_session' };

type ClaimRow = { found: 'again' | 'new' | 'nothing' | 'raced' } & ClaimedRow;

/** Claims one task for a session and renews its lease. */
export async function claim(db: Database, request: ClaimRequest): Promise<ClaimResult> {
  for (let race = 0; race < MAX_RACES; race++) {
    const rows = await claimOnce(db, request);
    const [row] = rows;
    if (rows.length > 1) throw new Error(`a claim of one task took ${rows.length}`);
    if (row === undefined) return { kind: 'no_session' };
    if (row.found === 'raced') continue;
    if (row.found === 'nothing') return { kind: 'nothing' };
    return { kind: 'claimed', task: row, repeated: row.found === 'again' };
  }
  return { kind: 'nothing' };
}

/** Of a pending row `q` that fits the worker `s`: whether anything else holds it back. */
const NOT_HELD_BACK = sql`${NOT_EXPIRED} and ${NOT_PAUSED} and ${withinLimits(sql`s.backend_type`)}`;

async function claimOnce(db: Database, request: ClaimRequest): Promise<ClaimRow[]> {
  const { rows } = await sql<ClaimRow>`
    with recursive seen as materialized (
      select * from workers
       where id = ${request.workerId} and session_id = ${request.sessionId}::uuid and ended_at is null and lease_until > now()
    ), again as materialized (
      select q.task_id, q.attempt, q.worker_id, q.started_at, q.updated_at, q.priority from queue q, seen
       where q.session_id = seen.session_id and q.state = 'running' and q.claim_request = ${request.requestId}
    ), session as materialized (
      update workers w
         set claim_seq = w.claim_seq + 1, last_seen_at = now(),
             lease_until = now() + make_interval(secs => ${request.leaseSeconds}::float8)
        from seen
       where w.id = seen.id and w.session_id = seen.session_id and w.claim_seq = seen.claim_seq
         and w.ended_at is null and w.lease_until > now() and not exists (select from again)
      returning w.id, w.session_id, w.backend_type, w.problem_patterns,
                w.draining_at is null and not exists (select from pauses where problem_id = '')
                  and (select count(*) from queue q where q.session_id = w.session_id and q.state = 'running')
                        < w.max_parallel_tasks as may_take
    ), ${LIMIT_USE}, front as materialized (
      select q.*
        from queue q
       where q.state = 'pending' and (select may_take from session) and not exists (select from limits where value is null)
       order by q.rank, q.task_id
       limit ${FRONT_ROWS}
    ), front_pick as materialized (
      select q.task_id, q.problem_id, q.labels
        from front f
        join queue q on q.task_id = f.task_id and q.state = 'pending'
        join session s on ${fits('f')} and ${NOT_HELD_BACK}
       order by f.rank, f.task_id
       limit 1
         for update of q skip locked
    ), lanes as (
      (select q.problem_id, q.backend_type, q.lane
         from queue q
        where q.state = 'pending' and (select may_take from session) and not exists (select from front_pick)
          and ((select count(*) from front) = ${FRONT_ROWS} or exists (select from limits where value is null))
        order by q.problem_id, q.backend_type, q.lane
        limit 1)
      union all
      select next.*
        from lanes l
       cross join lateral (
         select q.problem_id, q.backend_type, q.lane
           from queue q
          where q.state = 'pending' and (q.problem_id, q.backend_type, q.lane) > (l.problem_id, l.backend_type, l.lane)
          order by q.problem_id, q.backend_type, q.lane
          limit 1) as next
    ), candidates as materialized (
      select q.task_id, q.rank,
             coalesce((select max(l.running::float8 / l.max_running) from limit_use l
                        where l.each and l.value = ${limitedValue(sql`s.backend_type`)}), 0) as share
        from lanes
        join session s on ${fits('lanes')}
       cross join lateral (
         select b.*
           from queue b
          where b.state = 'pending' and b.problem_id = lanes.problem_id and b.backend_type = lanes.backend_type and b.lane = lanes.lane
          order by b.rank, b.task_id
          limit ${LANE_ROWS}) as q
       where ${NOT_HELD_BACK}
    ), lane_pick as materialized (
      select q.task_id, q.problem_id, q.labels
        from (select * from candidates order by share, rank, task_id limit ${LANE_ROWS}) as c
        join queue q on q.task_id = c.task_id and q.state = 'pending'
       order by c.share, c.rank, c.task_id
       limit 1
         for update of q skip locked
    ), pick as materialized (
      select * from front_pick union all select * from lane_pick
    ), under as materialized (
      -- The limits that the picked task falls under, and how many claims each had seen.
      select l.id as limit_id, v.value, coalesce(c.claim_seq, 0) as claim_seq
        from pick q
       cross join session s
       cross join limits l
       cross join lateral (select ${limitedValue(sql`s.backend_type`)} as value) as v
        left join limit_claims c on c.limit_id = l.id and c.value = v.value
       where v.value is not null and v.value = coalesce(l.value, v.value)
    ), passed as (
      insert into limit_claims as c (limit_id, value, claim_seq)
      select limit_id, value, claim_seq + 1 from under order by limit_id, value
      on conflict (limit_id, value) do update set claim_seq = excluded.claim_seq where c.claim_seq = excluded.claim_seq - 1
      returning c.limit_id
    ), started as (
      update queue q
         set state = 'running', attempt = q.attempt + 1, worker_id = s.id, session_id = s.session_id, worker_backend = s.backend_type,
             claim_request = ${request.requestId}, started_at = now(), updated_at = now(),
             deadline_at = now() + make_interval(secs => q.timeout_seconds), log_lines_before = q.log_lines
        from session s, pick
       where q.task_id = pick.task_id and q.state = 'pending' and (select count(*) from passed) = (select count(*) from under)
      returning q.task_id, q.attempt, q.worker_id, q.started_at, q.updated_at, q.priority
    ), taken as (
      select 'again' as found, again.* from again
      union all
      select 'new', started.* from started
    )
    select coalesce(taken.found, case when exists (select from session) and not exists (select from pick) then 'nothing' else 'raced' end) as found,
           ${SUBMITTED_COLUMNS}, t.run_at, taken.priority, 'running' as status, null as reason, taken.attempt, taken.worker_id,
           taken.started_at, null as completed_at, taken.updated_at, ${LAST_PROGRESS} as progress,
           null as result, null as error, null as reused_from,
           exists (select from dependencies d where d.task_id = t.id and d.kind = 'needs') as needs_results
      from seen
      left join taken on true
      left join tasks t on t.id = taken.task_id`.execute(db);
  return rows;
}
