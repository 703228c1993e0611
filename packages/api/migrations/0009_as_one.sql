-- Makes databases one whose 0002 or 0006 was applied before it had its final text. Where that is so already, nothing is done.

do $$
begin
  if exists (select from pg_constraint where conname = 'ended_parents_pkey') then
    alter table ended_parents drop constraint ended_parents_pkey;
    alter table ended_parents alter task_id set not null;
  end if;
  if not exists (select from pg_indexes where indexname = 'queue_expiring' and indexdef like '%attempt = 0%') then
    drop index queue_expiring;
    create index queue_expiring on queue (expires_at) where expires_at is not null and attempt = 0;
  end if;
  if to_regclass('workers_live') is null then
    create index workers_live on workers (id) where ended_at is null;
  end if;
  if to_regclass('workers_by_lease') is not null then
    drop index workers_by_lease;
  end if;
end
$$;

-- As in 0006.
create or replace function uuid_v7(micros bigint, random text) returns uuid
  language sql immutable parallel safe
as $$
  select (lpad(to_hex(micros / 1000), 12, '0') || to_hex(28672 + micros % 1000 * 4096 / 1000) || random)::uuid
$$;
create or replace function uuid_v7(at timestamptz) returns uuid
  language sql volatile parallel safe
as $$
  select uuid_v7((date_part('epoch', at) * 1000000)::bigint, substring(gen_random_uuid()::text from 20))
$$;
