-- What the statistics are read from: a row for all tasks, one for each problem and one for each worker, so that reading them costs
-- the same however many problems met however many workers. `executed`: completed by a worker, not by another's result.
create table totals (
  axis                   text not null check (axis in ('all', 'problem', 'worker')),
  key                    text collate "C" not null,                 -- a problem, a worker, or '' for all
  submitted              bigint not null,
  completed              bigint not null,
  failed                 bigint not null,
  timeout                bigint not null,
  cancelled              bigint not null,
  executed               bigint not null,
  completed_milliseconds bigint not null,
  primary key (axis, key)
) with (fillfactor = 50);
-- A worker submits nothing: its size is what it ended.
create index totals_by_size on totals
  (axis, (case axis when 'worker' then completed + failed + timeout + cancelled else submitted end) desc, key);

-- Nobody folds between the sums and the trigger.
lock table counters in share row exclusive mode;
insert into totals (axis, key, submitted, completed, failed, timeout, cancelled, executed, completed_milliseconds)
select axis, key,
       coalesce(sum(tasks) filter (where kind = 'submitted'), 0), coalesce(sum(tasks) filter (where kind = 'completed'), 0),
       coalesce(sum(tasks) filter (where kind = 'failed'), 0), coalesce(sum(tasks) filter (where kind = 'timeout'), 0),
       coalesce(sum(tasks) filter (where kind = 'cancelled'), 0),
       coalesce(sum(tasks) filter (where kind = 'completed' and worker_id <> ''), 0),
       coalesce(sum(milliseconds) filter (where kind = 'completed'), 0)
  from counters
 cross join lateral (values ('all', ''), ('problem', problem_id), ('worker', worker_id)) as a (axis, key)
 where axis <> 'worker' or key <> ''
 group by axis, key;

-- Replicas of earlier versions that serve on while this one comes up fold into `counters`, which nothing of this version reads.
create function counters_to_totals() returns trigger
  language plpgsql
as $$
declare
  more  bigint := new.tasks - case tg_op when 'UPDATE' then old.tasks else 0 end;
  spent bigint := new.milliseconds - case tg_op when 'UPDATE' then old.milliseconds else 0 end;
begin
  insert into totals as t (axis, key, submitted, completed, failed, timeout, cancelled, executed, completed_milliseconds)
  select axis, key, case new.kind when 'submitted' then more else 0 end, case new.kind when 'completed' then more else 0 end,
         case new.kind when 'failed' then more else 0 end, case new.kind when 'timeout' then more else 0 end,
         case new.kind when 'cancelled' then more else 0 end, case when new.kind = 'completed' and new.worker_id <> '' then more else 0 end,
         case new.kind when 'completed' then spent else 0 end
    from (values ('all', ''), ('problem', new.problem_id), ('worker', new.worker_id)) as a (axis, key)
   where axis <> 'worker' or key <> ''
  on conflict (axis, key) do update
    set submitted = t.submitted + excluded.submitted, completed = t.completed + excluded.completed,
        failed = t.failed + excluded.failed, timeout = t.timeout + excluded.timeout, cancelled = t.cancelled + excluded.cancelled,
        executed = t.executed + excluded.executed, completed_milliseconds = t.completed_milliseconds + excluded.completed_milliseconds;
  return null;
end
$$;
create trigger counters_to_totals after insert or update on counters for each row execute function counters_to_totals();
