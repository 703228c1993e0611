-- How far the running task is, and a file that the completed one left.
insert into attempt_progress (task_id, attempt, step, total, message, metrics, updated_at) values
  ('01900000-0000-7000-8000-000000000103', 1, 3, 10, 'under way', '{"loss": 0.25}', now());
insert into artifacts (id, task_id, attempt, name, bytes, sha256, content_type, storage_key, created_at) values
  ('00000000-0000-4000-8000-000000000501', '01900000-0000-7000-8000-000000000105', 1, 'report.txt', 5, sha256('hello'), 'text/plain', 'abc/00000000-0000-4000-8000-000000000501', now());
