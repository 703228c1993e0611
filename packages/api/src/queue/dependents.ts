/**
 * What the end of a task means for those that depend on it. A task that ends while others depend on it is noted in
 * ended_parents by the statement that ends it; this statement takes the note and acts, in a snapshot of its own.
 *
 * No wake-up is lost: a submission locks the queue rows of its parents (queue/submit), so a parent ends either before, and
 * the submission sees its outcome, or after, and then this statement, which begins after the parent's end has been
 * committed, sees the dependency. A submission that finds a parent ended, and not as completed, leaves a note of its own, in the
 * same transaction as the dependency; so a statement that sees the note sees the dependency, too. Notes are never merged: one that
 * stood for another's dependency could be taken before that is visible. A note that is not acted on (a crash) is found by the next
 * sweep.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isTaskOf } from './fence.js';
import { ENDED_AT, RECORD_OUTCOMES } from './history.js';

/** Notes that one statement acts on; each may be about thousands of dependents. */
const NOTES = 10;

/** Whether there is a note. */
export const ANY_NOTES = sql<boolean>`exists (select from ended_parents)`;

/** A task that its parents' ends have changed. */
export interface Woken {
  readonly task_id: string;
  readonly problem_id: string;
  readonly backend_type: string;
  /** It still waits, may be claimed, has taken another's result, or will never run. */
  readonly fate: 'waiting' | 'pending' | 'completed' | 'cancelled';
}

/** Acts on up to NOTES notes of ended tasks. Null when there was none left to act on. */
export async function wakeDependents(db: Database): Promise<Woken[] | null> {
  const { rows } = await sql<Woken & { notes: number }>`
    with notes as materialized (
      select ctid, task_id from ended_parents limit ${NOTES} for update skip locked
    ), parents as materialized (
      select o.task_id, o.status, o.result from outcomes o where o.task_id in (select task_id from notes)
    ), acted as (
      delete from ended_parents where ctid = any (array(select ctid from notes))
    ), opened as materialized (
      -- Locked in one order: two of these may act on notes of the same parents.
      select d.parent_id, d.task_id from open_dependencies d where d.parent_id in (select task_id from parents)
       order by d.parent_id, d.task_id
         for update
    ), edges as (
      delete from open_dependencies d using opened o, parents
       where d.parent_id = o.parent_id and d.task_id = o.task_id and parents.task_id = d.parent_id
      returning d.task_id, d.parent_id, d.kind, parents.status
    ), settled as materialized (
      select task_id, count(*)::int as edges,
             min(parent_id::text) filter (where kind = 'reuse' and status = 'completed') as source,
             min(parent_id::text) filter (where kind = 'needs' and status <> 'completed') as failed,
             min(parent_id::text) filter (where kind = 'reuse' and status <> 'completed') as awaited
        from edges group by task_id
    ), locked as materialized (
      select q.*, s.edges, s.source::uuid as source, s.failed, s.awaited,
             case when s.source is not null then 'completed'
                  when s.failed is not null and not q.run_anyway then 'cancelled'
                  when q.blockers > s.edges then 'waiting'
                  when q.available_at > now() then 'waiting'
                  else 'pending' end as fate
        from queue q join settled s on s.task_id = q.task_id
       order by q.task_id
         for update of q
    ), ranked as materialized (
      -- Of those that waited for an equal task in vain the first to run stands in for it, and the others wait for that one.
      select l.*, case when l.awaited is not null and l.source is null
                       then first_value(l.task_id) over (partition by l.awaited order by l.fate, l.rank, l.task_id) end as stand_in
        from locked l
    ), children as materialized (
      select r.*, coalesce(r.stand_in <> r.task_id, false) as follows from ranked r
    ), freed as (
      update queue q
         set blockers = c.blockers - c.edges + c.follows::int, updated_at = now(),
             has_dependents = c.has_dependents or c.task_id in (select stand_in from children where follows),
             state = case when c.fate = 'pending' and not c.follows then 'pending' else 'waiting' end,
             wait_reason = case when c.follows or c.blockers > c.edges then c.wait_reason
                                when c.fate <> 'pending' then 'scheduled' end
        from children c
       where ${isTaskOf('c')} and c.fate in ('waiting', 'pending')
    ), stood_in as (
      -- What was awaited is found by its fingerprint in one place or the other.
      insert into stand_ins (task_id, fingerprint)
      select c.task_id, awaited.fingerprint
        from children c
       cross join lateral (
         select fingerprint from tasks where id = c.awaited::uuid and fingerprint is not null
         union all
         select fingerprint from stand_ins where task_id = c.awaited::uuid
         limit 1) as awaited
       where c.stand_in = c.task_id
    ), followed as (
      insert into open_dependencies (parent_id, task_id, kind) select stand_in, task_id, 'reuse' from children where follows
    ), depended as (
      insert into dependencies (task_id, parent_id, name, kind) select task_id, stand_in, 'equal task', 'reuse' from children where follows
    ), removed as (
      delete from queue q using children c where ${isTaskOf('c')} and c.fate in ('completed', 'cancelled')
      returning c.*
    ), ended as (
      select r.task_id, r.problem_id, r.attempt, r.worker_id, r.session_id, r.started_at, ${ENDED_AT} as ended_at, r.priority, r.has_dependents,
             r.fate as status, case r.fate when 'completed' then 'reused' else 'dependency_failed' end as reason,
             case r.fate when 'completed' then p.result end as result,
             case r.fate when 'cancelled' then 'the task ' || r.failed || ', on which it depends, ended as ' ||
               (select status from parents where parents.task_id = r.failed::uuid) end as error,
             case r.fate when 'completed' then r.source end as reused_from
        from removed r left join parents p on p.task_id = r.source
    ), ${RECORD_OUTCOMES}
    select c.task_id, c.problem_id, c.backend_type, case when c.follows then 'waiting' else c.fate end as fate, once.notes
      from (select count(*) as notes from notes) as once left join children c on true`.execute(db);
  if ((rows[0]?.notes ?? 0) === 0) return null;
  return rows.filter((row) => row.task_id !== null);
}
