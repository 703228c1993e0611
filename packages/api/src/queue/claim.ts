/**
 * The claim: one statement that gives a worker's session the next task that fits it. Invariants: no task goes to two
 * workers (its queue row is locked and still pending when it is taken); a session never holds more than
 * max_parallel_tasks (claims of one session pass one at a time: each must find claim_seq as its snapshot saw it);
 * a repeated request_id finds what the first one took.
 *
 * Order: highest priority, then oldest. The statement first looks at the front of the whole order; only when nothing
 * there fits does it look at the best of each fitting lane (a problem and backend that has pending tasks), so a worker
 * that fits little is served fast behind a million tasks that it does not fit.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import type { TaskRow } from './task.js';

/** How many rows of the whole order are looked at before the lanes are. */
const FRONT_ROWS = 200;
/** Candidates per lane beyond the wanted one: others may be locking the first. */
const LANE_ROWS = 65;
/** A claim loses a race only to another claim of its own session, of which a worker has few. */
const MAX_RACES = 5;

export interface ClaimRequest {
  readonly workerId: string;
  readonly sessionId: string;
  /** The worker's id for this claim, or null. */
  readonly requestId: string | null;
  readonly leaseSeconds: number;
}

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly task: TaskRow; readonly repeated: boolean }
  | { readonly kind: 'nothing' }
  /** The session is not live (any more). */
  | { readonly kind: 'no_session' };

type ClaimRow = { found: 'again' | 'new' | 'nothing' | 'raced' } & TaskRow;

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

async function claimOnce(db: Database, request: ClaimRequest): Promise<ClaimRow[]> {
  const { rows } = await sql<ClaimRow>`
    with recursive seen as materialized (
      select * from workers
       where id = ${request.workerId} and session_id = ${request.sessionId}::uuid and ended_at is null and lease_until > now()
    ), again as materialized (
      select q.task_id, q.attempt, q.worker_id, q.started_at, q.updated_at from queue q, seen
       where q.session_id = seen.session_id and q.state = 'running' and q.claim_request = ${request.requestId}
    ), session as materialized (
      update workers w
         set claim_seq = w.claim_seq + 1, last_seen_at = now(),
             lease_until = now() + make_interval(secs => ${request.leaseSeconds}::float8)
        from seen
       where w.id = seen.id and w.session_id = seen.session_id and w.claim_seq = seen.claim_seq
         and w.ended_at is null and w.lease_until > now() and not exists (select from again)
      returning w.id, w.session_id, w.backend_type, w.problem_patterns,
                (select count(*) from queue q where q.session_id = w.session_id and q.state = 'running')
                  < w.max_parallel_tasks as has_room
    ), front as materialized (
      select q.task_id, q.problem_id, q.backend_type, q.priority
        from queue q
       where q.state = 'pending' and (select has_room from session)
       order by q.priority desc, q.task_id
       limit ${FRONT_ROWS}
    ), front_pick as materialized (
      select q.task_id
        from front f
        join session s on f.backend_type in ('', s.backend_type)
                      and (cardinality(s.problem_patterns) = 0 or f.problem_id like any (s.problem_patterns))
        join queue q on q.task_id = f.task_id and q.state = 'pending'
       order by f.priority desc, f.task_id
       limit 1
         for update of q skip locked
    ), lanes as (
      (select q.problem_id, q.backend_type
         from queue q
        where q.state = 'pending' and (select has_room from session) and not exists (select from front_pick)
          and (select count(*) from front) = ${FRONT_ROWS}
        order by q.problem_id, q.backend_type
        limit 1)
      union all
      select next.*
        from lanes l
       cross join lateral (
         select q.problem_id, q.backend_type
           from queue q
          where q.state = 'pending' and (q.problem_id, q.backend_type) > (l.problem_id, l.backend_type)
          order by q.problem_id, q.backend_type
          limit 1) as next
    ), candidates as materialized (
      select best.task_id, best.priority
        from lanes l
        join session s on l.backend_type in ('', s.backend_type)
                      and (cardinality(s.problem_patterns) = 0 or l.problem_id like any (s.problem_patterns))
       cross join lateral (
         select q.task_id, q.priority
           from queue q
          where q.state = 'pending' and q.problem_id = l.problem_id and q.backend_type = l.backend_type
          order by q.priority desc, q.task_id
          limit ${LANE_ROWS}) as best
    ), lane_pick as materialized (
      select q.task_id
        from (select * from candidates order by priority desc, task_id limit ${LANE_ROWS}) as c
        join queue q on q.task_id = c.task_id and q.state = 'pending'
       order by c.priority desc, c.task_id
       limit 1
         for update of q skip locked
    ), started as (
      update queue q
         set state = 'running', attempt = q.attempt + 1, worker_id = s.id, session_id = s.session_id,
             claim_request = ${request.requestId}, started_at = now(), updated_at = now(),
             deadline_at = now() + make_interval(secs => q.timeout_seconds), log_lines_before = q.log_lines
        from session s, (select task_id from front_pick union all select task_id from lane_pick) as pick
       where q.task_id = pick.task_id and q.state = 'pending'
      returning q.task_id, q.attempt, q.worker_id, q.started_at, q.updated_at
    ), taken as (
      select 'again' as found, again.* from again
      union all
      select 'new', started.* from started
    )
    select coalesce(taken.found, case when exists (select from session) then 'nothing' else 'raced' end) as found,
           t.id, t.problem_id, t.parameters, t.priority, t.backend_type, t.timeout_seconds, t.max_attempts, t.max_lost,
           t.created_at, 'running' as status, null as reason, taken.attempt, taken.worker_id, taken.started_at,
           null as completed_at, taken.updated_at, null as result, null as error
      from seen
      left join taken on true
      left join tasks t on t.id = taken.task_id`.execute(db);
  return rows;
}
