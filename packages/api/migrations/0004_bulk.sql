-- Changes to many tasks, made piece by piece by any replica. place is the id of the last task that was looked at.
create table bulk_operations (
  id         uuid primary key,
  action     text not null check (action in ('cancel', 'retry')),
  filter     json not null,
  state      text not null check (state in ('running', 'done', 'stopped')),
  place      uuid,
  until      uuid not null,
  examined   bigint not null default 0,
  changed    bigint not null default 0,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  ended_at   timestamptz(3),
  check ((state = 'running') = (ended_at is null))
);
create index bulk_operations_running on bulk_operations (created_at) where state = 'running';
