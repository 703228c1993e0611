/**
 * What a race is about: one task, pending or running on `holder`, and workers that may claim it. Every scene has names of its
 * own, so many fit into one database.
 */
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';
import { register, type Registration } from '../../src/fleet/register.js';
import { claim, type ClaimResult } from '../../src/queue/claim.js';
import { wakeDependents } from '../../src/queue/dependents.js';
import { fingerprintOf } from '../../src/queue/fingerprint.js';
import type { Submission } from '../../src/queue/submission.js';
import { submit } from '../../src/queue/submit.js';
import { findOrphaned, sweepSessions } from '../../src/queue/sweep.js';

export const AGEING_MS = 86_400_000;
export const LEASE_SECONDS = 3600;

/** Until a verb that needs it moves it. */
const NEVER = '2999-01-01T00:00:00Z';

export interface TestSession {
  readonly workerId: string;
  readonly sessionId: string;
}

export interface Scene {
  readonly problem: string;
  readonly taskId: string;
  /** Runs the task, where it runs. */
  readonly holder: TestSession;
  /** Workers with room for one task. */
  readonly claimers: readonly [TestSession, TestSession];
}

let scenes = 0;

export function registration(workerId: string, problem: string): Registration {
  return { workerId, backendType: 'kind', maxParallelTasks: 1, supportedProblems: [problem], metadata: {}, leaseSeconds: LEASE_SECONDS };
}

/** A task that is tried twice. */
export function submission(problemId: string): Submission {
  return {
    name: null, problemId, parameters: {}, labels: {}, priority: 5, backendType: null, timeoutSeconds: 60, maxAttempts: 2, maxLost: 2,
    backoff: null, runAt: null, delaySeconds: null, expiresAt: NEVER, runAnyway: false, retryOf: null, workflowId: null, scheduleId: null,
    dedupeKey: null, reuseSeconds: null, fingerprint: fingerprintOf(problemId, {}),
  };
}

async function worker(db: Database, n: number, problem: string): Promise<TestSession> {
  const registered = await register(db, registration(`worker-${String(n).padStart(6, '0')}-kind`, problem));
  if (registered === null) throw new Error('no worker could register');
  return registered;
}

export async function setScene(db: Database, state: 'pending' | 'running'): Promise<Scene> {
  const n = ++scenes;
  const problem = `race-${n}`;
  const [holder, first, second] = [await worker(db, 3 * n, problem), await worker(db, 3 * n + 1, problem), await worker(db, 3 * n + 2, problem)];
  const { rows } = await submit(db, AGEING_MS, [submission(problem)]);
  const taskId = rows[0]?.id ?? '';
  if (state === 'running') {
    const [claimed] = await claim(db, [{ ...holder, requestId: null, wanted: 1, leaseSeconds: LEASE_SECONDS }]);
    if (claimed?.kind !== 'claimed' || claimed.tasks[0]?.id !== taskId) throw new Error('the task could not be claimed');
  }
  return { problem, taskId, holder, claimers: [first, second] };
}

/** Whether a claim got a task. */
export function hasTask(claimed: ClaimResult): boolean {
  return claimed.kind === 'claimed' && claimed.tasks.length > 0;
}

/** What follows by itself soon after: what the next sweep does about sessions and dependents. */
export async function settle(db: Database): Promise<void> {
  await sweepSessions(db, await findOrphaned(db, null));
  while ((await wakeDependents(db)) !== null);
}

/** What has become of the tasks of a scene, in words that mean the same in every scene. */
export async function stateOf(db: Database, { problem, holder, claimers }: Scene): Promise<string> {
  const { rows } = await sql<{ state: string }>`
    select concat_ws(' ', coalesce(o.status, q.state), coalesce(o.reason, q.wait_reason), 'attempt ' || coalesce(o.attempt, q.attempt),
             'of ' || (array['holder', 'claimer 1', 'claimer 2'])[array_position(${[holder, ...claimers].map(({ workerId }) => workerId)}::text[], q.worker_id)],
             (select string_agg(a.outcome, ',' order by a.attempt) from attempts a where a.task_id = t.id),
             q.blockers || ' blockers', (select count(*) || ' lines' from task_logs g where g.task_id = t.id)) as state
      from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
     where t.problem_id = ${problem} order by t.id`.execute(db);
  return rows.map(({ state }) => state).join('; ');
}
