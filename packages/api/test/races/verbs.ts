/** The verbs that race for a task, each as its real statement on any connection, open transaction or none. */
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';
import { register } from '../../src/fleet/register.js';
import { adjust } from '../../src/queue/adjust.js';
import { cancel } from '../../src/queue/cancel.js';
import { claim, claimMemory } from '../../src/queue/claim.js';
import type { Reporter } from '../../src/queue/fence.js';
import { Front } from '../../src/queue/front.js';
import { appendLogs } from '../../src/queue/logs.js';
import { pause } from '../../src/queue/pauses.js';
import { report, type Report } from '../../src/queue/report.js';
import { submit, withRaces } from '../../src/queue/submit.js';
import { sweepExpired, sweepSessions, sweepTimeouts, type Swept } from '../../src/queue/sweep.js';
import { AGEING_MS, hasTask, LEASE_SECONDS, registration, submission, type Scene, type TestSession } from './scene.js';

export interface Verb {
  /** The state of the task without which it changes nothing; null: it is about both. */
  readonly needs: 'pending' | 'running' | null;
  /** Leaves a row that another transaction has locked to it: nothing may come of it, and the next time something does. */
  readonly skips: boolean;
  /** One at a time for each session: waits for another of the same session. */
  readonly takesTurns?: boolean;
  /** What has to be so before, whoever comes first. */
  readonly prepare?: (db: Database, scene: Scene) => Promise<unknown>;
  /** Its one statement; a word for what it did. */
  readonly act: (db: Database, scene: Scene) => Promise<string>;
}

const done = (isDone: boolean): string => (isDone ? 'done' : 'nothing');
const reporter = ({ holder, taskId }: Scene): Reporter => ({ ...holder, taskId, attempt: 1, leaseSeconds: LEASE_SECONDS });
const swept = ({ taskId }: Scene, rows: readonly Swept[]): string => done(rows.some((row) => row.task_id === taskId));

/** By the shorter statement of a claim, or where `plainAt` is Infinity by the other. */
function claimBy(which: (scene: Scene) => TestSession, plainAt: number): Verb {
  return {
    needs: 'pending',
    skips: true,
    takesTurns: true,
    act: async (db, scene) => done((await claim(db, [{ ...which(scene), requestId: null, wanted: 1, leaseSeconds: LEASE_SECONDS }], null, { ...claimMemory(new Front()), plainAt })).some(hasTask)),
  };
}

function reporting(act: (db: Database, scene: Scene) => Promise<boolean>): Verb {
  return { needs: 'running', skips: false, act: async (db, scene) => done(await act(db, scene)) };
}

function reportOf(one: Report): Verb {
  return reporting(async (db, scene) => (await report(db, [{ reporter: reporter(scene), report: one }]))[0] !== null);
}

export const VERBS: Readonly<Record<string, Verb>> = {
  claim: claimBy(({ claimers }) => claimers[0], 0),
  'claim by another': claimBy(({ claimers }) => claimers[1], Infinity),
  complete: reportOf({ outcome: 'completed', result: { n: 1 } }),
  fail: reportOf({ outcome: 'failed', error: 'broken', retryable: true, retryAfterSeconds: null }),
  'fail for good': reportOf({ outcome: 'failed', error: 'broken', retryable: false, retryAfterSeconds: null }),
  release: reportOf({ outcome: 'released', reason: null }),
  log: reporting(async (db, scene) => (await appendLogs(db, reporter(scene), [{ level: 'info', message: 'line', context: null, timestamp: null }], 0)).kind === 'appended'),
  cancel: { needs: null, skips: false, act: async (db, { taskId }) => done((await cancel(db, taskId)) !== null) },
  adjust: {
    needs: 'pending', skips: false,
    act: async (db, { taskId }) => done((await adjust(db, AGEING_MS, taskId, { priority: 9, runAt: null })) !== null),
  },
  'sweep of timeouts': {
    needs: 'running', skips: true,
    prepare: (db, { taskId }) => sql`update queue set deadline_at = now() - interval '1 second' where task_id = ${taskId}::uuid and state = 'running'`.execute(db),
    act: async (db, scene) => swept(scene, await sweepTimeouts(db, [scene.taskId])),
  },
  'sweep of sessions': {
    needs: 'running', skips: true,
    prepare: (db, { holder }) => sql`update workers set ended_at = now(), end_reason = 'lapsed' where id = ${holder.workerId}`.execute(db),
    act: async (db, scene) => swept(scene, await sweepSessions(db, [scene.taskId])),
  },
  'sweep of expired': {
    needs: 'pending', skips: true,
    // Not before the claim, which looks at it too.
    prepare: (db, { taskId }) => sql`update queue set expires_at = now() - interval '1 second' where task_id = ${taskId}::uuid and state <> 'running'`.execute(db),
    act: async (db, scene) => swept(scene, await sweepExpired(db, [scene.taskId])),
  },
  'registration anew': {
    needs: null, skips: false,
    // What the old session held is taken back in a statement of its own: see settle.
    act: async (db, { holder, problem }) => done((await register(db, registration(holder.workerId, problem))) !== null),
  },
  'submission of a dependent': {
    needs: null, skips: false,
    act: async (db, { problem, taskId }) => {
      const child = { ...submission(problem), backendType: 'none' };
      const { created } = await withRaces(() => submit(db, AGEING_MS, [child], [{ child: 0, parent: taskId, name: 'parent' }]));
      return done(created[0] === true);
    },
  },
  pause: { needs: null, skips: false, act: async (db, { problem }) => done((await pause(db, problem, null)) !== null) },
};

/** The states of the task in which the two may meet. */
export function statesOf(one: Verb, other: Verb): ('pending' | 'running')[] {
  if (one.needs === 'running' || other.needs === 'running') return ['running'];
  return one.needs === null && other.needs === null ? ['pending', 'running'] : ['pending'];
}
