/** The statistics, as they were read at the end. */
import { note, noted, the, type Draft, type Forgery } from '../forged.js';

/** Comes after all others: it counts what they added. */
export function add(draft: Draft): void {
  const { tasks, outcomes } = draft.database;
  const those = (status: string): number => outcomes.filter((row) => row.status === status).length;
  const byProblem: Record<string, number> = {};
  for (const { problemId } of tasks) byProblem[problemId] = (byProblem[problemId] ?? 0) + 1;
  const ended = { completed_tasks: those('completed'), failed_tasks: those('failed'), timeout_tasks: those('timeout'), cancelled_tasks: those('cancelled') };
  note(draft, { ...noted(95_000, 95_010), verb: 'statistics', counts: { total_tasks: tasks.length, pending_tasks: 0, running_tasks: 0, ...ended }, byProblem });
}

const read = ({ operations }: Draft) => {
  const found = the(operations, (one) => one.verb === 'statistics');
  if (found.verb !== 'statistics') throw new Error('it is another');
  return found;
};

export const FORGERIES: readonly Forgery[] = [
  ['statisticsEqualARecount', 'a task was counted twice', (draft) => (read(draft).counts['total_tasks'] = draft.database.tasks.length + 1)],
  ['statisticsEqualARecount', 'a cancelled one was counted as completed', (draft) => {
    const { counts } = read(draft);
    Object.assign(counts, { completed_tasks: (counts['completed_tasks'] ?? 0) + 1, cancelled_tasks: (counts['cancelled_tasks'] ?? 0) - 1 });
  }],
  ['statisticsEqualARecount', 'a problem is missing', (draft) => {
    delete read(draft).byProblem['chaos-a'];
  }],
];
