/**
 * What holds of every database of the service at any moment: queries that give a row for each breach. Those of INVARIANTS hold
 * in any snapshot, whatever is under way; those of SETTLED hold once a sweep has been through and nothing has happened since.
 * Plain SQL, so that any client can run them.
 */
import { CompiledQuery } from 'kysely';
import type { Database } from '../../src/db/database.js';

export const INVARIANTS: Readonly<Record<string, string>> = {
  'a submission has exactly one of queue row and outcome': `
    select t.id from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
     where (q.task_id is null) = (o.task_id is null)`,

  'nothing is of a task that was never submitted': `
    select task_id from (select task_id from queue union all select task_id from outcomes union all select task_id from attempts) as known
     where not exists (select from tasks t where t.id = known.task_id)`,

  'attempts are numbered from 1 without gaps': `
    select task_id from attempts group by task_id having max(attempt) <> count(*) or min(attempt) <> 1`,

  'of a task in the queue, all attempts but the running one have ended': `
    select q.task_id, q.attempt, q.state from queue q
     where (select count(*) from attempts a where a.task_id = q.task_id) <> q.attempt - case q.state when 'running' then 1 else 0 end`,

  'of a task that has ended, all attempts have ended': `
    select o.task_id from outcomes o where (select count(*) from attempts a where a.task_id = o.task_id) <> o.attempt`,

  'the attempt that ended a task agrees with its outcome': `
    select o.task_id, o.status, o.reason, a.outcome
      from outcomes o left join attempts a on a.task_id = o.task_id and a.attempt = o.attempt
     where o.worker_id is not null
       and (a.worker_id, a.session_id, a.started_at) is distinct from (o.worker_id, o.session_id, o.started_at)
        or o.worker_id is not null and a.outcome is distinct from case when o.reason = 'workers_lost' then 'lost' else o.status end`,

  'an outcome without a worker is none of a running task': `
    select o.task_id, o.status, o.reason, a.outcome
      from outcomes o left join attempts a on a.task_id = o.task_id and a.attempt = o.attempt
     where o.worker_id is null
       and (o.reason is null or o.reason not in ('cancel_requested', 'expired', 'dependency_failed', 'reused')
            or a.outcome in ('completed', 'cancelled'))`,

  'failures and losses count the attempts': `
    select q.task_id, q.failures, q.losses from queue q
     where q.failures <> (select count(*) from attempts a where a.task_id = q.task_id and a.outcome in ('failed', 'timeout'))
        or q.losses <> (select count(*) from attempts a where a.task_id = q.task_id and a.outcome = 'lost')`,

  'no attempt begins before the one before it has ended': `
    select a.task_id, a.attempt from attempts a join attempts b on b.task_id = a.task_id and b.attempt = a.attempt - 1
     where a.started_at < b.ended_at or a.ended_at < a.started_at`,

  'an attempt holds its task until the task is over': `
    select a.task_id, a.attempt from attempts a left join outcomes o on o.task_id = a.task_id
     where a.outcome in ('completed', 'cancelled') and (o.status is distinct from a.outcome or o.attempt <> a.attempt)`,

  'a session holds at most max_parallel_tasks': `
    select w.id, count(*) from workers w join queue q on q.session_id = w.session_id and q.state = 'running'
     group by w.id having count(*) > w.max_parallel_tasks`,

  'what a session runs began no earlier than its worker says': `
    select w.id, q.task_id from workers w join queue q on q.session_id = w.session_id and q.state = 'running'
     where q.started_at < w.running_since`,

  // A limit may find more running when it is made or lowered; then nothing begins under it.
  'nothing begins under a full limit': `
    select l.id, used.value, used.running
      from limits l
     cross join lateral (
       select case l.key when 'problem_id' then q.problem_id when 'backend_type' then q.worker_backend
                         else q.labels ->> substring(l.key from 7) end as value,
              count(*) as running, max(q.started_at) as last_at
         from queue q where q.state = 'running' group by 1) as used
     where used.value is not null and used.value = coalesce(l.value, used.value)
       and used.running > l.max_running and used.last_at > l.updated_at`,

  'log lines are numbered from 1 without gaps, and counted': `
    select t.id from tasks t
      left join queue q on q.task_id = t.id
     cross join lateral (select count(*) as lines, coalesce(max(line), 0) as last from task_logs g where g.task_id = t.id) as g
     where g.lines <> g.last or q.log_lines <> g.lines`,

  'the lines of an attempt follow those of earlier ones': `
    select * from (select task_id, line, attempt, lag(attempt) over (partition by task_id order by line) as before from task_logs) as g
     where attempt < before`,

  'lines of earlier attempts are told apart': `
    select q.task_id from queue q
     where q.state = 'running'
       and q.log_lines_before <> (select count(*) from task_logs g where g.task_id = q.task_id and g.attempt < q.attempt)`,

  'statistics equal a recount': `
    with deltas as (
      select a.axis, a.key, d.* from counter_deltas d
       cross join lateral (values ('all', ''), ('problem', d.problem_id), ('worker', d.worker_id)) as a (axis, key)
       where a.axis <> 'worker' or a.key <> ''
    ), kept as (
      select axis, key, sum(submitted) as submitted, sum(completed) as completed, sum(failed) as failed, sum(timeout) as timeout,
             sum(cancelled) as cancelled, sum(executed) as executed
        from (select axis, key, submitted, completed, failed, timeout, cancelled, executed from totals
              union all
              select axis, key, (kind = 'submitted')::int * tasks, (kind = 'completed')::int * tasks, (kind = 'failed')::int * tasks,
                     (kind = 'timeout')::int * tasks, (kind = 'cancelled')::int * tasks, (kind = 'completed' and worker_id <> '')::int * tasks
                from deltas) as t
       group by 1, 2
    ), facts as (
      select problem_id, null as status, null as worker_id from tasks
      union all
      select t.problem_id, o.status, o.worker_id from outcomes o join tasks t on t.id = o.task_id
    ), recount as (
      select a.axis, a.key, count(*) filter (where status is null) as submitted, count(*) filter (where status = 'completed') as completed,
             count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'timeout') as timeout,
             count(*) filter (where status = 'cancelled') as cancelled,
             count(*) filter (where status = 'completed' and worker_id is not null) as executed
        from facts cross join lateral (values ('all', ''), ('problem', problem_id), ('worker', worker_id)) as a (axis, key)
       where a.key is not null
       group by 1, 2
    )
    select axis, key, to_json(kept) as kept, to_json(recount) as recount from kept full join recount using (axis, key)
     where (kept.submitted, kept.completed, kept.failed, kept.timeout, kept.cancelled, kept.executed)
           is distinct from (recount.submitted, recount.completed, recount.failed, recount.timeout, recount.cancelled, recount.executed)`,

  'blockers count the open dependencies': `
    select q.task_id, q.blockers from queue q
     where q.blockers <> (select count(*) from open_dependencies d where d.task_id = q.task_id)`,

  'a task is blocked exactly while it has blockers': `
    select q.task_id, q.blockers, q.wait_reason from queue q
     where (coalesce(q.wait_reason, '') in ('blocked', 'reusing')) <> (q.blockers > 0)`,

  'an open dependency is one of the task, and its parent will tell of its end': `
    select d.task_id, d.parent_id from open_dependencies d
      left join dependencies of_task on of_task.task_id = d.task_id and of_task.parent_id = d.parent_id and of_task.kind = d.kind
      left join queue parent on parent.task_id = d.parent_id
     where of_task.task_id is null
        or not coalesce(parent.has_dependents, exists (select from ended_parents e where e.task_id = d.parent_id)
             or d.kind = 'reuse' and exists (
               select from stand_ins s join queue q on q.task_id = s.task_id where s.awaited_id = d.parent_id and q.has_dependents))`,

  'one stands in at a time for an equal task': `
    select s.awaited_id from stand_ins s join queue q on q.task_id = s.task_id where s.awaited_id is not null group by 1 having count(*) > 1`,

  'an ended parent that is to be told of has ended': `
    select e.task_id from ended_parents e where not exists (select from outcomes o where o.task_id = e.task_id)`,

  'no task begins before those it depends on have ended, as they have to': `
    select d.task_id, d.parent_id from dependencies d
      join tasks t on t.id = d.task_id
      left join outcomes parent on parent.task_id = d.parent_id
     where d.kind = 'needs'
       and (exists (select from attempts a where a.task_id = d.task_id) or exists (select from queue q where q.task_id = d.task_id and q.state in ('pending', 'running')))
       and (parent.status is null or parent.status <> 'completed' and not t.run_anyway)`,

  'a result that was reused is that of a task that ran': `
    select o.task_id from outcomes o left join outcomes s on s.task_id = o.reused_from
     where o.reason = 'reused' and (s.status is distinct from 'completed' or s.reason is not null or s.result::text <> o.result::text)`,

  'a task that asks for reuse and runs is found by its equals': `
    select q.task_id from queue q join tasks t on t.id = q.task_id
     where t.reuse_seconds is not null and q.wait_reason is distinct from 'reusing' and t.fingerprint is null
       and not exists (select from stand_ins s where s.task_id = q.task_id)`,

  'a dedupe_key has one task that has not ended': `
    select t.dedupe_key from queue q join tasks t on t.id = q.task_id where t.dedupe_key is not null group by 1 having count(*) > 1`,

  'a queue row agrees with its submission': `
    select q.task_id from queue q join tasks t on t.id = q.task_id
     where (q.problem_id, q.backend_type, q.timeout_seconds, q.max_attempts, q.max_lost, q.run_anyway, q.dedupe_key, q.expires_at is null)
           is distinct from (t.problem_id, coalesce(t.backend_type, ''), t.timeout_seconds, t.max_attempts, t.max_lost, t.run_anyway,
                             t.dedupe_key, t.expires_at is null)`,

  'labels are found by their rows': `
    select t.id from tasks t
     where (select count(*) from json_object_keys(t.labels)) <> (select count(*) from task_labels l where l.task_id = t.id)`,

  'late reports are of attempts that were taken away': `
    select r.task_id, r.attempt from late_reports r join attempts a using (task_id, attempt)
     where a.outcome not in ('lost', 'timeout', 'cancelled', 'released') or r.reported_at < a.ended_at`,
};

export const SETTLED: Readonly<Record<string, string>> = {
  'no running task without a live session': `
    select q.task_id, q.worker_id from queue q join workers w on w.id = q.worker_id
     where q.state = 'running' and (w.session_id <> q.session_id or w.ended_at is not null or w.lease_until <= now())`,
  'no attempt past its deadline': `select task_id from queue where state = 'running' and deadline_at <= now()`,
  'no task that has expired': `select task_id from queue where attempt = 0 and expires_at <= now()`,
  'no task whose time has come waits': `select task_id from queue where state = 'waiting' and blockers = 0 and available_at <= now()`,
  'no task waits for a time without one': `select task_id from queue where state = 'waiting' and blockers = 0 and available_at is null`,
  'no blocked task whose parents have all ended': `
    select q.task_id from queue q
     where q.blockers > 0 and not exists (
       select from open_dependencies d
        where d.task_id = q.task_id
          and (exists (select from queue parent where parent.task_id = d.parent_id)
            or exists (select from stand_ins s join queue runner on runner.task_id = s.task_id where s.awaited_id = d.parent_id)))`,
  'all dependents have been told': `select task_id from ended_parents`,
};

/** Runs a text of SQL. */
export type Query = (text: string) => Promise<{ rows: unknown[] }>;

/** Breaches, one a line, at most a few of each kind; all from one snapshot. */
export async function breaches(query: Query, invariants: Readonly<Record<string, string>>): Promise<string[]> {
  const parts = Object.entries(invariants).map(([name, text]) => `
    (select '${name.replaceAll("'", "''")}' as name, to_json(breach) as breach from (${text}) as breach limit 3)`);
  const { rows } = await query(parts.join(' union all '));
  return (rows as { name: string; breach: unknown }[]).map(({ name, breach }) => `${name}: ${JSON.stringify(breach)}`);
}

/** Throws where an invariant does not hold; `settled`: right after a sweep, with nothing under way. */
export async function expectInvariants(db: Database, { settled }: { settled: boolean }): Promise<void> {
  const query: Query = (text) => db.executeQuery(CompiledQuery.raw(text));
  const found = await breaches(query, settled ? { ...INVARIANTS, ...SETTLED } : INVARIANTS);
  if (found.length > 0) throw new Error(`invariants do not hold:\n${found.join('\n')}`);
}
