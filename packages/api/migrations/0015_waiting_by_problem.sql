-- The waiting tasks of a problem: lists of what is pending of it find the others by their lanes.
create index queue_waiting_by_problem on queue (problem_id, task_id) where state = 'waiting';
