/**
 * Fills a database with finished tasks, as months of use would have: by SQL into the real schema, in the order of time, spread
 * over problems, workers and outcomes. Every tenth task has a label.
 */
const CHUNK = 100_000;
/** Tasks lie this far apart in time. */
const STEP_MS = 200;

/** The worker of generated tasks with number `n`. */
export const historyWorker = (n) => `worker-${900_000 + n}-kind`;
export const historyProblem = (n) => `history-${String(n).padStart(4, '0')}`;

const INSERT = `
  with made as materialized (
    select n, uuid_v7(at) as id, date_trunc('milliseconds', at) as created_at,
           'history-' || lpad((n % $3::bigint)::text, 4, '0') as problem_id,
           'worker-' || (900000 + n / 7 % $4::bigint) || '-kind' as worker_id,
           case n * 7919 % 101 when 0 then 'timeout' when 1 then 'cancelled' when 2 then 'failed' when 3 then 'failed' else 'completed' end as status
      from (select n, $5::timestamptz + n * interval '${STEP_MS} milliseconds' as at from generate_series($1::bigint, $2::bigint) as n) as moments
  ), submitted as (
    insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at, labels, fingerprint)
    select id, problem_id, $6::json, n % 11, 1800, 1, 3, created_at,
           case when n % 10 = 0 then json_build_object('team', 'team-' || n / 10 % 20) else '{}' end, md5(n::text)::uuid
      from made order by n
  ), labelled as (
    insert into task_labels (label, task_id) select 'team=team-' || n / 10 % 20, id from made where n % 10 = 0 order by 1, 2
  ), attempted as (
    insert into attempts (task_id, attempt, worker_id, session_id, started_at, ended_at, outcome, error)
    select id, 1, worker_id, md5(worker_id)::uuid, created_at + interval '1 second', created_at + interval '61 seconds', status,
           case when status <> 'completed' then 'it did not work' end
      from made order by n
  ), ended as (
    insert into outcomes (task_id, status, reason, attempt, worker_id, session_id, started_at, ended_at, result, error, priority)
    select id, status, case status when 'failed' then 'task_failed' when 'timeout' then 'timed_out' when 'cancelled' then 'cancel_requested' end,
           1, worker_id, md5(worker_id)::uuid, created_at + interval '1 second', created_at + interval '61 seconds',
           case when status = 'completed' then '{"success": true, "score": 0.75}'::json end,
           case when status <> 'completed' then 'it did not work' end, n % 11
      from made order by n
  )
  insert into totals as t (axis, key, submitted, completed, failed, timeout, cancelled, executed, completed_milliseconds)
  select a.axis, a.key, case when a.axis = 'worker' then 0 else count(*) end, count(*) filter (where status = 'completed'),
         count(*) filter (where status = 'failed'), count(*) filter (where status = 'timeout'), count(*) filter (where status = 'cancelled'),
         count(*) filter (where status = 'completed'), 60000 * count(*) filter (where status = 'completed')
    from made cross join lateral (values ('all', ''), ('problem', problem_id), ('worker', worker_id)) as a (axis, key)
   group by a.axis, a.key
  on conflict (axis, key) do update
    set submitted = t.submitted + excluded.submitted, completed = t.completed + excluded.completed,
        failed = t.failed + excluded.failed, timeout = t.timeout + excluded.timeout, cancelled = t.cancelled + excluded.cancelled,
        executed = t.executed + excluded.executed, completed_milliseconds = t.completed_milliseconds + excluded.completed_milliseconds`;

/**
 * Adds `tasks` finished tasks. Resolves with the bytes that one takes, indexes included, and the time that they span.
 */
export async function addHistory(database, { tasks, problems, workers }, parameters, say) {
  const before = await database.bytes();
  const from = new Date(Date.now() - tasks * STEP_MS - 3_600_000);
  const client = await database.connect();
  try {
    // Nobody would miss what is lost here.
    await client.query('set synchronous_commit = off');
    for (let first = 0; first < tasks; first += CHUNK) {
      if (first > 0 && first % (CHUNK * 10) === 0) say(`history: ${first.toLocaleString('en-US')} tasks`);
      await client.query(INSERT, [first, Math.min(tasks, first + CHUNK) - 1, problems, workers, from.toISOString(), JSON.stringify(parameters)]);
    }
    await client.query('reset synchronous_commit');
    // As autovacuum would have done long ago.
    await client.query('vacuum (analyze)');
  } finally {
    client.release();
  }
  return { bytesPerTask: ((await database.bytes()) - before) / tasks, from, middle: new Date(from.getTime() + (tasks * STEP_MS) / 2) };
}

/** Adds `lines` lines to the log of a task that runs, as its first attempt would have. */
export async function addLogLines(database, taskId, lines) {
  await database.query(`
    with stored as (
      insert into task_logs (task_id, line, attempt, logged_at, level, message, context)
      select $1::uuid, n, 1, now(), case n % 20 when 0 then 'error' when 1 then 'warning' else 'info' end,
             'step ' || n || ' of the evaluation: reward 0.25, loss 1.75, tokens 1024, elapsed 12.5 s', null
        from generate_series(1, $2::bigint) as n
    )
    update queue set log_lines = $2::bigint where task_id = $1::uuid`, [taskId, lines]);
}
