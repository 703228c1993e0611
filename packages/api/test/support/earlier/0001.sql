-- Data as the first version left it. Ids of tasks end in what they are told apart by; the sessions are those of three workers: one
-- that lives, one whose lease has run out, one that left.
insert into workers (id, session_id, backend_type, max_parallel_tasks, supported_problems, problem_patterns, metadata, registered_at, last_seen_at, lease_until, ended_at, end_reason) values
  ('worker-001-kind', '00000000-0000-4000-8000-00000000a001', 'kind', 4, '{test-*}', '{test-%}', '{"host": "one"}', now() - interval '1 day', now(), now() + interval '1 hour', null, null),
  ('worker-002-kind', '00000000-0000-4000-8000-00000000a002', 'kind', 2, '{}', '{}', '{}', now() - interval '1 day', now() - interval '10 minutes', now() - interval '5 minutes', null, null),
  ('worker-003-kind', '00000000-0000-4000-8000-00000000a003', 'gpu', 1, '{}', '{}', '{}', now() - interval '2 days', now() - interval '1 day', now() - interval '1 day', now() - interval '1 day', 'deregistered');

insert into tasks (id, problem_id, parameters, priority, backend_type, timeout_seconds, max_attempts, max_lost, created_at) values
  ('01900000-0000-7000-8000-000000000101', 'test-pending',   '{"max_steps": 3}', 5, null, 1800, 1, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000102', 'test-urgent',    '{}', 10, 'kind', 60, 3, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000103', 'test-running',   '{}', 5, null, 7200, 1, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000104', 'test-abandoned', '{}', 5, null, 7200, 2, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000105', 'test-completed', '{"agent_config": {"model": "a"}}', 0, null, 1800, 1, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000106', 'test-failed',    '{}', 5, null, 1800, 2, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000107', 'test-lost',      '{}', 5, 'gpu', 1800, 1, 1, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000108', 'test-timeout',   '{}', 5, null, 1, 1, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000109', 'test-cancelled', '{}', 5, null, 1800, 1, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000110', 'test-cancelled', '{}', 5, null, 1800, 1, 3, now() - interval '3 hours'),
  ('01900000-0000-7000-8000-000000000111', 'test-cancelled', '{}', 5, null, 1800, 1, 3, now() - interval '3 hours');

insert into queue (task_id, problem_id, backend_type, priority, state, timeout_seconds, max_attempts, max_lost, attempt, failures, losses, log_lines, log_lines_before, updated_at, worker_id, session_id, claim_request, started_at, deadline_at) values
  ('01900000-0000-7000-8000-000000000101', 'test-pending', '', 5, 'pending', 1800, 1, 3, 0, 0, 0, 0, 0, now() - interval '3 hours', null, null, null, null, null),
  ('01900000-0000-7000-8000-000000000102', 'test-urgent', 'kind', 10, 'pending', 60, 3, 3, 1, 1, 0, 2, 0, now() - interval '1 hour', null, null, null, null, null),
  ('01900000-0000-7000-8000-000000000103', 'test-running', '', 5, 'running', 7200, 1, 3, 1, 0, 0, 1, 0, now() - interval '1 minute', 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', 'claim-1', now() - interval '1 minute', now() + interval '119 minutes'),
  ('01900000-0000-7000-8000-000000000104', 'test-abandoned', '', 5, 'running', 7200, 2, 3, 2, 0, 1, 3, 2, now() - interval '9 minutes', 'worker-002-kind', '00000000-0000-4000-8000-00000000a002', null, now() - interval '9 minutes', now() + interval '110 minutes');

insert into outcomes (task_id, status, reason, attempt, worker_id, session_id, started_at, ended_at, result, error) values
  ('01900000-0000-7000-8000-000000000105', 'completed', null, 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '2 hours', now() - interval '119 minutes', '{"score": 0.5}', null),
  ('01900000-0000-7000-8000-000000000106', 'failed', 'task_failed', 2, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '2 hours', now() - interval '118 minutes', null, 'it did not work'),
  ('01900000-0000-7000-8000-000000000107', 'failed', 'workers_lost', 1, 'worker-003-kind', '00000000-0000-4000-8000-00000000a003', now() - interval '26 hours', now() - interval '25 hours', null, 'its worker went away'),
  ('01900000-0000-7000-8000-000000000108', 'timeout', 'timed_out', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '2 hours', now() - interval '117 minutes', null, 'no time left'),
  ('01900000-0000-7000-8000-000000000109', 'cancelled', 'cancel_requested', 0, null, null, null, now() - interval '2 hours', null, 'cancelled'),
  ('01900000-0000-7000-8000-000000000110', 'cancelled', 'cancel_requested', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '2 hours', now() - interval '116 minutes', null, 'cancelled'),
  ('01900000-0000-7000-8000-000000000111', 'cancelled', 'cancel_requested', 1, null, null, null, now() - interval '1 hour', null, 'cancelled');

insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error) values
  ('01900000-0000-7000-8000-000000000102', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '2 hours', now() - interval '1 hour', 'failed', 'once more'),
  ('01900000-0000-7000-8000-000000000104', 1, 'worker-003-kind', '00000000-0000-4000-8000-00000000a003', now() - interval '26 hours', now() - interval '25 hours', 'lost', null),
  ('01900000-0000-7000-8000-000000000106', 1, 'worker-001-kind', '00000000-0000-4000-8000-00000000a001', now() - interval '3 hours', now() - interval '2 hours 1 minute', 'failed', 'not yet'),
  ('01900000-0000-7000-8000-000000000111', 1, 'worker-003-kind', '00000000-0000-4000-8000-00000000a003', now() - interval '26 hours', now() - interval '25 hours', 'released', null);
insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error)
  select task_id, attempt, worker_id, session_id, started_at, ended_at, case when reason = 'workers_lost' then 'lost' else status end, error
    from outcomes where worker_id is not null;

insert into task_logs (task_id, line, attempt, logged_at, level, message, context) values
  ('01900000-0000-7000-8000-000000000102', 1, 1, now() - interval '2 hours', 'info', 'begun', null),
  ('01900000-0000-7000-8000-000000000102', 2, 1, now() - interval '1 hour', 'error', 'no', '{"code": 1}'),
  ('01900000-0000-7000-8000-000000000103', 1, 1, now() - interval '1 minute', 'debug', 'begun', null),
  ('01900000-0000-7000-8000-000000000104', 1, 1, now() - interval '26 hours', 'info', 'begun', null),
  ('01900000-0000-7000-8000-000000000104', 2, 1, now() - interval '26 hours', 'warning', 'slow', null),
  ('01900000-0000-7000-8000-000000000104', 3, 2, now() - interval '9 minutes', 'info', 'begun again', null),
  ('01900000-0000-7000-8000-000000000105', 1, 1, now() - interval '2 hours', 'info', 'begun', null),
  ('01900000-0000-7000-8000-000000000105', 2, 1, now() - interval '119 minutes', 'critical', 'done', '{"steps": 30}');
