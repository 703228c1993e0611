-- What came with times, dependencies, limits and keys. Pairs of a parent and its dependent have ids that follow each other.
insert into workers (id, session_id, backend_type, max_parallel_tasks, supported_problems, problem_patterns, metadata, registered_at, last_seen_at, lease_until, draining_at) values
  ('worker-004-kind', '00000000-0000-4000-8000-00000000a004', 'kind', 1, '{}', '{}', '{}', now() - interval '1 day', now(), now() + interval '1 hour', now());
insert into workflows (id, name, labels, created_at) values ('01900000-0000-7000-8000-0000000002f0', 'nightly', '{"team": "a"}', now() - interval '1 hour');

insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at, name, labels, backoff, run_at, expires_at, run_anyway, retry_of, workflow_id, dedupe_key, reuse_seconds, fingerprint)
  select ('01900000-0000-7000-8000-000000000' || n)::uuid, 'test-' || what, '{}', 5, 1800, 3, 3, now() - interval '1 hour', name, coalesce(labels, '{}'), backoff,
         now() + run_in, now() + expires_in, coalesce(run_anyway, false), ('01900000-0000-7000-8000-000000000' || retry_of)::uuid, workflow_id::uuid, dedupe_key, reuse_seconds,
         ('00000000-0000-4000-8000-000000000' || coalesce(equal_to, n))::uuid
    from json_to_recordset('[
      {"n": 201, "what": "parent"}, {"n": 202, "what": "child"},
      {"n": 203, "what": "parent-done"}, {"n": 204, "what": "child-free"},
      {"n": 205, "what": "parent-failed"}, {"n": 206, "what": "child-untold"}, {"n": 207, "what": "child-anyway", "run_anyway": true},
      {"n": 208, "what": "later", "run_in": "1 day"}, {"n": 209, "what": "due", "run_in": "-1 minute"},
      {"n": 210, "what": "backing-off", "backoff": [1, 2, 60, 0.1]},
      {"n": 211, "what": "equal"}, {"n": 212, "what": "equal", "reuse_seconds": 86400, "equal_to": 211},
      {"n": 213, "what": "reused", "reuse_seconds": 86400, "equal_to": 203},
      {"n": 214, "what": "expired", "expires_in": "-1 minute"}, {"n": 215, "what": "expiring", "expires_in": "1 day"},
      {"n": 216, "what": "labelled", "labels": {"team": "a", "run": "7"}}, {"n": 217, "what": "labelled", "labels": {"team": "a"}},
      {"n": 218, "what": "deduped", "dedupe_key": "only one"},
      {"n": 219, "what": "flow", "name": "first", "workflow_id": "01900000-0000-7000-8000-0000000002f0"},
      {"n": 220, "what": "flow", "name": "second", "workflow_id": "01900000-0000-7000-8000-0000000002f0"},
      {"n": 221, "what": "paused"}, {"n": 222, "what": "retry", "retry_of": 106}, {"n": 223, "what": "never-ran"}
    ]') as t (n int, what text, name text, labels json, backoff real[], run_in interval, expires_in interval, run_anyway boolean, retry_of int, workflow_id text,
              dedupe_key text, reuse_seconds int, equal_to int);
insert into task_labels (label, task_id) select label.key || '=' || (label.value #>> '{}'), t.id from tasks t, json_each(t.labels) as label;

insert into outcomes (task_id, status, reason, attempt, worker_id, session_id, started_at, ended_at, result, error, reused_from, priority) values
  ('01900000-0000-7000-8000-000000000203', 'completed', null, 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '50 minutes', now() - interval '40 minutes', '{"is": "a result"}', null, null, 7),
  ('01900000-0000-7000-8000-000000000205', 'failed', 'task_failed', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '50 minutes', now() - interval '40 minutes', null, 'no', null, null),
  ('01900000-0000-7000-8000-000000000213', 'completed', 'reused', 0, null, null, null, now() - interval '30 minutes', '{"is": "a result"}', null, '01900000-0000-7000-8000-000000000203', null),
  ('01900000-0000-7000-8000-000000000214', 'timeout', 'expired', 0, null, null, null, now() - interval '1 minute', null, 'expired', null, null),
  ('01900000-0000-7000-8000-000000000223', 'cancelled', 'dependency_failed', 0, null, null, null, now() - interval '1 minute', null, 'a task that it depends on failed', null, null);
insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error)
  select task_id, attempt, worker_id, session_id, started_at, ended_at, status, error from outcomes
   where task_id in ('01900000-0000-7000-8000-000000000203', '01900000-0000-7000-8000-000000000205');
insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error) values
  ('01900000-0000-7000-8000-000000000210', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '50 minutes', now() - interval '40 minutes', 'failed', 'again'),
  ('01900000-0000-7000-8000-000000000216', 1, 'worker-003-kind', '00000000-0000-4000-8000-00000000a003', now() - interval '50 minutes', now() - interval '40 minutes', 'lost', null);
insert into late_reports (task_id, attempt, reported_at, outcome, result) values
  ('01900000-0000-7000-8000-000000000216', 1, now() - interval '30 minutes', 'completed', '{"too": "late"}');

insert into dependencies (task_id, parent_id, name, kind)
  select ('01900000-0000-7000-8000-000000000' || child)::uuid, ('01900000-0000-7000-8000-000000000' || parent)::uuid, name, kind
    from (values (202, 201, 'p', 'needs'), (204, 203, 'p', 'needs'), (206, 205, 'p', 'needs'), (207, 205, 'p', 'needs'), (212, 211, 'equal', 'reuse'),
                 (220, 219, 'first', 'needs'), (223, 205, 'p', 'needs')) as d (child, parent, name, kind);
insert into open_dependencies (parent_id, task_id, kind)
  select parent_id, task_id, kind from dependencies where substring(task_id::text from 34) in ('202', '206', '207', '212', '220');
insert into ended_parents (task_id) values ('01900000-0000-7000-8000-000000000205');

insert into queue (task_id, problem_id, backend_type, priority, state, wait_reason, available_at, timeout_seconds, max_attempts, max_lost, attempt, failures, losses,
                   updated_at, rank, expires_at, blockers, has_dependents, run_anyway, backoff, dedupe_key, labels)
  select t.id, t.problem_id, '', t.priority, case when w.reason is null then 'pending' else 'waiting' end, w.reason, case when w.reason in ('scheduled', 'backing_off') then coalesce(t.run_at, now() - interval '1 minute') end,
         t.timeout_seconds, t.max_attempts, t.max_lost, (select count(*) from attempts a where a.task_id = t.id),
         (select count(*) from attempts a where a.task_id = t.id and a.outcome = 'failed'), (select count(*) from attempts a where a.task_id = t.id and a.outcome = 'lost'),
         t.created_at, (extract(epoch from t.created_at) * 1000)::bigint - t.priority * 86400000::bigint, t.expires_at,
         (select count(*) from open_dependencies o where o.task_id = t.id), exists (select from open_dependencies o where o.parent_id = t.id),
         t.run_anyway, t.backoff, t.dedupe_key, case when t.labels::text <> '{}' then t.labels::jsonb end
    from tasks t
   cross join lateral (select case when substring(t.id::text from 34) in ('202', '206', '207', '220') then 'blocked' when substring(t.id::text from 34) = '212' then 'reusing'
                                   when substring(t.id::text from 34) in ('208', '209') then 'scheduled' when substring(t.id::text from 34) = '210' then 'backing_off' end) as w (reason)
   where t.id >= '01900000-0000-7000-8000-000000000200' and not exists (select from outcomes o where o.task_id = t.id);

insert into idempotency_keys (key, operation, body_hash, status, location, answer, created_at) values ('a key', 'createTask', '\x00', 201, '/api/v1/tasks/01900000-0000-7000-8000-000000000201', '{}', now());
insert into pauses (problem_id, reason, paused_at) values ('test-paused', 'its backend is serviced', now());
insert into limits (id, key, value, max_running, regroup_after, created_at, updated_at) values
  ('00000000-0000-4000-8000-0000000001a1', 'label:team', null, 1, '00000000-0000-0000-0000-000000000000', now(), now()),
  ('00000000-0000-4000-8000-0000000001a2', 'problem_id', 'test-pending', 3, null, now(), now());
insert into limit_claims (limit_id, value, claim_seq) values ('00000000-0000-4000-8000-0000000001a2', 'test-pending', 12);
