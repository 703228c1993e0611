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
 * Those that wait for an equal task depend on the one that they waited for first, however many have stood in for it since. The end of
 * a stand-in leaves a note of that one, too (a trigger), and then only who stands in next is written: the others may be ten thousand.
 *
 * A statement acts on a piece of the dependents. Where more are left of a parent, it leaves another note.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isTaskOf } from './fence.js';
import { ENDED_AT, RECORD_OUTCOMES } from './history.js';
import { fingerprintOfRun, runnerOf } from './stand-ins.js';

/** Notes that one statement acts on. */
const NOTES = 10;
/** How many of those that waited in vain for an equal task, oldest first, are compared for who stands in. */
const CANDIDATES = 1_000;

/** What one statement does at most. */
export interface PieceBounds {
  /** Dependencies that it takes away. */
  readonly edges: number;
  /** Results that it copies, as they are stored: each task that waited for an equal one gets its own. The first is of any size. */
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
      select ctid, task_id, of_stand_in from ended_parents limit ${NOTES} for update skip locked
    ), parents as materialized (
      select o.task_id, o.status from outcomes o where o.task_id in (select task_id from notes)
    ), acted as (
      delete from ended_parents where ctid = any (array(select ctid from notes))
    ), runs as materialized (
      -- Without a status: somebody stands in, and has not ended.
      select p.task_id as awaited_id, runner.task_id, o.status, o.result, pg_column_size(o.result) as result_bytes
        from parents p
       cross join lateral (select ${runnerOf('p.task_id')} as task_id) as runner
        left join outcomes o on o.task_id = runner.task_id
    ), candidates as materialized (
      select r.awaited_id, d.task_id, q.task_id is null as is_gone, coalesce(q.available_at > now(), false) as is_early, q.rank
        from runs r
       cross join lateral (
         select task_id from open_dependencies where parent_id = r.awaited_id and kind = 'reuse' order by task_id limit ${CANDIDATES}) as d
        left join queue q on ${isTaskOf('d')}
       where r.status <> 'completed'
    ), chosen as materialized (
      -- Of those that waited for an equal task in vain the first to run stands in for it, and the others go on waiting.
      select distinct on (awaited_id) awaited_id, task_id from candidates where not is_gone order by awaited_id, is_early, rank, task_id
    ), ready as materialized (
      select p.*, d.task_id, row_number() over (partition by p.parent_id, p.kind order by d.task_id) as turn
        from (select distinct task_id as parent_id, 'needs' as kind, 0 as copied_bytes from notes where not of_stand_in
              union all
              select awaited_id, 'reuse', result_bytes from runs where status = 'completed') as p
       cross join lateral (
         select task_id from open_dependencies where parent_id = p.parent_id and kind = p.kind order by task_id limit ${edges + 1}) as d
    ), piece as materialized (
      -- In turns, so that a parent of few does not wait for one of many.
      select r.*, row_number() over nth = 1 or (row_number() over nth <= ${edges} and sum(copied_bytes) over nth <= ${resultBytes}) as fits
        from ready r window nth as (order by turn, parent_id, kind rows unbounded preceding)
    ), left_over as (
      insert into ended_parents (task_id, of_stand_in) select distinct parent_id, kind = 'reuse' from piece where not fits
    ), due as materialized (
      select parent_id, task_id from piece where fits
      union all
      select awaited_id, task_id from candidates where is_gone
      union all
      select awaited_id, task_id from chosen
    ), opened as materialized (
      -- Locked in one order: two of these may act on notes of the same parents.
      select d.parent_id, d.task_id, d.kind
        from due join open_dependencies d on d.parent_id = any (array[due.parent_id]) and d.task_id = any (array[due.task_id])
       order by d.parent_id, d.task_id
         for update of d
    ), settled as materialized (
      select d.task_id, count(*)::int as edges,
             min(r.task_id::text) filter (where d.kind = 'reuse' and r.status = 'completed') as source,
             min(d.parent_id::text) filter (where d.kind = 'needs' and p.status <> 'completed') as failed,
             min(d.parent_id::text) filter (where d.kind = 'reuse' and r.status <> 'completed') as awaited
        from opened d join parents p on p.task_id = d.parent_id join runs r on r.awaited_id = d.parent_id
       group by d.task_id
    ), locked as materialized (
      select q.*, s.edges, s.source::uuid as source, s.failed, s.awaited::uuid as awaited,
             case when s.source is not null then 'completed'
                  when s.failed is not null and not q.run_anyway then 'cancelled'
                  when q.blockers > s.edges then 'waiting'
                  when q.available_at > now() then 'waiting'
                  else 'pending' end as fate
        from queue q join settled s on s.task_id = q.task_id
       order by q.task_id
         for update of q
    ), stood_in as (
      -- Nothing where another stands in already, that this snapshot does not hold.
      insert into stand_ins (task_id, fingerprint, awaited_id, replaced_id)
      select l.task_id, ${fingerprintOfRun('l.awaited')}, l.awaited, r.task_id
        from locked l join runs r on r.awaited_id = l.awaited
       order by l.awaited
          on conflict do nothing
      returning task_id, awaited_id
    ), children as materialized (
      select * from locked where awaited is null or task_id in (select task_id from stood_in)
    ), closed as (
      delete from open_dependencies d using opened o
       where d.parent_id = o.parent_id and d.task_id = o.task_id
         and o.task_id not in (select task_id from locked except select task_id from children)
    ), repeated as (
      -- Who was chosen has gone, or has come too late, or all that were looked at have gone: there may be others.
      insert into ended_parents (task_id, of_stand_in)
      select distinct awaited_id, true from candidates where awaited_id not in (select awaited_id from stood_in)
    ), freed as (
      update queue q
         set blockers = c.blockers - c.edges, updated_at = now(), has_dependents = c.has_dependents or c.awaited is not null,
             state = case when c.fate = 'pending' then 'pending' else 'waiting' end,
             wait_reason = case when c.blockers > c.edges then c.wait_reason
                                when c.fate <> 'pending' then 'scheduled' end
        from children c
       where ${isTaskOf('c')} and c.fate in ('waiting', 'pending')
    ), removed as (
      delete from queue q using children c where ${isTaskOf('c')} and c.fate in ('completed', 'cancelled')
      returning c.*
    ), ended as (
      select r.task_id, r.problem_id, r.attempt, r.worker_id, r.session_id, r.started_at, ${ENDED_AT} as ended_at, r.priority,
             r.has_dependents, r.fate as status, case r.fate when 'completed' then 'reused' else 'dependency_failed' end as reason,
             case r.fate when 'completed' then (select result from runs where runs.task_id = r.source limit 1) end as result,
             case r.fate when 'cancelled' then 'the task ' || r.failed || ', on which it depends, ended as ' ||
               (select status from parents where parents.task_id = r.failed::uuid) end as error,
             case r.fate when 'completed' then r.source end as reused_from
        from removed r
    ), ${RECORD_OUTCOMES}
    select c.task_id, c.problem_id, c.backend_type, c.fate, once.notes
      from (select count(*) as notes from notes) as once left join children c on true`.execute(db);
  if ((rows[0]?.notes ?? 0) === 0) return null;
  return rows.filter((row) => row.task_id !== null);
}
