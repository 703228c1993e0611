-- What is dead in an index stays there while a snapshot is held (a dump, a report), and who reads the index from its beginning reads it
-- all. A claim reads what its session runs from `running_since` on: no task that the session runs began earlier.
alter table workers add running_since timestamptz(3) not null default '-infinity';
-- Only what runs has a session, and what neither waits nor runs is pending. With conditions of their own no plan takes another index for
-- these: to a planner that takes the queue for empty all are alike.
drop index queue_sessions;
create index queue_sessions on queue (session_id, started_at) where session_id is not null;
drop index queue_order;
create index queue_order on queue (rank, task_id) where state <> 'waiting' and state <> 'running';
