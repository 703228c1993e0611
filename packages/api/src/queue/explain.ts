/**
 * Why a task is not running: the predicates of the claim (queue/eligible), asked one by one of one task, with who stands in its
 * way.
 */
import { sql } from 'kysely';
import { LIMITS, type TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { isLive, runsOn } from '../fleet/look-up.js';
import { fits, IN_ORDER, LIMIT_USE, limitedValue, NOT_EXPIRED, NOT_PAUSED, UNFIT } from './eligible.js';
import { runnerOf } from './stand-ins.js';
import { taskStatus } from './status.js';

export interface Explained {
  /** Whether it waits for something of its own, so that no claim looks at it. */
  waits: boolean;
  unexpired: boolean;
  expires_at: Date | null;
  available_at: Date | null;
  pauses: { problem_id: string; reason: string | null }[];
  blockers: number;
  dependencies: { name: string; task_id: string; status: TaskStatus }[];
  equal_task_id: string | null;
  limits: {
    limit_id: string; key: string; value: string; max_running: number; running: number; holders: { task_id: string; worker_id: string }[];
  }[];
  workers: { live: number; fitting: number; draining: number; unfit: number; slots: number; free: number };
  /** What one of the unfit ones says of it. */
  unfit_reason: string | null;
  /** Pending tasks that rank before it, counted to LIMITS.maxCountedAhead. */
  before: number;
  /** Those of them that the workers which take it take as well, but for paused and expired ones. */
  ahead: number;
  /** Whether `ahead` leaves some out: there are more problems or globs than MAX_COMPARED. */
  ahead_is_cut_off: boolean;
  /** Quartiles, in seconds, of the durations of recent tasks: those of this problem, or any where there are none. */
  durations: { low: number; high: number } | null;
  now: Date;
}

/** How many ended tasks the durations are taken from. */
const SAMPLE = 100;
/** Holders that are named for each full limit. */
const HOLDERS = 10;
/** How many of the problems before a task are compared, each with as many of the globs of its workers. */
export const MAX_COMPARED = 1000;

/** What holds a task back that has not begun, or null where it runs, has ended or is not there. */
export async function explainPending(db: Database, taskId: string): Promise<Explained | null> {
  const { rows } = await sql<Explained>`
    with asked as materialized (
      select * from queue where task_id = ${taskId}::uuid and state <> 'running'
    ), ${LIMIT_USE}, fleet as materialized (
      select s.id, s.backend_type, s.problem_patterns, s.max_parallel_tasks, ${fits('q')} as fits, s.draining_at is not null as draining,
             case when s.draining_at is null then ${UNFIT} end as unfit, (select count(*) from queue q where ${runsOn('s')}) as running
        from workers s, asked q where ${isLive('s')}
    ), taking as (
      select * from fleet where fits and not draining and unfit is null
    ), before as materialized (
      select q.problem_id, q.backend_type, ${NOT_EXPIRED} as unexpired
        from asked a cross join lateral (
          select q.* from queue q where ${IN_ORDER} and (q.rank, q.task_id) < (a.rank, a.task_id)
           order by q.rank, q.task_id limit ${LIMITS.maxCountedAhead}) as q
    ), problems as materialized (
      select q.*
        from (select problem_id, backend_type, count(*) as tasks from before where unexpired group by 1, 2) as q
       where ${NOT_PAUSED}
    ), patterns as materialized (
      select distinct backend_type, pattern
        from taking cross join lateral unnest(case when problem_patterns = '{}' then array['%'] else problem_patterns end) as pattern
    ), takers as materialized (
      -- The shortest take the most.
      select backend_type, array_agg(pattern) as problem_patterns
        from (select * from patterns order by length(pattern), pattern limit ${MAX_COMPARED}) as compared group by 1
    ), ahead as (
      select q.tasks from (select * from problems order by tasks desc, problem_id limit ${MAX_COMPARED}) as q
       where exists (select from takers s where ${fits('q')})
    ), durations as materialized (
      select extract(epoch from o.ended_at - o.started_at) as seconds, t.problem_id = (select problem_id from asked) as same
        from (
          (select t.id, t.problem_id from tasks t where t.problem_id = (select problem_id from asked) order by t.id desc limit ${SAMPLE})
          union
          (select o.task_id, '' from outcomes o where o.started_at is not null order by o.ended_at desc limit ${SAMPLE})
        ) as t join outcomes o on o.task_id = t.id
       where o.status = 'completed' and o.started_at is not null
    )
    select q.state = 'waiting' as waits, ${NOT_EXPIRED} as unexpired, q.expires_at, q.available_at, q.blockers, now() as now,
           coalesce((select json_agg(json_build_object('problem_id', p.problem_id, 'reason', p.reason) order by p.problem_id)
                       from pauses p where p.problem_id in ('', q.problem_id)), '[]') as pauses,
           coalesce((select json_agg(d) from (
             select d.name, d.parent_id as task_id, ${taskStatus('parent')} as status
               from open_dependencies w
               join dependencies d on d.task_id = w.task_id and d.parent_id = w.parent_id and d.kind = 'needs'
               left join queue parent on parent.task_id = d.parent_id left join outcomes o on o.task_id = d.parent_id
              where w.task_id = q.task_id
              order by d.name limit ${LIMITS.maxExplained}) as d), '[]') as dependencies,
           (select ${runnerOf('d.parent_id')}
              from dependencies d join open_dependencies w on w.parent_id = d.parent_id and w.task_id = d.task_id
             where d.task_id = q.task_id and d.kind = 'reuse' limit 1) as equal_task_id,
           coalesce((select json_agg(f) from (
             select l.limit_id, l.key, l.value, l.max_running, l.running, (
                      select json_agg(json_build_object('task_id', h.task_id, 'worker_id', h.worker_id)) from (
                        select q.task_id, q.worker_id from queue q
                         where q.state = 'running' and ${limitedValue(sql`q.worker_backend`)} = l.value
                         order by q.started_at limit ${HOLDERS}) as h) as holders
               from limit_use l
              where l.running >= l.max_running
                and l.value = any (case when l.key = 'backend_type' then array(select backend_type from taking)
                                        else array[${limitedValue(sql`''`)}] end)
                -- As long as one backend that may take it has room, none of them holds it back.
                and (l.key <> 'backend_type' or not exists (
                  select from taking t where t.backend_type not in (
                    select f.value from limit_use f where f.key = 'backend_type' and f.running >= f.max_running)))
              order by l.key, l.value limit ${LIMITS.maxExplained}) as f), '[]') as limits,
           (select json_build_object(
                     'live', count(*), 'fitting', count(*) filter (where fits), 'draining', count(*) filter (where fits and draining),
                     'unfit', count(*) filter (where fits and unfit is not null),
                     'slots', (select coalesce(sum(max_parallel_tasks), 0) from taking),
                     'free', (select coalesce(sum(greatest(0, max_parallel_tasks - running)), 0) from taking))
              from fleet) as workers,
           (select unfit from fleet where fits and unfit is not null order by id limit 1) as unfit_reason,
           (select count(*) from before) as before, (select coalesce(sum(tasks), 0)::bigint from ahead) as ahead,
           (select count(*) > ${MAX_COMPARED} or (count(*) > 0 and (select count(*) from patterns) > ${MAX_COMPARED})
              from problems) as ahead_is_cut_off,
           (select json_build_object('low', percentile_cont(0.25) within group (order by seconds),
                                     'high', percentile_cont(0.75) within group (order by seconds))
              from durations where same or not exists (select from durations where same) having count(*) > 0) as durations
      from asked q`.execute(db);
  return rows[0] ?? null;
}
