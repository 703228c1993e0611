/**
 * What must happen without anybody asking, from any replica at any time: attempts past their deadline end as timeout,
 * attempts whose session has ended are lost, tasks whose time has come become pending, and tasks whose time is over expire.
 * A question finds the tasks that each is about; its statement is told where to look, and decides and writes at once: rows that
 * somebody else is changing are left to them. That a session has ended is final (see fleet/lapse), so a decision by it cannot go
 * stale.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../db/database.js';
import { isTaskOf } from './fence.js';
import { BACK_TO_PENDING, backAfter, BACKOFF_SECONDS, ENDED_AT, RECORD_ATTEMPTS, RECORD_OUTCOMES } from './history.js';

/**
 * True of a row `q` of the queue: its attempt is past its deadline; the session of the worker `w` that holds it is over; it did not begin
 * in time; its time has come.
 */
const TIMED_OUT = sql<boolean>`q.state = 'running' and q.deadline_at <= now()`;
const ORPHANED = sql<boolean>`q.state = 'running' and (w.session_id <> q.session_id or w.ended_at is not null)`;
const EXPIRED = sql<boolean>`q.attempt = 0 and q.expires_at <= now()`;
const DUE = sql<boolean>`q.state = 'waiting' and q.blockers = 0 and q.available_at <= now()`;

/** Rows that one statement changes at most; a fuller sweep takes several. */
export const SWEEP_ROWS = 200;
/** Ids that a question gives at most; what is left waits for the next. */
const FOUND_ROWS = 50 * SWEEP_ROWS;

function orphanedOf(workerId: string | null): RawBuilder<{ task_id: string }> {
  return sql`
    select q.task_id from queue q join workers w on w.id = q.worker_id
     where ${ORPHANED} and q.worker_id = coalesce(${workerId}, q.worker_id)
     limit ${FOUND_ROWS}`;
}

/**
 * The tasks that there are for each of the sweeps. While a snapshot is held, each walks past all that was as it asks: once for
 * however many statements follow.
 */
export const TIMED_OUT_TASKS = sql<string[]>`
  array(select q.task_id from queue q where ${TIMED_OUT} order by q.deadline_at limit ${FOUND_ROWS})`;
export const ORPHANED_TASKS = sql<string[]>`array(${orphanedOf(null)})`;
export const EXPIRED_TASKS = sql<string[]>`
  array(select q.task_id from queue q where ${EXPIRED} order by q.expires_at limit ${FOUND_ROWS})`;
export const DUE_TASKS = sql<string[]>`
  array(select q.task_id from queue q where ${DUE} order by q.available_at limit ${FOUND_ROWS})`;

/** The tasks of ORPHANED_TASKS, those of one worker or of all. */
export async function findOrphaned(db: Database, workerId: string | null): Promise<string[]> {
  const { rows } = await orphanedOf(workerId).execute(db);
  return rows.map((row) => row.task_id);
}

/**
 * True of the queue rows `q` of the tasks `among` where `condition` is true now. Within coalesce the condition is no reason to read the
 * index of the question again, which a planner that takes the queue for empty prefers to looking up some ids.
 */
function stillSo(condition: RawBuilder<boolean>, among: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`q.task_id = any (${among}::uuid[]) and coalesce(${condition}, false)`;
}

/** A task that a sweep took from its worker, or ended. */
export interface Swept {
  readonly task_id: string;
  readonly problem_id: string;
  readonly backend_type: string;
  /** Back in the queue (at once, or waiting for its backoff), or over. */
  readonly fate: 'requeued' | 'waiting' | 'ended';
  readonly outcome: 'timeout' | 'lost' | 'released' | 'expired';
  readonly has_dependents: boolean;
  /** The worker whose attempt it was; null where it had none. */
  readonly worker_id: string | null;
}

/** Ends those of the attempts of the tasks `among` that are past their deadline. */
export async function sweepTimeouts(db: Database, among: readonly string[]): Promise<Swept[]> {
  const { rows } = await sql<Swept>`
    with held as materialized (
      select h.*, ${ENDED_AT} as ended_at, ${BACKOFF_SECONDS} as delay, h.failures + 1 < h.max_attempts as again
        from (
          select q.*, 'timeout' as outcome, 'timed out after ' || q.timeout_seconds || ' seconds' as error
            from queue q
           where ${stillSo(TIMED_OUT, among)}
             for update skip locked) as h
    ), requeued as (
      update queue q set failures = q.failures + 1, ${backAfter(sql`h.delay`)}
        from held h where ${isTaskOf('h')} and h.again
    ), ended as (
      delete from queue q using held h where ${isTaskOf('h')} and not h.again
      returning h.*, 'timeout' as status, 'timed_out' as reason, null::json as result, null::uuid as reused_from
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}
    select task_id, problem_id, backend_type, outcome, has_dependents, worker_id,
           case when not again then 'ended' when delay > 0 then 'waiting' else 'requeued' end as fate
      from held`.execute(db);
  return rows;
}

/** Takes the tasks `among` from sessions that have ended: their attempts are lost, or released where the worker had left in good order. */
export async function sweepSessions(db: Database, among: readonly string[]): Promise<Swept[]> {
  const { rows } = await sql<Swept>`
    with held as materialized (
      select q.*, case when w.session_id = q.session_id and w.end_reason = 'deregistered' then 'released' else 'lost' end as outcome,
             case when w.session_id <> q.session_id then 'the worker registered anew'
                  when w.end_reason = 'deregistered' then 'the worker left'
                  else 'the worker stopped sending heartbeats' end as error
        from queue q
        join workers w on w.id = q.worker_id
       where ${stillSo(ORPHANED, among)}
         for update of q skip locked
         -- The session as it is when the task is locked: with that of the snapshot, a task that a newer session has claimed since
         -- would be taken from it.
         for share of w skip locked
    ), requeued as (
      update queue q set losses = q.losses + case h.outcome when 'lost' then 1 else 0 end, ${BACK_TO_PENDING}
        from held h where ${isTaskOf('h')} and (h.outcome = 'released' or h.losses + 1 < h.max_lost)
    ), removed as (
      delete from queue q using held h where ${isTaskOf('h')} and h.outcome = 'lost' and h.losses + 1 >= h.max_lost
      returning h.*
    ), ended as (
      select task_id, problem_id, attempt, worker_id, session_id, started_at, ${ENDED_AT} as ended_at, priority, has_dependents,
             'failed' as status, 'workers_lost' as reason, null::json as result, null::uuid as reused_from,
             losses + 1 || ' attempts were lost with their workers, the last on ' || worker_id || ': ' || error as error
        from removed
    ), ${RECORD_ATTEMPTS}, ${RECORD_OUTCOMES}
    select task_id, problem_id, backend_type, outcome, has_dependents, worker_id,
           case when outcome = 'released' or losses + 1 < max_lost then 'requeued' else 'ended' end as fate
      from held`.execute(db);
  return rows;
}

/** Ends those of the tasks `among` that have not begun by their expires_at. */
export function sweepExpired(db: Database, among: readonly string[]): Promise<Swept[]> {
  return expire(db, sql`where ${stillSo(EXPIRED, among)} for update skip locked`);
}

/** True of the queue rows `q` with one of the dedupe_keys `keys` that have not begun by their expires_at. */
function isExpiredTwin(keys: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`q.dedupe_key = any (${keys}::text[]) and coalesce(${EXPIRED}, false)`;
}

/** Whether `expireTwins` has something to do. */
export async function hasExpiredTwins(db: Database, keys: readonly string[]): Promise<boolean> {
  if (keys.length === 0) return false;
  const { rows } = await sql`select from queue q where ${isExpiredTwin(keys)} limit 1`.execute(db);
  return rows.length > 0;
}

/** Ends them, for a submission with these keys. Whoever is at one of them is waited for: else the submission would still find it there. */
export function expireTwins(db: Database, keys: readonly string[]): Promise<Swept[]> {
  return expire(db, sql`where ${isExpiredTwin(keys)} order by q.task_id for update`);
}

/** Ends the rows `q` of the queue that the rest of a query, `found`, finds and locks. */
async function expire(db: Database, found: RawBuilder<unknown>): Promise<Swept[]> {
  const { rows } = await sql<Swept>`
    with held as materialized (
      select q.*, ${ENDED_AT} as ended_at, 'expired' as outcome from queue q
        ${found}
    ), ended as (
      delete from queue q using held h where ${isTaskOf('h')}
      returning h.*, 'timeout' as status, 'expired' as reason, null::json as result, null::uuid as reused_from,
                'did not begin before it expired' as error
    ), ${RECORD_OUTCOMES}
    select task_id, problem_id, backend_type, outcome, has_dependents, worker_id, 'ended' as fate from held`.execute(db);
  return rows;
}

/** A task that may now be claimed. */
export interface Due {
  readonly task_id: string;
  readonly problem_id: string;
  readonly backend_type: string;
}

/** Makes those of the tasks `among` pending whose time has come. */
export async function sweepDue(db: Database, among: readonly string[]): Promise<Due[]> {
  const { rows } = await sql<Due>`
    with due as materialized (
      select q.task_id from queue q
       where ${stillSo(DUE, among)}
         for update skip locked
    )
    update queue q set state = 'pending', wait_reason = null, updated_at = now()
      from due where ${isTaskOf('due')}
    returning q.task_id, q.problem_id, q.backend_type`.execute(db);
  return rows;
}
