-- Schedules: one that is due, one that is paused, one that has ended, and the last task of the first.
insert into schedules (id, name, cron, timezone, task, overlap, misfire, paused, next_at, last_at, fires, created_at, updated_at, ended_at) values
  ('00000000-0000-4000-8000-000000000301', 'due', '* * * * *', 'Europe/Berlin', '{"problem_id": "test-scheduled", "parameters": {"max_steps": 1}}', 'allow', 'run_once', false, now() - interval '1 minute', now() - interval '2 minutes', 1, now() - interval '1 hour', now(), null),
  ('00000000-0000-4000-8000-000000000302', 'paused', '0 3 * * *', 'UTC', '{"problem_id": "test-scheduled", "parameters": {}}', 'skip', 'skip', true, now() - interval '1 day', null, 0, now() - interval '2 days', now(), null),
  ('00000000-0000-4000-8000-000000000303', null, '0 3 * * *', 'UTC', '{"problem_id": "test-scheduled", "parameters": {}}', 'skip', 'skip', false, now() + interval '1 day', null, 0, now() - interval '2 days', now(), now());
insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at, schedule_id) values
  ('01900000-0000-7000-8000-000000000301', 'test-scheduled', '{"max_steps": 1}', 5, 1800, 1, 3, now() - interval '2 minutes', '00000000-0000-4000-8000-000000000301');
insert into queue (task_id, problem_id, backend_type, priority, state, timeout_seconds, max_attempts, max_lost, updated_at, rank) values
  ('01900000-0000-7000-8000-000000000301', 'test-scheduled', '', 5, 'pending', 1800, 1, 3, now() - interval '2 minutes', (extract(epoch from now()) * 1000)::bigint - 5 * 86400000::bigint);
update schedules set last_task_id = '01900000-0000-7000-8000-000000000301' where name = 'due';
