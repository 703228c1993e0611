-- What pages are read from where the order by id or by end has too much else between.

-- The waiting tasks of a problem; the pending ones are found by their lanes.
create index queue_waiting_by_problem on queue (problem_id, task_id) where state = 'waiting';

-- What failed last, be it rare. Completed tasks, which are most, are not in it.
create index outcomes_failed_by_end on outcomes (status, ended_at, task_id) where status <> 'completed';
