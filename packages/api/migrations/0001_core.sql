-- The tables of the service. A task is its row in tasks plus exactly one of {row in queue, row in outcomes}. tasks,
-- outcomes, attempts and task_logs only grow by insert, and triggers refuse anything else; queue holds a row for each task
-- that has not ended and is the only table that churns.

-- A UUID of version 7 for the moment `at`: 48 bits of milliseconds, 12 bits of the fraction of the millisecond (RFC 9562,
-- section 6.2, method 3), 62 random bits. Ids therefore sort by the time of submission to the microsecond.
create function uuid_v7(at timestamptz) returns uuid
  language sql volatile parallel safe
as $$
  select encode(
           substring(int8send(micros / 1000) from 3 for 6)
           || set_byte(set_byte(
                substring(uuid_send(gen_random_uuid()) from 7 for 10),
                0, 112 | (((micros % 1000) * 4096 / 1000) >> 8)::int),
                1, (((micros % 1000) * 4096 / 1000) & 255)::int),
           'hex')::uuid
    from (select floor(extract(epoch from at) * 1000000)::bigint as micros) as clock
$$;

create function refuse_change() returns trigger
  language plpgsql
as $$
begin
  raise exception 'rows of % are written once', tg_table_name using errcode = 'restrict_violation';
end
$$;

create table tasks (
  id              uuid           primary key,
  problem_id      text collate "C" not null check (octet_length(problem_id) between 1 and 255),
  parameters      json           not null check (json_typeof(parameters) = 'object'),
  priority        smallint       not null check (priority between 0 and 10),
  backend_type    text collate "C" check (octet_length(backend_type) between 1 and 64),
  timeout_seconds integer        not null check (timeout_seconds between 1 and 604800),
  max_attempts    smallint       not null check (max_attempts between 1 and 100),
  max_lost        smallint       not null check (max_lost between 1 and 100),
  created_at      timestamptz(3) not null
);
create index tasks_by_problem on tasks (problem_id, id);

-- One row per worker id. A registration overwrites it with a new session; ended_at ends the session, and nothing revives
-- it: a lapsed lease cannot be renewed. claim_seq lets one claim of a session at a time through.
create table workers (
  id                 text collate "C" primary key check (id ~ '^worker-[0-9]{3,6}-kind$'),
  session_id         uuid           not null,
  backend_type       text collate "C" not null check (octet_length(backend_type) between 1 and 64),
  max_parallel_tasks integer        not null check (max_parallel_tasks between 1 and 1000),
  supported_problems text[]         not null check (cardinality(supported_problems) <= 100),
  problem_patterns   text[]         not null check (cardinality(problem_patterns) = cardinality(supported_problems)),
  metadata           json           not null,
  registered_at      timestamptz(3) not null,
  last_seen_at       timestamptz(3) not null,
  lease_until        timestamptz(3) not null,
  ended_at           timestamptz(3),
  end_reason         text check (end_reason in ('lapsed', 'deregistered')),
  claim_seq          bigint         not null default 0,
  check ((ended_at is null) = (end_reason is null))
) with (fillfactor = 50);
create index workers_by_lease on workers (lease_until) where ended_at is null;

create table queue (
  task_id          uuid           primary key references tasks (id),
  problem_id       text collate "C" not null,
  backend_type     text collate "C" not null,  -- '' where any will do
  priority         smallint       not null,
  state            text           not null check (state in ('pending', 'running')),
  timeout_seconds  integer        not null,
  max_attempts     smallint       not null,
  max_lost         smallint       not null,
  attempt          integer        not null default 0 check (attempt >= 0),
  failures         smallint       not null default 0 check (failures >= 0 and failures < max_attempts),
  losses           smallint       not null default 0 check (losses >= 0 and losses < max_lost),
  log_lines        bigint         not null default 0,  -- lines stored for the task
  log_lines_before bigint         not null default 0,  -- of these, lines of earlier attempts
  updated_at       timestamptz(3) not null,
  worker_id        text collate "C" references workers (id),
  session_id       uuid,
  claim_request    text check (octet_length(claim_request) <= 64),
  started_at       timestamptz(3),
  deadline_at      timestamptz(3),
  check (case state
           when 'running' then attempt >= 1 and worker_id is not null and session_id is not null
                               and started_at is not null and deadline_at is not null
           else worker_id is null and session_id is null and claim_request is null
                and started_at is null and deadline_at is null
         end)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);
create index queue_order on queue (priority desc, task_id) where state = 'pending';
create index queue_lanes on queue (problem_id, backend_type, priority desc, task_id) where state = 'pending';
create index queue_sessions on queue (session_id) where state = 'running';
create index queue_deadlines on queue (deadline_at) where state = 'running';

create table outcomes (
  task_id    uuid           primary key references tasks (id),
  status     text           not null check (status in ('completed', 'failed', 'timeout', 'cancelled')),
  reason     text           check (reason in ('task_failed', 'workers_lost', 'timed_out', 'cancel_requested')),
  attempt    integer        not null check (attempt >= 0),
  worker_id  text collate "C" references workers (id),
  session_id uuid,
  started_at timestamptz(3),
  ended_at   timestamptz(3) not null,
  result     json,
  error      text,
  check ((status = 'completed') = (reason is null)),
  check ((status = 'completed') = (result is not null)),
  check ((status = 'completed') = (error is null)),
  check (status = 'cancelled' or attempt >= 1),
  check ((worker_id is null) = (session_id is null) and (worker_id is null) = (started_at is null))
);
create index outcomes_by_status on outcomes (status, task_id);
create index outcomes_by_worker on outcomes (worker_id, task_id);
create index outcomes_by_end on outcomes (ended_at, task_id);
create index outcomes_by_start on outcomes (started_at, task_id);

create table attempts (
  task_id    uuid           not null references tasks (id),
  attempt    integer        not null check (attempt >= 1),
  worker_id  text collate "C" not null references workers (id),
  session_id uuid           not null,
  started_at timestamptz(3) not null,
  ended_at   timestamptz(3) not null,
  outcome    text           not null check (outcome in ('completed', 'failed', 'timeout', 'cancelled', 'lost', 'released')),
  error      text,
  primary key (task_id, attempt)
);

create table task_logs (
  task_id   uuid           not null references tasks (id),
  line      bigint         not null check (line >= 1),
  attempt   integer        not null check (attempt >= 1),
  logged_at timestamptz(3) not null,
  level     text           not null check (level in ('debug', 'info', 'warning', 'error', 'critical')),
  message   text           not null,
  context   json,
  primary key (task_id, line)
);

create trigger written_once before update or delete or truncate on tasks for each statement execute function refuse_change();
create trigger written_once before update or delete or truncate on outcomes for each statement execute function refuse_change();
create trigger written_once before update or delete or truncate on attempts for each statement execute function refuse_change();
create trigger written_once before update or delete or truncate on task_logs for each statement execute function refuse_change();

-- Exact counts without a hot row: each transition inserts a delta in its own statement, and every replica folds deltas
-- into counters now and then. The truth is always counters plus deltas, read in one statement. kind is 'submitted' or the
-- status in which a task ended; worker_id is '' where no worker had it.
create table counters (
  problem_id   text collate "C" not null,
  worker_id    text collate "C" not null,
  kind         text   not null check (kind in ('submitted', 'completed', 'failed', 'timeout', 'cancelled')),
  tasks        bigint not null,
  milliseconds bigint not null,
  primary key (problem_id, worker_id, kind)
);
create index counters_by_worker on counters (worker_id, kind);
create table counter_deltas (
  problem_id   text collate "C" not null,
  worker_id    text collate "C" not null,
  kind         text   not null,
  tasks        bigint not null,
  milliseconds bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
