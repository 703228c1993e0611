-- The tasks of a worker by how they ended: what failed on it is found without reading all that it did.
create index outcomes_by_worker_status on outcomes (worker_id, status, task_id);
drop index outcomes_by_worker;
