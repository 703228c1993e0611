-- As replicas do it: what was counted is folded; then the counts of what was written since.
with folded as (delete from counter_deltas returning *)
insert into counters (problem_id, worker_id, kind, tasks, milliseconds)
select problem_id, worker_id, kind, sum(tasks), sum(milliseconds) from folded group by 1, 2, 3
on conflict (problem_id, worker_id, kind) do update
  set tasks = counters.tasks + excluded.tasks, milliseconds = counters.milliseconds + excluded.milliseconds;

insert into counter_deltas (problem_id, worker_id, kind, tasks, milliseconds)
select problem_id, worker_id, kind, sum(tasks), sum(milliseconds)
  from (select problem_id, '' as worker_id, 'submitted' as kind, 1 as tasks, 0 as milliseconds from tasks
        union all
        select t.problem_id, coalesce(o.worker_id, ''), o.status, 1, coalesce(extract(epoch from o.ended_at - o.started_at) * 1000, 0)::bigint
          from outcomes o join tasks t on t.id = o.task_id
        union all
        select problem_id, worker_id, kind, -tasks, -milliseconds from counters) as counted
 group by 1, 2, 3 having sum(tasks) <> 0;
