/** A problem that was paused while a task of it waited, and a worker that was drained while it ran another; then both go on. */
import type { Operation } from '../../clients/history.js';
import { note, noted, submission, task, the, type Draft, type Forgery } from '../forged.js';

const [PAUSED, DRAINED] = ['c-paused', 'c-drained'];
const [WORKER, SESSION] = ['worker-007-kind', 'session-of-worker-7'];

const control = (at: number, what: 'pause' | 'drain', on: boolean, target: string): Operation => ({ ...noted(at, at + 10), verb: 'control', what, on, target });
const claim = (at: number, taskId: string): Operation =>
  ({ ...noted(at, at + 10), verb: 'claim', session: SESSION, requestId: taskId, claimed: { taskId, attempt: 1 } });
const report = (at: number, taskId: string): Operation =>
  ({ ...noted(at, at + 10), verb: 'report', how: 'completed', session: SESSION, taskId, attempt: 1, body: {} });

export function add(draft: Draft): void {
  const { database } = draft;
  note(
    draft,
    { ...noted(80_000, 80_010), verb: 'register', workerId: WORKER, session: SESSION },
    ...[PAUSED, DRAINED].map((id): Operation => ({
      ...noted(80_000, 80_010), verb: 'submit', key: id, form: 'one', ids: [id], workflowId: null, existed: false,
      tasks: [{ ...submission(`marker of ${id}`), problem_id: `problem of ${id}` }],
    })),
    claim(80_500, DRAINED), control(81_000, 'pause', true, `problem of ${PAUSED}`), control(81_000, 'drain', true, WORKER), report(82_000, DRAINED),
    control(84_000, 'drain', false, WORKER), control(84_000, 'pause', false, `problem of ${PAUSED}`), claim(84_500, PAUSED), report(86_000, PAUSED),
  );
  database.tasks.push(...[PAUSED, DRAINED].map((id) => ({ ...task(id, 80_005), problemId: `problem of ${id}` })));
  for (const [taskId, startedAt, endedAt] of [[DRAINED, 80_505, 82_005], [PAUSED, 84_505, 86_005]] as const) {
    database.attempts.push({ taskId, attempt: 1, sessionId: SESSION, startedAt, endedAt, outcome: 'completed', error: null });
    database.outcomes.push({ taskId, status: 'completed', reason: null, attempt: 1, sessionId: SESSION, endedAt, result: {}, error: null, reusedFrom: null });
  }
}

/** The task that waited begins at 82 seconds. */
function hasten({ operations, database }: Draft): void {
  Object.assign(the(operations, (one) => one.verb === 'claim' && one.claimed?.taskId === PAUSED), { began: 81_900, ended: 82_010 });
  the(database.attempts, ({ taskId }) => taskId === PAUSED).startedAt = 82_000;
}

export const FORGERIES: readonly Forgery[] = [
  ['pausesAreKept', 'a task of it began', hasten],
  ['pausesAreKept', 'a task began under a pause of everything', (draft) => {
    note(draft, control(83_000, 'pause', true, ''), control(85_000, 'pause', false, ''));
  }],
  ['drainsAreKept', 'the worker got a task', hasten],
];

/** What only seems to break a rule. */
export const DOUBTS: readonly Forgery[] = [
  ['pausesAreKept', 'nobody knows when the end of an earlier pause came', (draft) => {
    note(draft, { ...control(80_900, 'pause', false, `problem of ${PAUSED}`), result: 'unknown' });
    hasten(draft);
  }],
  ['drainsAreKept', 'the worker registered after the drain', (draft) => {
    Object.assign(the(draft.operations, (one) => one.verb === 'register' && one.workerId === WORKER), { began: 81_500, ended: 81_510 });
    hasten(draft);
  }],
];
