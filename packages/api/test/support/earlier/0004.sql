-- Bulk operations: one half done, one done.
insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at) values
  ('01900000-0000-7000-8000-000000000401', 'bulk-a', '{}', 5, 1800, 1, 3, now() - interval '1 hour'),
  ('01900000-0000-7000-8000-000000000402', 'bulk-a', '{}', 5, 1800, 1, 3, now() - interval '1 hour');
insert into outcomes (task_id, status, reason, attempt, ended_at, error) values ('01900000-0000-7000-8000-000000000401', 'cancelled', 'cancel_requested', 0, now(), 'cancelled');
insert into queue (task_id, problem_id, backend_type, priority, state, timeout_seconds, max_attempts, max_lost, updated_at, rank) values
  ('01900000-0000-7000-8000-000000000402', 'bulk-a', '', 5, 'pending', 1800, 1, 3, now() - interval '1 hour', (extract(epoch from now()) * 1000)::bigint - 5 * 86400000::bigint);
insert into bulk_operations (id, action, filter, state, place, until, examined, changed, created_at, updated_at, ended_at)
  select id, 'cancel', '{"statuses": [], "problemId": "bulk-a", "problemGlob": null, "workerId": null, "workflowId": null, "scheduleId": null, "labels": [], "createdFrom": null, "createdBefore": null, "completedFrom": null, "completedBefore": null}',
         state, place, uuid_v7(now()), 1, 1, now(), now(), ended_at
    from (values ('00000000-0000-4000-8000-000000000401'::uuid, 'running', '01900000-0000-7000-8000-000000000401'::uuid, null),
                 ('00000000-0000-4000-8000-000000000402'::uuid, 'done', null, now())) as b (id, state, place, ended_at);
