/** A set of two tasks: the one was cancelled in bulk, the other had failed before; then both were retried in bulk. */
import type { Operation } from '../../clients/history.js';
import { note, noted, submission, task, the, type Draft, type Forgery } from '../forged.js';

const [CUT, FAILED, CUT_AGAIN, FAILED_AGAIN] = ['b-cut', 'b-failed', 'b-cut-again', 'b-failed-again'];
const [CANCEL, RETRY] = ['bulk-cancel', 'bulk-retry'];

const bulk = (at: number, action: 'cancel' | 'retry', id: string, changed: number): Operation =>
  ({ ...noted(at, at + 10), verb: 'bulk', key: action, action, set: 'set', id, finished: { at: at + 1_000, examined: changed, changed } });

export function add(draft: Draft): void {
  const { database } = draft;
  const tasks = [CUT, FAILED].map((id) => ({ ...submission(`marker of ${id}`), labels: { set: 'set' } }));
  note(
    draft,
    { ...noted(70_000, 70_010), verb: 'submit', key: 'set', form: 'batch', ids: [CUT, FAILED], workflowId: null, existed: false, tasks },
    bulk(72_000, 'cancel', CANCEL, 1), bulk(74_000, 'retry', RETRY, 2),
  );
  database.tasks.push(
    ...[CUT, FAILED].map((id) => ({ ...task(id, 70_005), labels: { set: 'set' } })),
    { ...task(CUT_AGAIN, 74_500), marker: `marker of ${CUT}`, labels: { set: 'set' }, retryOf: CUT },
    { ...task(FAILED_AGAIN, 74_500), marker: `marker of ${FAILED}`, labels: { set: 'set' }, retryOf: FAILED },
  );
  const ended = { attempt: 0, sessionId: null, result: null, error: null, reusedFrom: null };
  database.outcomes.push(
    { ...ended, taskId: CUT, status: 'cancelled', reason: 'cancel_requested', endedAt: 72_500 },
    { ...ended, taskId: FAILED, status: 'failed', reason: 'task_failed', endedAt: 71_000 },
  );
  database.bulks.push(
    { id: CANCEL, action: 'cancel', set: 'set', state: 'done', examined: 1, changed: 1, endedAt: 72_600 },
    { id: RETRY, action: 'retry', set: 'set', state: 'done', examined: 2, changed: 2, endedAt: 74_600 },
  );
}

const row = ({ database }: Draft, id: string) => the(database.bulks, (one) => one.id === id);
const asked = ({ operations }: Draft, id: string) => the(operations, (one) => one.verb === 'bulk' && one.id === id);
const drop = ({ database }: Draft, id: string): void => {
  database.tasks = database.tasks.filter((one) => one.id !== id);
};

export const FORGERIES: readonly Forgery[] = [
  ['finishedBulksHaveDoneAll', 'a task ended only afterwards', (draft) => (the(draft.database.outcomes, ({ taskId }) => taskId === CUT).endedAt = 75_000)],
  ['finishedBulksHaveDoneAll', 'a task never ended', ({ database }) => (database.outcomes = database.outcomes.filter(({ taskId }) => taskId !== CUT))],
  ['finishedBulksHaveDoneAll', 'a task was not retried', (draft) => {
    drop(draft, FAILED_AGAIN);
  }],
  ['bulksCountWhatTheyDid', 'it counted a cancel too many', (draft) => Object.assign(asked(draft, CANCEL), { finished: { at: 73_000, examined: 2, changed: 2 } })],
  ['bulksCountWhatTheyDid', 'it counted a retry too few', (draft) => Object.assign(asked(draft, RETRY), { finished: { at: 75_000, examined: 2, changed: 1 } })],
  ['bulksCountWhatTheyDid', 'it looked at more than there are', (draft) => Object.assign(asked(draft, RETRY), { finished: { at: 75_000, examined: 3, changed: 2 } })],
  ['bulksCountWhatTheyDid', 'it is recorded otherwise', (draft) => (row(draft, RETRY).examined = 1)],
  ['bulksAreMadeOnce', 'a key was answered with two', (draft) => {
    note(draft, { ...bulk(76_000, 'cancel', 'other', 1), result: 'unknown' });
  }],
  ['bulksAreMadeOnce', 'a key made two', ({ database }) => database.bulks.push({ id: 'x', action: 'cancel', set: 'set', state: 'done', examined: 0, changed: 0, endedAt: 73_000 })],
  ['bulksAreMadeOnce', 'a task was retried twice', (draft) => draft.database.tasks.push({ ...task('x', 74_501), labels: { set: 'set' }, retryOf: CUT })],
  ['bulksEnd', 'it is still running', (draft) => (row(draft, RETRY).state = 'running')],
  ['bulksEnd', 'it is gone', ({ database }) => database.bulks.pop()],
];
