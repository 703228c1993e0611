/**
 * A workflow of two tasks of which the second failed, run again as a workflow of that one; and a task that was retried by hand, under a
 * key that was repeated.
 */
import type { Operation } from '../../clients/history.js';
import { GONE, note, noted, submission, task, the, type Draft, type Forgery } from '../forged.js';

const [FIRST, SECOND, AGAIN, BY_HAND] = ['w-first', 'w-second', 'w-again', 'by-hand'];
const [WORKFLOW, RERUN] = ['workflow', 'workflow-again'];

const retry = (at: number, what: 'task' | 'workflow', of: string, newId: string): Operation =>
  ({ ...noted(at, at + 10), verb: 'retry', what, of, key: `retry of ${of}`, newId });

export function add(draft: Draft): void {
  const { database } = draft;
  const member = (id: string, name: string, workflowId: string, more: object) => ({ ...task(id, 31_000), name, workflowId, ...more });
  note(
    draft,
    {
      ...noted(31_000, 31_010), verb: 'submit', key: 'workflow', form: 'workflow', ids: [FIRST, SECOND], workflowId: WORKFLOW, existed: false,
      tasks: [{ ...submission(`marker of ${FIRST}`), name: 'one' }, { ...submission(`marker of ${SECOND}`), name: 'two', depends_on: ['one'] }],
    },
    retry(40_000, 'workflow', WORKFLOW, RERUN), retry(41_000, 'task', GONE, BY_HAND), retry(41_500, 'task', GONE, BY_HAND),
    { ...noted(20_000, 20_010), result: 'fail', code: 'task_not_terminal', verb: 'retry', what: 'task', of: GONE, key: 'too soon', newId: null },
  );
  database.workflows.push({ id: WORKFLOW, retryOf: null }, { id: RERUN, retryOf: WORKFLOW });
  database.tasks.push(
    member(FIRST, 'one', WORKFLOW, {}), member(SECOND, 'two', WORKFLOW, { parents: [FIRST] }),
    member(AGAIN, 'two', RERUN, { marker: `marker of ${SECOND}`, parents: [FIRST], retryOf: SECOND, createdAt: 40_005 }),
    { ...task(BY_HAND, 41_005), marker: `marker of ${GONE}`, retryOf: GONE },
  );
  const outcome = (taskId: string, endedAt: number) => ({ taskId, reason: null, attempt: 0, sessionId: null, endedAt, result: null, error: null, reusedFrom: null });
  database.outcomes.push({ ...outcome(FIRST, 32_000), status: 'completed' }, { ...outcome(SECOND, 33_000), status: 'failed' });
}

const row = ({ database }: Draft, id: string) => the(database.tasks, (one) => one.id === id);
const drop = ({ database }: Draft, id: string): void => {
  database.tasks = database.tasks.filter((one) => one.id !== id);
};
const asked = ({ operations }: Draft, at: number) => the(operations, (one) => one.verb === 'retry' && one.began === at);

export const FORGERIES: readonly Forgery[] = [
  ['workflowsAreWhole', 'one of its tasks is gone', (draft) => {
    drop(draft, SECOND);
  }],
  ['workflowsAreWhole', 'all of its tasks are gone', (draft) => {
    for (const id of [FIRST, SECOND]) drop(draft, id);
  }],
  ['workflowsAreWhole', 'an unknown one is there by half', (draft) => {
    Object.assign(the(draft.operations, (one) => one.verb === 'submit' && one.form === 'workflow'), { result: 'unknown', ids: [], workflowId: null });
    drop(draft, SECOND);
  }],
  ['workflowsAreWhole', 'a task is in another workflow', (draft) => (row(draft, SECOND).workflowId = RERUN)],
  ['workflowsAreWhole', 'it was acknowledged as another', ({ operations }) => Object.assign(the(operations, (one) => one.verb === 'submit' && one.form === 'workflow'), { workflowId: RERUN })],
  ['workflowsAreWhole', 'an edge is missing', (draft) => (row(draft, SECOND).parents = [])],
  ['workflowsAreWhole', 'a workflow has no task', ({ database }) => database.workflows.push({ id: 'empty', retryOf: null })],
  ['retriedWorkflowsAreWhole', 'a task that completed is run again', (draft) => (row(draft, AGAIN).retryOf = FIRST)],
  ['retriedWorkflowsAreWhole', 'a task that failed is not', (draft) => {
    drop(draft, AGAIN);
  }],
  ['retriedWorkflowsAreWhole', 'it waits for nothing', (draft) => (row(draft, AGAIN).parents = [])],
  ['retriesNameTheirOriginals', 'the new task is gone', (draft) => {
    drop(draft, BY_HAND);
  }],
  ['retriesNameTheirOriginals', 'it names another', (draft) => (row(draft, BY_HAND).retryOf = FIRST)],
  ['retriesNameTheirOriginals', 'it is other work', (draft) => (row(draft, BY_HAND).marker = 'other')],
  ['retriesCountOnce', 'a key made two', ({ database }) => database.tasks.push({ ...task('twice', 41_006), retryOf: GONE })],
  ['retriesCountOnce', 'nobody asked for it', ({ database }) => database.workflows.push({ id: 'invented', retryOf: RERUN })],
  ['retriesCountOnce', 'a key was answered with two', (draft) => Object.assign(asked(draft, 41_500), { newId: AGAIN })],
  ['onlyWhatEndedIsRetried', 'it had not ended', (draft) => (the(draft.database.outcomes, ({ taskId }) => taskId === GONE).endedAt = 60_000)],
  ['onlyWhatEndedIsRetried', 'it was refused after a cancel had been acknowledged', (draft) => Object.assign(asked(draft, 41_000), { result: 'fail', code: 'task_not_terminal' })],
];
