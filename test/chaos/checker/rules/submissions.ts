/** Submissions: none that was acknowledged is lost, none is there that nobody made, and a key has one task for ever. */
import type { Submission, Submit } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type Violation } from '../evidence.js';

const submits = ({ operations }: Evidence): Submit[] => operations.filter((one): one is Submit => one.verb === 'submit');

/** Each task of each submission, with the id that it was told. */
function acknowledged(evidence: Evidence): { task: Submission; id: string }[] {
  return submits(evidence).filter(({ result, existed }) => result === 'ok' && !existed).flatMap(({ tasks, ids }) => tasks.map((task, n) => ({ task, id: ids[n] ?? '' })));
}

export const acknowledgedSubmissionsAreThere: Rule = (evidence) => {
  const rows = new Map(evidence.database.tasks.map((row) => [row.id, row]));
  return acknowledged(evidence).flatMap(({ task, id }): Violation[] => {
    const row = rows.get(id);
    const said = { rule: 'no acknowledged submission is lost', taskId: id };
    if (row === undefined) return [{ ...said, words: `${task.parameters.marker} was acknowledged as ${id}, and there is no such task` }];
    if (row.marker === task.parameters.marker && row.problemId === task.problem_id) return [];
    return [{ ...said, words: `${task.parameters.marker} was acknowledged as ${id}, which is ${row.marker ?? 'another'} of ${row.problemId}` }];
  });
};

export const noSubmissionIsInvented: Rule = (evidence) => {
  const made = new Set(submits(evidence).flatMap(({ tasks }) => tasks.map(({ parameters }) => parameters.marker)));
  return evidence.database.tasks
    .filter(({ marker, scheduleId, retryOf }) => scheduleId === null && retryOf === null && (marker === null || !made.has(marker)))
    .map(({ id }) => ({ rule: 'no submission is invented', taskId: id, words: `nobody submitted ${id}` }));
};

/** Whatever was told of it: one submission is one task at most, and a refused one none. Some submit what others have submitted. */
export const submissionsCountOnce: Rule = (evidence) => {
  const rows = groupBy(evidence.database.tasks.filter(({ scheduleId, retryOf }) => scheduleId === null && retryOf === null), ({ marker }) => marker ?? '');
  const asked = groupBy(submits(evidence).flatMap((submit) => submit.tasks.map((task) => ({ marker: task.parameters.marker, submit }))), ({ marker }) => marker);
  return [...asked].flatMap(([marker, all]): Violation[] => {
    const found = rows.get(marker) ?? [];
    const taskId = found[0]?.id ?? null;
    const said = { rule: 'a submission makes one task at most', taskId };
    const made = new Set(all.filter(({ submit }) => submit.result !== 'fail').map(({ submit }) => submit.key ?? submit));
    if (found.length <= made.size) return [];
    if (made.size === 0) return [{ ...said, words: `${marker} was refused, and is there` }];
    return [{ ...said, words: `${marker} is there ${found.length} times, and was submitted ${made.size} times: ${found.map(({ id }) => id).join(', ')}` }];
  });
};

export const keysHaveOneTask: Rule = (evidence) => {
  const keyed = groupBy(submits(evidence).filter(({ key, result }) => key !== null && result === 'ok'), ({ key }) => key ?? '');
  return [...keyed].flatMap(([key, all]) => {
    const answers = new Set(all.map(({ ids }) => ids.join(' ')));
    return answers.size === 1 ? [] : [{ rule: 'a key has one task for ever', taskId: all[0]?.ids[0] ?? null, words: `${key} was answered with ${[...answers].join(' and with ')}` }];
  });
};
