/** Reads the database for the checker, all of it in one snapshot. */
import type pg from 'pg';
import { breaches, INVARIANTS, SETTLED } from '../../../packages/api/test/support/invariants.js';
import type { Clock } from '../clock.js';
import type { ArtifactRow, AttemptRow, BulkRow, LimitRow, LogRow, OutcomeRow, QueueRow, ScheduleRow, Snapshot, TaskRow, WorkflowRow } from './evidence.js';

const QUERIES = {
  tasks: `
    select id, problem_id as "problemId", parameters ->> 'marker' as marker, priority, labels, timeout_seconds as "timeoutSeconds",
           created_at as "createdAt", run_at as "runAt", schedule_id as "scheduleId", name,
           workflow_id as "workflowId", retry_of as "retryOf", dedupe_key as "dedupeKey",
           reuse_seconds as "reuseSeconds", parameters,
           run_anyway as "runAnyway", max_attempts as "maxAttempts", max_lost as "maxLost",
           array(select parent_id::text from dependencies d where d.task_id = t.id) as parents
      from tasks t order by id`,
  workflows: `select id, retry_of as "retryOf" from workflows`,
  bulks: `
    select id, action, substring(filter -> 'labels' ->> 0 from 5) as set, state, examined::int as examined, changed::int as changed, ended_at as "endedAt"
      from bulk_operations`,
  artifacts: `
    select id, task_id as "taskId", attempt, name, bytes::int as bytes, encode(sha256, 'hex') as sha256 from artifacts`,
  queue: `select task_id as "taskId", state, attempt, started_at as "startedAt" from queue`,
  outcomes: `
    select task_id as "taskId", status, reason, attempt, session_id as "sessionId", ended_at as "endedAt", result, error, reused_from as "reusedFrom"
      from outcomes`,
  attempts: `
    select task_id as "taskId", attempt, session_id as "sessionId", started_at as "startedAt", ended_at as "endedAt", outcome, error
      from attempts order by task_id, attempt`,
  logs: `select task_id as "taskId", line::int as line, attempt, message from task_logs order by task_id, line`,
  schedules: `
    select id, fires::int as fires, skips::int as skips, next_at as "nextAt" from schedules`,
  limits: `
    select substring(key from 7) as label, value, max_running as "maxRunning" from limits where key like 'label:%'`,
};

/** When a schedule is to fire, as its maker knows it. */
export type Timetable = Pick<ScheduleRow, 'id' | 'firstAt' | 'periodMs'>;

/** Nothing is under way; `timetables`: of all schedules. */
export async function readSnapshot(client: pg.Client, clock: Clock, timetables: readonly Timetable[]): Promise<Snapshot> {
  await client.query('begin isolation level repeatable read read only');
  const read = async <T>(name: keyof typeof QUERIES): Promise<T[]> => {
    const { rows } = await client.query<Record<string, unknown>>(QUERIES[name]);
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value instanceof Date ? clock.ofDatabase(value) : value])) as T);
  };
  const snapshot = {
    tasks: await read<TaskRow>('tasks'),
    workflows: await read<WorkflowRow>('workflows'),
    bulks: await read<BulkRow>('bulks'),
    artifacts: await read<ArtifactRow>('artifacts'),
    queue: await read<QueueRow>('queue'),
    outcomes: await read<OutcomeRow>('outcomes'),
    attempts: await read<AttemptRow>('attempts'),
    logs: await read<LogRow>('logs'),
    schedules: (await read<ScheduleRow>('schedules')).map((row) => ({ ...row, ...timetables.find(({ id }) => id === row.id) })),
    limits: await read<LimitRow>('limits'),
    breaches: await breaches((text) => client.query(text), { ...INVARIANTS, ...SETTLED }),
  };
  await client.query('commit');
  return snapshot;
}
