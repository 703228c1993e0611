/** Workflows: each is there whole or not at all, with the edges that were asked for; run again, it is what did not complete. */
import type { Submit } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type TaskRow, type Violation } from '../evidence.js';

const workflowSubmits = ({ operations }: Evidence): Submit[] => operations.filter((one): one is Submit => one.verb === 'submit' && one.form === 'workflow');

const sameSet = (one: readonly string[], other: readonly string[]): boolean => [...one].sort().join() === [...other].sort().join();

/** What is not as it was submitted of the tasks of a workflow; null: nothing. */
function difference({ tasks }: Submit, rows: ReadonlyMap<string, TaskRow>): string | null {
  const found = tasks.flatMap(({ parameters }) => rows.get(parameters.marker) ?? []);
  if (found.length < tasks.length) return `has ${found.length} of its ${tasks.length} tasks`;
  if (new Set(found.map(({ workflowId }) => workflowId)).size !== 1) return 'is several';
  const ids = new Map(found.map(({ name, id }) => [name, id]));
  const wrong = tasks.find((task, n) => {
    const parents = ((task['depends_on'] ?? []) as string[]).map((name) => ids.get(name) ?? name);
    return found[n]?.name !== task['name'] || !sameSet(found[n]?.parents ?? [], parents);
  });
  return wrong === undefined ? null : `has ${wrong.parameters.marker} under another name, or with other parents`;
}

export const workflowsAreWhole: Rule = (evidence) => {
  const firsts = new Map(evidence.database.tasks.filter(({ retryOf }) => retryOf === null).map((row) => [row.marker ?? '', row]));
  const known = new Map(evidence.database.workflows.map((row) => [row.id, row]));
  const submits = workflowSubmits(evidence);
  const said = { rule: 'a workflow is there whole or not at all', taskId: null };
  const wrong = submits.flatMap((submit): Violation[] => {
    const first = submit.tasks.map(({ parameters }) => firsts.get(parameters.marker)).find((row) => row !== undefined);
    if (first === undefined) return submit.result === 'ok' ? [{ ...said, about: submit.workflowId ?? submit.key ?? submit.verb, words: `${submit.workflowId ?? ''} was acknowledged, and has no task` }] : [];
    const taskId = first.id;
    const words = difference(submit, firsts);
    if (words !== null) return [{ ...said, taskId, words: `${first.workflowId ?? 'a workflow'} ${words}` }];
    if (!known.has(first.workflowId ?? '')) return [{ ...said, taskId, words: `${first.workflowId ?? 'a workflow'} has tasks, and is not there` }];
    if (submit.result !== 'ok' || submit.workflowId === first.workflowId) return [];
    return [{ ...said, taskId, words: `${submit.workflowId ?? ''} was acknowledged, and is ${first.workflowId ?? 'none'}` }];
  });
  const members = groupBy(evidence.database.tasks, ({ workflowId }) => workflowId ?? '');
  const empty = evidence.database.workflows.filter(({ id }) => !members.has(id)).map(({ id }) => ({ ...said, about: id, words: `${id} has no task` }));
  return [...wrong, ...empty];
};

/** However it was asked for: a workflow that runs another again has one task for each that did not complete, and for no other. */
export const retriedWorkflowsAreWhole: Rule = ({ database }) => {
  const tasks = new Map(database.tasks.map((row) => [row.id, row]));
  const members = groupBy(database.tasks, ({ workflowId }) => workflowId ?? '');
  const completed = new Set(database.outcomes.filter(({ status }) => status === 'completed').map(({ taskId }) => taskId));
  return database.workflows.flatMap(({ id, retryOf }): Violation[] => {
    if (retryOf === null) return [];
    const said = { rule: 'a workflow that is run again is what did not complete of it', taskId: null };
    const own = members.get(id) ?? [];
    const left = (members.get(retryOf) ?? []).filter((row) => !completed.has(row.id)).map((row) => row.id);
    const again = own.map((row) => row.retryOf ?? 'nothing');
    if (!sameSet(again, left)) return [{ ...said, about: id, words: `${id} runs ${again.join(', ')} again; of ${retryOf} did not complete ${left.join(', ')}` }];
    const newIds = new Map(own.map((row) => [row.retryOf, row.id]));
    const wrong = own.find((row) => !sameSet(row.parents, (tasks.get(row.retryOf ?? '')?.parents ?? []).map((parent) => newIds.get(parent) ?? parent)));
    return wrong === undefined ? [] : [{ ...said, taskId: wrong.id, words: `${wrong.id} of ${id} has other parents than ${wrong.retryOf ?? ''}` }];
  });
};
