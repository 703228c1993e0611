/**
 * Rows of workers in statements: how they are reached, whether their session is live, and what it runs. They are reached by their ids,
 * one by one: by an equality a planner that takes the fleet for small, or what is asked for many, would as well read all of it, and keep
 * to that while the fleet grows to ten thousand.
 */
import { sql, type RawBuilder } from 'kysely';

/** True of a row `row` of workers while its session is live. A lapsed lease counts at once, before the sweep has noted it. */
export function isLive(row = 'w'): RawBuilder<boolean> {
  return sql`(${sql.ref(`${row}.ended_at`)} is null and ${sql.ref(`${row}.lease_until`)} > now())`;
}

/** The row of the worker and session that `asked` is about (worker_id, session_id; null: the current one), for a lateral join. */
export function workerOf(asked: string, condition: RawBuilder<boolean> = sql`true`): RawBuilder<unknown> {
  const [id, session] = [sql.ref(`${asked}.worker_id`), sql.ref(`${asked}.session_id`)];
  return sql`(select * from workers w where w.id = ${id} and w.session_id = coalesce(${session}, w.session_id) and ${condition} offset 0)`;
}

/**
 * True of the row `w` of the worker and session of `row` (id, session_id) while that session has not ended, for an update. Its end is asked
 * for by the reason, which comes with it: by ended_at there is an index of all that live.
 */
export function isWorkerOf(row: string): RawBuilder<boolean> {
  return sql`
    (w.id = any (array[${sql.ref(`${row}.id`)}]) and w.session_id is not distinct from ${sql.ref(`${row}.session_id`)}
      and w.end_reason is null)`;
}

/**
 * True of the queue row `q` that the session of `worker`, a row of workers, runs. What it has ended is left out by when it began: those
 * entries stay in the index while a snapshot is held.
 */
export function runsOn(worker: string): RawBuilder<boolean> {
  return sql`(q.session_id = ${sql.ref(`${worker}.session_id`)} and q.started_at >= ${sql.ref(`${worker}.running_since`)})`;
}
