-- What a running attempt says of itself beside its log: how far it is, and the files that it leaves.

create function refuse_removal() returns trigger
  language plpgsql
as $$
begin
  raise exception 'rows of % are kept for ever', tg_table_name using errcode = 'restrict_violation';
end
$$;

-- The last that an attempt said; a table of its own, so that the queue row is not written with it.
create table attempt_progress (
  task_id    uuid             not null references tasks (id),
  attempt    integer          not null check (attempt >= 1),
  step       double precision,
  total      double precision,
  message    text,
  metrics    json             not null check (json_typeof(metrics) = 'object'),
  updated_at timestamptz(3)   not null,
  primary key (task_id, attempt)
) with (fillfactor = 70);
create trigger kept before delete or truncate on attempt_progress for each statement execute function refuse_removal();

-- A row is written when the bytes are safe in the storage, under storage_key, which is ours: names of files are never paths.
create table artifacts (
  id           uuid           primary key,
  task_id      uuid           not null references tasks (id),
  attempt      integer        not null check (attempt >= 1),
  name         text collate "C" not null check (octet_length(name) between 1 and 1020),
  bytes        bigint         not null check (bytes >= 0),
  sha256       bytea          not null check (octet_length(sha256) = 32),
  content_type text           not null check (octet_length(content_type) between 3 and 127),
  storage_key  text           not null,
  created_at   timestamptz(3) not null,
  unique (task_id, attempt, name)
);
create index artifacts_by_task on artifacts (task_id, id);
create trigger written_once before update or delete or truncate on artifacts for each statement execute function refuse_change();
