/** Everything that the model speaks of, as the database has it and as the model has it, in one shape to be compared. */
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';
import type { Model } from './model.js';
import { isLive } from './task.js';

type Rows = Record<string, unknown>[];
export interface Snapshot {
  readonly tasks: Rows;
  readonly workers: Rows;
  readonly schedules: Rows;
  readonly bulk: Rows;
}

export async function databaseSnapshot(db: Database): Promise<Snapshot> {
  const { rows: tasks } = await sql<Record<string, unknown>>`
    select t.id, coalesce(o.status, q.state) as state, coalesce(o.reason, q.wait_reason) as reason, coalesce(o.attempt, q.attempt) as attempt,
           coalesce(o.worker_id, q.worker_id) as worker, coalesce(o.priority, q.priority)::int as priority, o.result, o.reused_from, t.retry_of, t.schedule_id,
           q.rank, q.failures::int, q.losses::int, q.claim_request as request, q.session_id as session,
           case when q.available_at <= now() then 'past' when q.available_at > now() then 'future' end as available,
           case when q.expires_at <= now() then 'past' when q.expires_at > now() then 'future' end as expires,
           (select count(*) from task_logs l where l.task_id = t.id) as lines,
           coalesce((select json_agg(p.attempt || ' ' || p.step order by p.attempt) from attempt_progress p where p.task_id = t.id), '[]') as progress,
           coalesce((select json_agg(d.parent_id || ' ' || d.kind order by d.parent_id) from open_dependencies d where d.task_id = q.task_id), '[]') as open,
           coalesce((select json_agg(json_build_object('worker', a.worker_id, 'session', a.session_id, 'outcome', a.outcome, 'late', l.outcome) order by a.attempt)
                       from attempts a left join late_reports l using (task_id, attempt) where a.task_id = t.id), '[]') as attempts
      from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
     order by t.id`.execute(db);
  const { rows: workers } = await sql<Record<string, unknown>>`
    select id, session_id as session, ended_at is null and lease_until > now() as live, end_reason, draining_at is not null as draining
      from workers order by id`.execute(db);
  const { rows: schedules } = await sql<Record<string, unknown>>`
    select id, cron, overlap, misfire, paused, next_at <= now() as due, last_task_id as last, fires::int, skips::int
      from schedules where ended_at is null order by id`.execute(db);
  const { rows: bulk } = await sql<Record<string, unknown>>`
    select id, action, state, case when action = 'retry' then place when examined > 0 then until end as reached, examined::int, changed::int
      from bulk_operations order by id`.execute(db);
  return { tasks, workers, schedules, bulk };
}

export function modelSnapshot({ tasks, fleet, standing }: Model): Snapshot {
  return {
    tasks: tasks.all.map((task) => ({
      id: task.id, state: task.state, reason: task.reason, attempt: task.attempt, worker: task.holder?.worker ?? task.endedBy,
      priority: task.priority, result: task.result, reused_from: task.reusedFrom, retry_of: task.retryOf, schedule_id: task.scheduleId,
      ...(isLive(task)
        ? { rank: task.rank, failures: task.failures, losses: task.losses, available: task.available, expires: task.expires }
        : { rank: null, failures: null, losses: null, available: null, expires: null }),
      request: task.holder?.request ?? null, session: task.holder?.session ?? null, lines: task.lines,
      progress: [...task.progress].map(([attempt, step]) => `${attempt} ${step}`),
      open: [...task.open].map(([parent, kind]) => `${parent} ${kind}`).sort(), attempts: task.attempts,
    })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    workers: [...fleet.workers.values()].map((worker) => ({
      id: worker.id, session: worker.session, live: worker.ended === null && !worker.lapsed, end_reason: worker.ended, draining: worker.draining,
    })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    schedules: standing.schedules.map(({ id, cron, overlap, misfire, paused, due, lastTask, fires, skips }) =>
      ({ id, cron, overlap, misfire, paused, due: due !== null, last: lastTask, fires, skips })),
    bulk: standing.bulk.map(({ id, action, state, reached, examined, changed }) => ({ id, action, state, reached, examined, changed })),
  };
}

/** Where the database is not as the model says, one value a line. */
export function differences(database: Snapshot, model: Snapshot): string[] {
  return (['tasks', 'workers', 'schedules', 'bulk'] as const).flatMap((table) => {
    const [seen, expected] = [database, model].map((side) => new Map(side[table].map((row) => [String(row.id), row])));
    return [...new Set([...(seen?.keys() ?? []), ...(expected?.keys() ?? [])])].flatMap((id) => {
      const [one, other] = [seen?.get(id) ?? {}, expected?.get(id) ?? {}];
      return [...new Set([...Object.keys(one), ...Object.keys(other)])]
        .filter((key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]))
        .map((key) => `${table} ${id} ${key}: the database has ${JSON.stringify(one[key])}, the model ${JSON.stringify(other[key])}`);
    });
  });
}
