/** Statistics: what the API says at the end, when nothing is under way any more, is what a recount says. */
import type { Statistics } from '../../clients/history.js';
import type { Rule, Violation } from '../evidence.js';

const STATUSES = ['completed', 'failed', 'timeout', 'cancelled'] as const;

export const statisticsEqualARecount: Rule = ({ operations, database }) => {
  const recount = new Map<string, number>([['total_tasks', database.tasks.length], ['pending_tasks', 0], ['running_tasks', 0]]);
  for (const { state } of database.queue) {
    const name = state === 'running' ? 'running_tasks' : 'pending_tasks';
    recount.set(name, (recount.get(name) ?? 0) + 1);
  }
  for (const status of STATUSES) recount.set(`${status}_tasks`, database.outcomes.filter((row) => row.status === status).length);
  for (const { problemId } of database.tasks) recount.set(`of ${problemId}`, (recount.get(`of ${problemId}`) ?? 0) + 1);
  const said = { rule: 'statistics equal a recount', taskId: null, about: 'statistics' };
  return operations.filter((one): one is Statistics => one.verb === 'statistics' && one.result === 'ok').flatMap(({ counts, byProblem }): Violation[] => {
    const told = new Map([...Object.entries(counts), ...Object.entries(byProblem).map(([problem, tasks]) => [`of ${problem}`, tasks] as const)]);
    const names = [...new Set([...told.keys(), ...recount.keys()])].filter((name) => told.get(name) !== recount.get(name));
    return names.map((name) => ({ ...said, words: `${name}: ${told.get(name) ?? 'nothing'}, and there are ${recount.get(name) ?? 'none'}` }));
  });
};
