-- A foreign key locks the row that it finds, which writes it: the end of a task that ran for half an hour read and wrote a page of
-- tasks that nothing else would touch again. Rows of queue come with their task in one statement, those of outcomes come out of
-- queue, and rows of tasks are never deleted; the invariants look for strays.
alter table queue drop constraint queue_task_id_fkey;
alter table outcomes drop constraint outcomes_task_id_fkey;
