-- Recurring submissions. next_at is the one fire that is due next; firing moves it and submits, in one transaction.
create table schedules (
  id           uuid primary key,
  name         text check (octet_length(name) between 1 and 255),
  cron         text not null check (octet_length(cron) between 1 and 255),
  timezone     text not null check (octet_length(timezone) between 1 and 64),
  task         json not null,
  overlap      text not null check (overlap in ('allow', 'skip')),
  misfire      text not null check (misfire in ('run_once', 'skip')),
  paused       boolean not null,
  next_at      timestamptz(3),                                      -- null: it never fires again
  last_at      timestamptz(3),
  last_task_id uuid references tasks (id),
  fires        bigint not null default 0,
  skips        bigint not null default 0,
  created_at   timestamptz(3) not null,
  updated_at   timestamptz(3) not null,
  ended_at     timestamptz(3)
);
create index schedules_due on schedules (next_at) where not paused and ended_at is null;
