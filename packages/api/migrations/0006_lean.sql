-- Foreign keys that every statement keeps by itself: what they check comes from the queue row of the same task, and rows of
-- tasks and workers are never deleted. Each would be looked up row by row, which costs more than the insert. queue and
-- outcomes still refer to tasks.
alter table queue drop constraint queue_worker_id_fkey;
alter table outcomes drop constraint outcomes_worker_id_fkey;
alter table attempts drop constraint attempts_worker_id_fkey;
alter table attempts drop constraint attempts_task_id_fkey;

-- As before, in a form that the planner can inline.
create or replace function uuid_v7(at timestamptz) returns uuid
  language sql volatile parallel safe
as $$
  select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0')
          || to_hex(28672 + ((floor(extract(epoch from at) * 1000000)::bigint % 1000) * 4096 / 1000)::int)
          || substring(gen_random_uuid()::text from 20))::uuid
$$;

-- Not by lease_until: a heartbeat that changes no index is written in place.
create index workers_live on workers (id) where ended_at is null;
drop index workers_by_lease;
