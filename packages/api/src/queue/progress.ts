/** Progress: how far an attempt is, as its worker says. What it said last stays for ever, what it said before does not. */
import { sql, type RawBuilder } from 'kysely';
import type { components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { HOLDS, RENEWS_LEASE, reporterRow, type Reporter } from './fence.js';

type Progress = components['schemas']['Progress'];
type TaskProgress = NonNullable<components['schemas']['TaskProgress']>;

/** A row `p` of attempt_progress as JSON. */
export const PROGRESS_JSON: RawBuilder<TaskProgress> = sql`
  json_build_object('attempt', p.attempt, 'step', p.step, 'total', p.total, 'message', p.message, 'metrics', p.metrics,
                    'updated_at', p.updated_at)`;

/** The last progress of the task `t`, of whichever attempt said any last. */
export const LAST_PROGRESS: RawBuilder<TaskProgress | null> = sql`
  (select ${PROGRESS_JSON} from attempt_progress p where p.task_id = t.id order by p.attempt desc limit 1)`;

/** The contract's progress, of PROGRESS_JSON. */
export function toProgress(progress: TaskProgress | null): TaskProgress | null {
  // PostgreSQL writes moments into JSON in its own form.
  return progress === null ? null : { ...progress, updated_at: new Date(progress.updated_at).toISOString() };
}

/** Stores what a reporter says of its progress. False: it does not hold the task, and nothing was stored. */
export async function reportProgress(db: Database, reporter: Reporter, { step, total, message, metrics }: Progress): Promise<boolean> {
  const { rows } = await sql`
    with held as materialized (
      select q.task_id, q.attempt, q.worker_id, q.session_id, g.lease_seconds
        from queue q join ${reporterRow(reporter)} as g on ${HOLDS} for update of q
    ), said as (
      insert into attempt_progress as p (task_id, attempt, step, total, message, metrics, updated_at)
      select task_id, attempt, ${step ?? null}::float8, ${total ?? null}::float8, ${message ?? null},
             ${JSON.stringify(metrics ?? {})}::json, now()
        from held
      on conflict (task_id, attempt) do update
        set step = excluded.step, total = excluded.total, message = excluded.message, metrics = excluded.metrics,
            updated_at = greatest(p.updated_at, excluded.updated_at)
    ), ${RENEWS_LEASE}
    select task_id from held`.execute(db);
  return rows.length === 1;
}
