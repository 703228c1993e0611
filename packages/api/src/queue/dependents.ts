/**
 * What the end of a task means for those that depend on it. A task that ends while others depend on it is noted in
 * ended_parents by the statement that ends it; this statement takes the note and acts, in a snapshot of its own.
 *
 * No wake-up is lost: a submission locks the queue rows of its parents (queue/submit), so a parent ends either before, and
 * the submission sees its outcome, or after, and then this statement, which begins after the parent's end has been
 * committed, sees the dependency. A note that is not acted on (a crash) is found by the next sweep.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { RECORD_OUTCOMES } from './history.js';

/** Ended tasks that one statement acts on; each may have thousands of dependents. */
const PARENTS = 10;

/** A task that its parents' ends have changed. */
export interface Woken {
  readonly task_id: string;
  readonly problem_id: string;
  readonly backend_type: string;
  /** It still waits, may be claimed, has taken another's result, or will never run. */
  readonly fate: 'waiting' | 'pending' | 'completed' | 'cancelled';
}

/** Acts on up to PARENTS ended tasks. Null when there was none left to act on. */
export async function wakeDependents(db: Database): Promise<Woken[] | null> {
  const { rows } = await sql<Woken & { parents: number }>`
    with parents as materialized (
      select p.task_id, o.status, o.result, o.error
        from ended_parents p join outcomes o on o.task_id = p.task_id
       limit ${PARENTS}
         for update of p skip locked
    ), acted as (
      delete from ended_parents p using parents where p.task_id = parents.task_id
    ), edges as (
      delete from open_dependencies d using parents where d.parent_id = parents.task_id
      returning d.task_id, d.parent_id, d.kind, parents.status
    ), settled as materialized (
      select task_id, count(*)::int as edges,
             min(parent_id::text) filter (where kind = 'reuse' and status = 'completed') as source,
             min(parent_id::text) filter (where kind = 'needs' and status <> 'completed') as failed
        from edges group by task_id
    ), children as materialized (
      select q.*, s.edges, s.source::uuid as source, s.failed,
             case when s.source is not null then 'completed'
                  when s.failed is not null and not q.run_anyway then 'cancelled'
                  when q.blockers > s.edges then 'waiting'
                  when q.available_at > now() then 'waiting'
                  else 'pending' end as fate
        from queue q join settled s on s.task_id = q.task_id
       order by q.task_id
         for update of q
    ), freed as (
      update queue q
         set blockers = c.blockers - c.edges, updated_at = now(),
             state = case when c.fate = 'pending' then 'pending' else 'waiting' end,
             wait_reason = case when c.fate = 'pending' then null
                                when c.blockers > c.edges then c.wait_reason
                                else 'scheduled' end
        from children c
       where q.task_id = c.task_id and c.fate in ('waiting', 'pending')
    ), removed as (
      delete from queue q using children c where q.task_id = c.task_id and c.fate in ('completed', 'cancelled')
      returning c.*
    ), ended as (
      select r.task_id, r.problem_id, r.attempt, r.worker_id, r.session_id, r.started_at, r.updated_at, r.priority, r.has_dependents,
             r.fate as status, case r.fate when 'completed' then 'reused' else 'dependency_failed' end as reason,
             case r.fate when 'completed' then p.result end as result,
             case r.fate when 'cancelled' then 'the task ' || r.failed || ', on which it depends, ended as ' ||
               (select status from parents where parents.task_id = r.failed::uuid) end as error,
             case r.fate when 'completed' then r.source end as reused_from
        from removed r left join parents p on p.task_id = r.source
    ), ${RECORD_OUTCOMES}
    select c.task_id, c.problem_id, c.backend_type, c.fate, (select count(*) from parents) as parents
      from (select count(*) from parents) as once left join children c on true`.execute(db);
  if ((rows[0]?.parents ?? 0) === 0) return null;
  return rows.filter((row) => row.task_id !== null);
}
