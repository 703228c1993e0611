-- Of those that waited for an equal task (501), one stood in (502), the others then depended on it (503, 504), and it failed, too.
insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at, reuse_seconds, fingerprint)
  select ('01900000-0000-7000-8000-000000000' || n)::uuid, 'test-handed-over', '{}', 5, 1800, 1, 3, now() - interval '1 hour', case when n > 501 then 0 end,
         case when n = 501 then '00000000-0000-4000-8000-000000000501'::uuid end
    from generate_series(501, 504) as n;
insert into stand_ins (task_id, fingerprint) values ('01900000-0000-7000-8000-000000000502', '00000000-0000-4000-8000-000000000501');
insert into outcomes (task_id, status, reason, attempt, worker_id, session_id, started_at, ended_at, error)
  select id, 'failed', 'task_failed', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '50 minutes', now() - interval '40 minutes', 'no'
    from tasks where substring(id::text from 34) in ('501', '502');
insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error)
  select task_id, attempt, worker_id, session_id, started_at, ended_at, status, error from outcomes where substring(task_id::text from 34) in ('501', '502');
insert into dependencies (task_id, parent_id, name, kind)
  select ('01900000-0000-7000-8000-000000000' || child)::uuid, ('01900000-0000-7000-8000-000000000' || parent)::uuid, 'equal task', 'reuse'
    from (values (502, 501), (503, 501), (504, 501), (503, 502), (504, 502)) as d (child, parent);
insert into open_dependencies (parent_id, task_id, kind)
  select parent_id, task_id, kind from dependencies where substring(parent_id::text from 34) = '502';
insert into ended_parents (task_id) values ('01900000-0000-7000-8000-000000000502');
insert into queue (task_id, problem_id, backend_type, priority, state, wait_reason, timeout_seconds, max_attempts, max_lost, updated_at, rank, blockers)
  select id, problem_id, '', priority, 'waiting', 'reusing', timeout_seconds, max_attempts, max_lost, created_at, (extract(epoch from created_at) * 1000)::bigint - priority * 86400000::bigint, 1
    from tasks where substring(id::text from 34) in ('503', '504');
