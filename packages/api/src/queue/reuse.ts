/**
 * Equal tasks of a submission that asks for `reuse`: the result that it takes, and the run that it waits for. Both are parts of the
 * statement in queue/submit, asked once for each fingerprint `g`.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../db/database.js';
import { runnerOf } from './stand-ins.js';
import type { Submission } from './submission.js';

/** Such tasks are submitted in a transaction: see lockFingerprints. */
export function asksForReuse(tasks: readonly Submission[]): boolean {
  return tasks.some((task) => task.reuseSeconds !== null);
}

/**
 * Locks the fingerprints of the tasks that ask for reuse: of two equal submissions one has to see the other. In order, so that none waits
 * for another's second.
 */
export async function lockFingerprints(db: Database, tasks: readonly Submission[]): Promise<void> {
  const wanted = [...new Set(tasks.filter((task) => task.reuseSeconds !== null).map((task) => task.fingerprint))].sort();
  await sql`
    select pg_advisory_xact_lock(hashtextextended('task_executor.reuse ' || wanted, 0))
      from unnest(${wanted}::text[]) with ordinality as w (wanted, n) order by n`.execute(db);
}

/**
 * How many of the equal tasks that run themselves are looked at, the last ones: a batch may have a thousand problems, each run a thousand
 * times.
 */
const EQUAL_RUNS = 100;

/** The span of time in which a task was stored; by it `tasks_by_span` is sorted first. */
const spanOf = (id: string): RawBuilder<unknown> => sql`substr(uuid_send(${sql.ref(id)}), 1, 2)`;

/** A recursive CTE: `spans`, those that hold a task with a fingerprint, the latest first; seven or eight a year. */
export const SPANS = sql`
    spans as materialized (
      (select ${spanOf('id')} as span from tasks where fingerprint is not null order by 1 desc limit 1)
      union all
      select next.span
        from spans s
       cross join lateral (
         select ${spanOf('t.id')} as span from tasks t
          where t.fingerprint is not null and ${spanOf('t.id')} < s.span order by 1 desc limit 1) as next
    )`;

/**
 * The last equal tasks that run themselves, by their fingerprint: those that ran at once, and those that waited for an equal one in vain.
 * What else has a fingerprint in `tasks` was stored by an earlier version.
 */
const RUN = sql`(
  select t.id as task_id, t.id as awaited_id
    from spans s
   cross join lateral (
     select id from tasks where ${spanOf('id')} = s.span and fingerprint = g.fingerprint order by id desc limit ${EQUAL_RUNS}) as t
   order by t.id desc limit ${EQUAL_RUNS}) as r`;
const RUN_AFTER_ALL = sql`(
  select task_id, coalesce(awaited_id, task_id) as awaited_id from stand_ins
   where fingerprint = g.fingerprint order by number desc limit ${EQUAL_RUNS}) as r`;

/**
 * Among `runs`, the last that has completed and is not too old for `g`, and the first that has not ended. The outcome of each is looked
 * up in turn: joined, a planner that takes outcomes for short could as well read all that have completed. What ran without success is
 * walked past, so `g` is never each of many equal tasks.
 */
const sourceAmong = (runs: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  (select r.task_id as source_id, o.result
     from ${runs}
    cross join lateral (
      select result from outcomes
       where task_id = r.task_id and status = 'completed' and reason is null
         and ended_at >= g.created_at - make_interval(secs => g.reuse_seconds)
       limit 1) as o
    order by r.task_id desc limit 1)`;
const equalAmong = (runs: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  (select r.task_id as runner_id, r.awaited_id
     from ${runs}
    cross join lateral (select from queue where task_id = r.task_id and wait_reason is distinct from 'reusing' limit 1) as q
    order by r.task_id limit 1)`;

/** Runs that ended without a result and whose waiters have no stand-in yet: the note of the end is still to be processed. */
const vainAmong = (runs: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  (select null::uuid as runner_id, r.awaited_id
     from ${runs}
    cross join lateral (select from open_dependencies where parent_id = r.awaited_id and kind = 'reuse' limit 1) as d
    cross join lateral (select from outcomes where task_id = ${runnerOf('r.awaited_id')} and status <> 'completed' limit 1) as o
    limit 1)`;

/** The result that tasks of `g` take: `source_id`, `result`. */
export const LAST_RESULT = sql`
  ${sourceAmong(RUN)} union all ${sourceAmong(RUN_AFTER_ALL)} order by source_id desc limit 1`;

/**
 * The equal task that tasks of `g` wait for, where there is no result for them: `runner_id` is the one that runs (null: it ended in vain),
 * `awaited_id` the one on which those that wait for it depend. A task that an earlier version stored may be found both as one that runs and
 * as one that stands in: others depend on the older awaited one.
 */
export const FIRST_UNENDED = sql`
  ${equalAmong(RUN)} union all ${equalAmong(RUN_AFTER_ALL)} union all ${vainAmong(RUN)} union all ${vainAmong(RUN_AFTER_ALL)}
  order by runner_id nulls last, awaited_id limit 1`;
