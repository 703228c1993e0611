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
 *
 * A statement acts on a piece of the dependents. Where more are left of a parent, a new note takes the place of those that it took: so
 * whoever acts on the next piece sees what became of this one, and with it who stands in for equal tasks. Two notes of one parent
 * could still be acted on at once; the later one finds that dependents of its snapshot are gone, and leaves the parent to a statement that
 * sees why.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isTaskOf } from './fence.js';
import { ENDED_AT, RECORD_OUTCOMES } from './history.js';

/** Notes that one statement acts on; each may be about thousands of dependents. */
const NOTES = 10;

/** What one statement does at most. */
export interface PieceBounds {
  /** Dependencies that it takes away. */
  readonly edges: number;
  /** Of results as they are stored, which those who waited for an equal task get a copy of each; one gets its own whatever its size. */
  readonly resultBytes: number;
}

const PIECE: PieceBounds = { edges: 500, resultBytes: 16 * 1024 ** 2 };

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

/** Acts on up to NOTES notes of ended tasks, or on a piece of what they are about. Null when there was none left to act on. */
export async function wakeDependents(db: Database, { edges, resultBytes }: PieceBounds = PIECE): Promise<Woken[] | null> {
  const { rows } = await sql<Woken & { notes: number }>`
    with notes as materialized (
      select ctid, task_id from ended_parents limit ${NOTES} for update skip locked
    ), parents as materialized (
      select o.task_id, o.status, o.result, o.ended_at, pg_column_size(o.result) as result_bytes
        from outcomes o where o.task_id in (select task_id from notes)
    ), acted as (
      delete from ended_parents where ctid = any (array(select ctid from notes))
    ), seen as materialized (
      select d.parent_id, d.task_id, case when d.kind = 'reuse' and p.status = 'completed' then p.result_bytes else 0 end as copied_bytes,
             row_number() over (partition by d.parent_id order by d.task_id) as turn
        from parents p cross join lateral (
          select * from open_dependencies where parent_id = p.task_id order by task_id limit ${edges + 1}) as d
    ), piece as materialized (
      -- In turns, so that a parent of few does not wait for one of many.
      select s.*, row_number() over nth = 1 or (row_number() over nth <= ${edges} and sum(copied_bytes) over nth <= ${resultBytes}) as fits
        from seen s window nth as (order by turn, parent_id rows unbounded preceding)
    ), opened as materialized (
      -- Locked in one order: two of these may act on notes of the same parents.
      select d.parent_id, d.task_id from open_dependencies d join piece p on p.parent_id = d.parent_id and p.task_id = d.task_id
       where p.fits
       order by d.parent_id, d.task_id
         for update of d
    ), overtaken as materialized (
      select parent_id from piece where fits and (parent_id, task_id) not in (select parent_id, task_id from opened)
    ), edges as (
      delete from open_dependencies d using opened o, parents
       where d.parent_id = o.parent_id and d.task_id = o.task_id and parents.task_id = d.parent_id
         and d.parent_id not in (select parent_id from overtaken)
      returning d.task_id, d.parent_id, d.kind, parents.status
    ), settled as materialized (
      select task_id, count(*)::int as edges,
             min(parent_id::text) filter (where kind = 'reuse' and status = 'completed') as source,
             min(parent_id::text) filter (where kind = 'needs' and status <> 'completed') as failed,
             min(parent_id::text) filter (where kind = 'reuse' and status <> 'completed') as awaited
        from edges group by task_id
    ), awaited as materialized (
      -- What ended in vain for those who waited for it is found by its fingerprint in one place or the other.
      select p.task_id, p.ended_at, f.fingerprint
        from parents p
       cross join lateral (
         select fingerprint from tasks where id = p.task_id and fingerprint is not null
         union all
         select fingerprint from stand_ins where task_id = p.task_id
         limit 1) as f
       where p.task_id::text in (select awaited from settled)
    ), standing as materialized (
      -- Whom an earlier piece found to stand in for it. Those of this piece wait for that one, too, though it may have ended since: its end
      -- is then acted on once more. Who else stands in after one that ended in vain may just be being found, and is visible then.
      select a.task_id as awaited, s.task_id
        from awaited a
       cross join lateral (
         select s.task_id
           from stand_ins s
          cross join lateral (
            select null as status from queue where task_id = s.task_id
            union all
            select status from outcomes where task_id = s.task_id and (ended_at, task_id) > (a.ended_at, a.task_id)
            limit 1) as found
          where s.fingerprint = a.fingerprint
          order by coalesce(found.status, 'completed') = 'completed' desc, s.task_id limit 1) as s
    ), concerned as materialized (
      select * from settled
      union all
      select distinct task_id, 0, null, null, null from standing
    ), locked as materialized (
      select q.*, s.edges, s.source::uuid as source, s.failed, s.awaited,
             case when s.source is not null then 'completed'
                  when s.failed is not null and not q.run_anyway then 'cancelled'
                  when q.blockers > s.edges then 'waiting'
                  when q.available_at > now() then 'waiting'
                  else 'pending' end as fate
        from queue q join concerned s on s.task_id = q.task_id
       order by q.task_id
         for update of q
    ), ranked as materialized (
      -- Of those that waited for an equal task in vain the first to run stands in for it, and the others wait for that one.
      select l.*, case when l.awaited is not null and l.source is null
                       then coalesce(s.task_id, first_value(l.task_id) over (partition by l.awaited order by l.fate, l.rank, l.task_id)) end as stand_in
        from locked l left join standing s on s.awaited = l.awaited::uuid
       where l.edges > 0
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
    ), watched as (
      update queue q set has_dependents = true from locked l where ${isTaskOf('l')} and l.edges = 0 and not l.has_dependents
    ), passed as (
      insert into ended_parents (task_id)
      select p.task_id from parents p
       where p.task_id in (select parent_id from piece where not fits union all select parent_id from overtaken)
      union
      -- Who stood in and has ended before those here waited for it.
      select stand_in from children where follows and stand_in not in (select task_id from locked)
    ), stood_in as (
      insert into stand_ins (task_id, fingerprint)
      select c.task_id, a.fingerprint from children c join awaited a on a.task_id = c.awaited::uuid where c.stand_in = c.task_id
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
