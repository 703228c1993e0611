/** Cancels: one that is acknowledged is the end of its task, one that is refused found it ended. */
import type { Cancel } from '../../clients/history.js';
import type { Rule, Violation } from '../evidence.js';

export const acknowledgedCancelsCount: Rule = ({ operations, database }) => {
  const outcomes = new Map(database.outcomes.map((row) => [row.taskId, row]));
  return operations.filter((one): one is Cancel => one.verb === 'cancel' && one.result === 'ok').flatMap(({ taskId, ended }): Violation[] => {
    const outcome = outcomes.get(taskId);
    const said = { rule: 'an acknowledged cancel is the end of its task', taskId };
    if (outcome?.status !== 'cancelled') return [{ ...said, words: `the cancel of ${taskId} was acknowledged, and it is ${outcome?.status ?? 'not over'}` }];
    if (outcome.endedAt > (ended ?? Infinity) + 1) return [{ ...said, words: `${taskId} ended after its cancel was acknowledged` }];
    return [];
  });
};

export const refusedCancelsFoundAnEnd: Rule = ({ operations, database }) => {
  const outcomes = new Map(database.outcomes.map((row) => [row.taskId, row]));
  return operations.filter((one): one is Cancel => one.verb === 'cancel' && one.code === 'task_terminal').flatMap(({ taskId, ended }): Violation[] => {
    const outcome = outcomes.get(taskId);
    if (outcome !== undefined && outcome.endedAt <= (ended ?? Infinity) + 1) return [];
    return [{ rule: 'a cancel is refused only when the task has ended', taskId, words: `the cancel of ${taskId} was refused before the task had ended` }];
  });
};
