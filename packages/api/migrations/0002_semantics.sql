-- When a task may run, and what it waits for: schedules, backoff, dependencies, limits, pauses; and what makes submissions
-- safe to repeat: idempotency keys, deduplication, reuse of results.

alter table tasks
  add name          text check (octet_length(name) between 1 and 255),
  add labels        json not null default '{}' check (json_typeof(labels) = 'object'),
  add backoff       real[] check (cardinality(backoff) = 4),       -- initial seconds, factor, most seconds, jitter; null: none
  add run_at        timestamptz(3),
  add expires_at    timestamptz(3),
  add run_anyway    boolean not null default false,                -- whether it runs though a parent did not complete
  add retry_of      uuid references tasks (id),
  add workflow_id   uuid,
  add schedule_id   uuid,
  add dedupe_key    text collate "C" check (octet_length(dedupe_key) between 1 and 255),
  add reuse_seconds integer check (reuse_seconds between 0 and 2147483647),
  add fingerprint   uuid;                                          -- equal for equal problems and canonically equal parameters
create index tasks_by_fingerprint on tasks (fingerprint, id) where fingerprint is not null;
create index tasks_by_workflow on tasks (workflow_id, id) where workflow_id is not null;
create index tasks_by_retry on tasks (retry_of) where retry_of is not null;
create index tasks_by_schedule on tasks (schedule_id, id) where schedule_id is not null;

-- A row for each label of a task, so that tasks of a label are read in order through one index. 'key=value'.
create table task_labels (
  label   text collate "C" not null check (octet_length(label) <= 1024),
  task_id uuid not null references tasks (id),
  primary key (label, task_id)
);

-- What a task depends on. needs: its result is delivered with the claim. reuse: an equal task whose result will be taken.
create table dependencies (
  task_id   uuid not null references tasks (id),
  parent_id uuid not null references tasks (id),
  name      text collate "C" not null check (octet_length(name) between 1 and 255),
  kind      text not null check (kind in ('needs', 'reuse')),
  primary key (task_id, parent_id)
);
create index dependencies_by_parent on dependencies (parent_id, task_id);

-- Of these, those that still hold their task back, and notes that the dependents of an ended task have to be told. Both are
-- emptied by queue/dependents. blockers in queue is the number of a task's rows here. A task may have several notes, and each is
-- a row of its own: whoever acts on a note sees whatever was committed with it.
create table open_dependencies (
  parent_id uuid not null,
  task_id   uuid not null,
  kind      text not null,
  primary key (parent_id, task_id)
);
create table ended_parents (
  task_id uuid not null
);

-- waiting: not to be claimed yet; wait_reason says why. rank orders pending tasks, least first: milliseconds of the moment
-- from which the task waits, less PRIORITY_AGEING for each level of priority.
alter table queue drop constraint queue_state_check;
alter table queue
  add check (state in ('waiting', 'pending', 'running')),
  add rank           bigint not null default 0,
  add wait_reason    text check (wait_reason in ('scheduled', 'backing_off', 'blocked', 'reusing')),
  add available_at   timestamptz(3),
  add expires_at     timestamptz(3),
  add blockers       integer not null default 0 check (blockers >= 0),
  add has_dependents boolean not null default false,
  add run_anyway     boolean not null default false,
  add backoff        real[],
  add dedupe_key     text collate "C",
  add labels         jsonb,
  add lane           text collate "C" not null default '',          -- values of labels that limits are about
  add worker_backend text collate "C",
  add check ((state = 'waiting') = (wait_reason is not null)),
  add check (blockers = 0 or state = 'waiting');
update queue set rank = (extract(epoch from (select created_at from tasks t where t.id = task_id)) * 1000)::bigint - priority * 86400000::bigint;
alter table queue alter rank drop default;
drop index queue_order;
drop index queue_lanes;
create index queue_order on queue (rank, task_id) where state = 'pending';
create index queue_lanes on queue (problem_id, backend_type, lane, rank, task_id) where state = 'pending';
create index queue_waiting on queue (available_at) where state = 'waiting' and blockers = 0;
create index queue_expiring on queue (expires_at) where expires_at is not null and attempt = 0;
create unique index queue_dedupe on queue (dedupe_key) where dedupe_key is not null;

alter table outcomes drop constraint outcomes_reason_check;
alter table outcomes drop constraint outcomes_check;
alter table outcomes drop constraint outcomes_check3;
alter table outcomes
  add reused_from uuid references tasks (id),
  add priority    smallint,                                         -- null: as submitted
  add check (reason in ('task_failed', 'workers_lost', 'timed_out', 'cancel_requested', 'expired', 'dependency_failed', 'reused')),
  add check ((status = 'completed') = (reason is null or reason = 'reused')),
  add check ((reason is not distinct from 'reused') = (reused_from is not null)),
  add check (status = 'cancelled' or attempt >= 1 or reason in ('expired', 'reused'));

-- What a worker said of an attempt that it did not hold any more: kept, and without effect.
create table late_reports (
  task_id     uuid not null,
  attempt     integer not null,
  reported_at timestamptz(3) not null,
  outcome     text not null check (outcome in ('completed', 'failed')),
  result      json,
  error       text,
  primary key (task_id, attempt),
  foreign key (task_id, attempt) references attempts (task_id, attempt),
  check ((outcome = 'completed') = (result is not null) and (outcome = 'failed') = (error is not null))
);

create table workflows (
  id         uuid primary key,
  name       text check (octet_length(name) between 1 and 255),
  labels     json not null,
  retry_of   uuid references workflows (id),
  created_at timestamptz(3) not null
);

-- The answer to a request with an Idempotency-Key, for ever.
create table idempotency_keys (
  key        text collate "C" primary key check (octet_length(key) between 1 and 255),
  operation  text not null,
  body_hash  bytea not null,
  status     smallint,
  location   text,
  answer     text,
  created_at timestamptz(3) not null
);

alter table workers add draining_at timestamptz(3);

-- problem_id '' is the whole queue.
create table pauses (
  problem_id text collate "C" primary key,
  reason     text check (octet_length(reason) <= 4000),
  paused_at  timestamptz(3) not null
);

-- At most max_running tasks run at a time for each value of a key (value null), or for one value of it.
create table limits (
  id          uuid primary key,
  key         text collate "C" not null check (key in ('problem_id', 'backend_type') or key like 'label:%'),
  value       text collate "C",
  max_running integer not null check (max_running between 1 and 1000000),
  regroup_after uuid,                                               -- pending tasks up to this one have their lane; null: all
  created_at  timestamptz(3) not null,
  updated_at  timestamptz(3) not null
);
create unique index limits_once on limits (key, coalesce(value, ''), (value is null));
-- Claims under one value of a limit pass one at a time: each must find claim_seq as its snapshot saw it.
create table limit_claims (
  limit_id  uuid not null,
  value     text collate "C" not null,
  claim_seq bigint not null,
  primary key (limit_id, value)
) with (fillfactor = 50);

create trigger written_once before update or delete or truncate on task_labels for each statement execute function refuse_change();
create trigger written_once before update or delete or truncate on dependencies for each statement execute function refuse_change();
create trigger written_once before update or delete or truncate on late_reports for each statement execute function refuse_change();
create trigger written_once before update or delete or truncate on workflows for each statement execute function refuse_change();
