/** Directives: what a session is told of the attempts that it says it runs, and of those that it does not know of. */
import { sql } from 'kysely';
import type { TaskStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { runsOn, workerOf } from '../fleet/look-up.js';
import { isTaskOf } from './fence.js';

export interface NamedAttempt {
  readonly taskId: string;
  /** Null where the worker named only the task. */
  readonly attempt: number | null;
}

export interface Directive {
  readonly task_id: string;
  readonly attempt: number | null;
  readonly reason: TaskStatus | 'unknown';
}

/** An attempt that a session holds and did not name. */
export interface Unnamed {
  readonly task_id: string;
  readonly attempt: number;
  /** The claim that took it, by the worker's own id for it, or null. */
  readonly request_id: string | null;
}

/** What a session says that it runs. */
export interface Running {
  readonly workerId: string;
  readonly sessionId: string;
  readonly named: readonly NamedAttempt[];
  /** Whether these are all that it knows of. */
  readonly isAll: boolean;
}

export interface Directives {
  readonly cancel: Directive[];
  readonly lost: Directive[];
  readonly unnamed: Unnamed[];
}

type DirectiveRow =
  | ({ readonly kind: 'stop'; readonly n: number; readonly request_id: null } & Directive)
  | ({ readonly kind: 'unnamed'; readonly n: number; readonly reason: null } & Unnamed);

/**
 * The directives for each session: the attempts that it says it runs and should not (of ended tasks, to be cancelled, and lost ones), and
 * those that it holds and does not know of: the answer to a claim was lost for good, or a copy of a claim came late.
 */
export async function directivesFor(db: Database, running: readonly Running[]): Promise<Directives[]> {
  const directives = running.map((): Directives => ({ cancel: [], lost: [], unnamed: [] }));
  const all = running.flatMap(({ sessionId, named }, n) => named.map((one) => ({ n, sessionId, ...one })));
  const whole = running.flatMap(({ workerId, sessionId, isAll }, n) => (isAll ? [{ n, workerId, sessionId }] : []));
  if (all.length === 0 && whole.length === 0) return directives;
  const { rows } = await sql<DirectiveRow>`
    with named as materialized (
      select *
        from unnest(${all.map((one) => one.n)}::int[], ${all.map((one) => one.sessionId)}::uuid[],
                    ${all.map((one) => one.taskId)}::uuid[], ${all.map((one) => one.attempt)}::int[]) as g (n, session_id, task_id, attempt)
    )
    select 'stop' as kind, named.n, named.task_id, named.attempt,
           coalesce(o.status, case when q.state = 'running' then 'running' when q.state is not null then 'pending' end,
                    'unknown') as reason, null as request_id
      from named
      left join queue q on ${isTaskOf('named')}
      left join outcomes o on o.task_id = any (array[named.task_id])
     where not coalesce(q.state = 'running' and q.session_id = named.session_id
                        and q.attempt = coalesce(named.attempt, q.attempt), false)
    union all
    select 'unnamed', whole.n, q.task_id, q.attempt, null, q.claim_request
      from unnest(${whole.map((one) => one.n)}::int[], ${whole.map((one) => one.workerId)}::text[],
                  ${whole.map((one) => one.sessionId)}::uuid[]) as whole (n, worker_id, session_id)
     -- Session by session, since the planner may take for short what all of them run.
     cross join lateral ${workerOf('whole')} as w
     cross join lateral (select * from queue q where ${runsOn('w')} offset 0) as q
     where not exists (select from named where named.n = whole.n and named.task_id = q.task_id
                                           and q.attempt = coalesce(named.attempt, q.attempt))`.execute(db);
  for (const row of rows) {
    const its = directives[row.n];
    if (row.kind === 'unnamed') its?.unnamed.push({ task_id: row.task_id, attempt: row.attempt, request_id: row.request_id });
    else its?.[isStopped(row.reason) ? 'cancel' : 'lost'].push({ task_id: row.task_id, attempt: row.attempt, reason: row.reason });
  }
  return directives;
}

function isStopped(reason: Directive['reason']): boolean {
  return reason === 'cancelled' || reason === 'timeout';
}
