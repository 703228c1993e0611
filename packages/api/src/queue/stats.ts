/**
 * Statistics from totals, never from history. Submitted tasks and outcomes are totals plus the deltas that nobody has folded into
 * them yet; running ones are counted in the queue (as many as the fleet can hold); pending is what is left. One statement, so one
 * snapshot.
 */
import { sql, type RawBuilder } from 'kysely';
import { LIMITS, type TerminalStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';

export interface Totals {
  submitted: number;
  running: number;
  completed: number;
  failed: number;
  timeout: number;
  cancelled: number;
  /** Completed tasks that ran; the others took an earlier result. */
  executed: number;
  completed_milliseconds: number;
}

/** The columns of totals, as sums over rows of deltas (`kind`, `tasks`, `milliseconds`, `worker_id`). */
const SUMS: RawBuilder<unknown> = sql`
  coalesce(sum(tasks) filter (where kind = 'submitted'), 0)::bigint as submitted,
  coalesce(sum(tasks) filter (where kind = 'completed'), 0)::bigint as completed,
  coalesce(sum(tasks) filter (where kind = 'failed'), 0)::bigint as failed,
  coalesce(sum(tasks) filter (where kind = 'timeout'), 0)::bigint as timeout,
  coalesce(sum(tasks) filter (where kind = 'cancelled'), 0)::bigint as cancelled,
  coalesce(sum(tasks) filter (where kind = 'completed' and worker_id <> ''), 0)::bigint as executed,
  coalesce(sum(milliseconds) filter (where kind = 'completed'), 0)::bigint as completed_milliseconds`;

/** The totals that a row `d` of deltas is part of, as `a (axis, key)`. */
const AXES: RawBuilder<unknown> = sql`
  lateral (select 'all' as axis, '' as key union all select 'problem', d.problem_id
           union all select 'worker', d.worker_id where d.worker_id <> '') as a`;

/** All tasks, those of one problem, or those of one worker (whose `submitted` is 0). */
export type TotalsOf = { readonly problemId: string } | { readonly workerId: string } | 'all';

export async function readTotals(db: Database, of: TotalsOf = 'all'): Promise<Totals> {
  const [axis, key] = of === 'all' ? ['all', ''] : 'problemId' in of ? ['problem', of.problemId] : ['worker', of.workerId];
  const { rows } = await sql<Totals>`
    with counted as (
      select submitted, completed, failed, timeout, cancelled, executed, completed_milliseconds
        from totals where axis = ${axis} and key = ${key}
      union all
      select ${SUMS} from counter_deltas d cross join ${AXES} where a.axis = ${axis} and a.key = ${key}
    )
    select sum(submitted)::bigint as submitted, sum(completed)::bigint as completed, sum(failed)::bigint as failed,
           sum(timeout)::bigint as timeout, sum(cancelled)::bigint as cancelled, sum(executed)::bigint as executed,
           sum(completed_milliseconds)::bigint as completed_milliseconds,
           (select count(*) from queue where state = 'running'
               and case ${axis} when 'problem' then problem_id = ${key} when 'worker' then worker_id = ${key} else true end) as running
      from counted`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('counting gave no row');
  return row;
}

/** What is neither running nor over. */
export function pendingOf(totals: Totals): number {
  return totals.submitted - totals.running - endedOf(totals);
}

export function endedOf(totals: Pick<Totals, TerminalStatus>): number {
  return totals.completed + totals.failed + totals.timeout + totals.cancelled;
}

/** Mean seconds of the completed tasks that ran, and completed among completed, failed and timed out; 0 where there are none. */
export function rates(totals: Totals): { avg_execution_time: number; success_rate: number } {
  const decided = totals.completed + totals.failed + totals.timeout;
  return {
    avg_execution_time: totals.executed === 0 ? 0 : totals.completed_milliseconds / totals.executed / 1000,
    success_rate: decided === 0 ? 0 : totals.completed / decided,
  };
}

/** Tasks by problem (submitted) and by worker (ended), the LIMITS.maxStatsKeys largest of each. */
export async function readBreakdown(db: Database): Promise<{ byProblem: Record<string, number>; byWorker: Record<string, number> }> {
  const { rows } = await sql<{ axis: 'problem' | 'worker'; key: string; tasks: number }>`
    with deltas as materialized (
      select a.axis, a.key, sum(d.tasks)::bigint as tasks
        from counter_deltas d cross join ${AXES}
       where (a.axis = 'problem' and d.kind = 'submitted') or a.axis = 'worker'
       group by 1, 2
    )
    ${largest('problem')} union all ${largest('worker')}`.execute(db);
  const pick = (axis: string): Record<string, number> =>
    Object.fromEntries(rows.filter((row) => row.axis === axis).map((row) => [row.key, row.tasks]));
  return { byProblem: pick('problem'), byWorker: pick('worker') };
}

/** What a row `t` of totals counts for among those of its axis; as the index totals_by_size has it. */
const SIZE: RawBuilder<number> = sql`
  (case t.axis when 'worker' then t.completed + t.failed + t.timeout + t.cancelled else t.submitted end)`;

/** Deltas only add, so the largest are among the largest totals and those that deltas are about. */
function largest(axis: 'problem' | 'worker'): RawBuilder<unknown> {
  return sql`
    (select ${axis} as axis, key, sum(tasks)::bigint as tasks
       from ((select t.key, ${SIZE} as tasks from totals t where t.axis = ${axis}
               order by ${SIZE} desc, t.key limit ${LIMITS.maxStatsKeys})
             union
             (select t.key, ${SIZE} from deltas d join totals t on t.axis = ${axis} and t.key = d.key where d.axis = ${axis})
             union all
             (select d.key, d.tasks from deltas d where d.axis = ${axis})) as known
      group by key order by tasks desc, key limit ${LIMITS.maxStatsKeys})`;
}

/** Deltas that one statement folds at most. */
const FOLDED_ROWS = 10_000;

/** Whether there is anything to fold. */
export const ANY_DELTAS = sql<boolean>`exists (select from counter_deltas)`;

/** Folds deltas into totals and returns how many; readers see the same sums before and after. */
export async function foldDeltas(db: Database): Promise<number> {
  const { rows } = await sql<{ folded: number }>`
    with one_at_a_time as materialized (
      -- Two folds at once would lock totals in different orders.
      select pg_try_advisory_xact_lock(hashtext('task_executor.fold_deltas')) as mine
    ), picked as materialized (
      select ctid from counter_deltas where (select mine from one_at_a_time) limit ${FOLDED_ROWS} for update skip locked
    ), taken as (
      delete from counter_deltas where ctid = any (array(select ctid from picked)) returning *
    ), folded as (
      insert into totals as t (axis, key, submitted, completed, failed, timeout, cancelled, executed, completed_milliseconds)
      select a.axis, a.key, ${SUMS} from taken d cross join ${AXES} group by a.axis, a.key
      on conflict (axis, key) do update
        set submitted = t.submitted + excluded.submitted, completed = t.completed + excluded.completed,
            failed = t.failed + excluded.failed, timeout = t.timeout + excluded.timeout, cancelled = t.cancelled + excluded.cancelled,
            executed = t.executed + excluded.executed, completed_milliseconds = t.completed_milliseconds + excluded.completed_milliseconds
    )
    select count(*) as folded from taken`.execute(db);
  return rows[0]?.folded ?? 0;
}
