/**
 * Statistics from counters, never from history. Submitted tasks and outcomes are counters plus deltas; running ones are
 * counted in the queue (as many as the fleet can hold); pending is what is left. One statement, so one snapshot.
 */
import { sql } from 'kysely';
import { LIMITS, type TerminalStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';

export interface Totals {
  submitted: number;
  running: number;
  completed: number;
  failed: number;
  timeout: number;
  cancelled: number;
  /** Of the completed, those that ran; the others took an earlier result. */
  executed: number;
  completed_milliseconds: number;
}

/** Counts over all tasks, or over those of one problem or one worker (whose `submitted` is then 0). */
export async function readTotals(db: Database, filter: { problemId?: string; workerId?: string } = {}): Promise<Totals> {
  const problemId = filter.problemId ?? null;
  const workerId = filter.workerId ?? null;
  const { rows } = await sql<Totals>`
    with counts as (
      select kind, worker_id <> '' as ran, sum(tasks) as tasks, sum(milliseconds) as milliseconds
        from (select * from counters union all select * from counter_deltas) as c
       where (${problemId}::text is null or problem_id = ${problemId}) and (${workerId}::text is null or worker_id = ${workerId})
       group by kind, ran
    )
    select coalesce(sum(tasks) filter (where kind = 'submitted'), 0)::bigint as submitted,
           coalesce(sum(tasks) filter (where kind = 'completed'), 0)::bigint as completed,
           coalesce(sum(tasks) filter (where kind = 'failed'), 0)::bigint as failed,
           coalesce(sum(tasks) filter (where kind = 'timeout'), 0)::bigint as timeout,
           coalesce(sum(tasks) filter (where kind = 'cancelled'), 0)::bigint as cancelled,
           coalesce(sum(tasks) filter (where kind = 'completed' and ran), 0)::bigint as executed,
           coalesce(sum(milliseconds) filter (where kind = 'completed'), 0)::bigint as completed_milliseconds,
           (select count(*) from queue
             where state = 'running' and (${problemId}::text is null or problem_id = ${problemId})
               and (${workerId}::text is null or worker_id = ${workerId})) as running
      from counts`.execute(db);
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
    with c as materialized (select * from counters union all select * from counter_deltas)
    (select 'problem' as axis, problem_id as key, sum(tasks)::bigint as tasks
       from c where kind = 'submitted' group by problem_id order by tasks desc, key limit ${LIMITS.maxStatsKeys})
    union all
    (select 'worker', worker_id, sum(tasks)::bigint as tasks
       from c where worker_id <> '' group by worker_id order by tasks desc, worker_id limit ${LIMITS.maxStatsKeys})`.execute(db);
  const pick = (axis: string): Record<string, number> =>
    Object.fromEntries(rows.filter((row) => row.axis === axis).map((row) => [row.key, row.tasks]));
  return { byProblem: pick('problem'), byWorker: pick('worker') };
}

/** Folds up to `limit` deltas into counters and returns how many; readers see the same sums before and after. */
export async function foldDeltas(db: Database, limit = 10_000): Promise<number> {
  const { rows } = await sql<{ folded: number }>`
    with one_at_a_time as materialized (
      -- Two folds at once would lock counters in different orders.
      select pg_try_advisory_xact_lock(hashtext('task_executor.fold_deltas')) as mine
    ), picked as materialized (
      select ctid from counter_deltas where (select mine from one_at_a_time) limit ${limit} for update skip locked
    ), taken as (
      delete from counter_deltas where ctid = any (array(select ctid from picked)) returning *
    ), folded as (
      insert into counters as c (problem_id, worker_id, kind, tasks, milliseconds)
      select problem_id, worker_id, kind, sum(tasks), sum(milliseconds) from taken group by problem_id, worker_id, kind
      on conflict (problem_id, worker_id, kind)
        do update set tasks = c.tasks + excluded.tasks, milliseconds = c.milliseconds + excluded.milliseconds
    )
    select count(*) as folded from taken`.execute(db);
  return rows[0]?.folded ?? 0;
}
