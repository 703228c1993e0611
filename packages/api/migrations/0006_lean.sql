-- Foreign keys that every statement keeps by itself: what they check comes from the queue row of the same task, and rows of
-- tasks and workers are never deleted. Each would be looked up row by row, which costs more than the insert. queue and
-- outcomes still refer to tasks.
alter table queue drop constraint queue_worker_id_fkey;
alter table outcomes drop constraint outcomes_worker_id_fkey;
alter table attempts drop constraint attempts_worker_id_fkey;
alter table attempts drop constraint attempts_task_id_fkey;

-- As before, from microseconds since 1970 and a text of 17 characters, the end of a random UUID: what PostgreSQL asks the
-- system for random bytes costs more than all else of a submission's id. In a form that the planner can inline.
create function uuid_v7(micros bigint, random text) returns uuid
  language sql immutable parallel safe
as $$
  select (lpad(to_hex(micros / 1000), 12, '0') || to_hex(28672 + micros % 1000 * 4096 / 1000) || random)::uuid
$$;
create or replace function uuid_v7(at timestamptz) returns uuid
  language sql volatile parallel safe
as $$
  select uuid_v7((date_part('epoch', at) * 1000000)::bigint, substring(gen_random_uuid()::text from 20))
$$;

-- Not by lease_until: a heartbeat that changes no index is written in place.
create index workers_live on workers (id) where ended_at is null;
drop index workers_by_lease;
