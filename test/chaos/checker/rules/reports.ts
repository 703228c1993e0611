/** Reports: what was acknowledged is what is recorded, what is recorded was reported, and no stale report counts. */
import { isDeepStrictEqual } from 'node:util';
import type { Report } from '../../clients/history.js';
import { groupBy, keyOf, type AttemptRow, type Evidence, type Rule, type Violation } from '../evidence.js';

const reports = ({ operations }: Evidence): Report[] => operations.filter((one): one is Report => one.verb === 'report');

const attemptsByKey = ({ database }: Evidence): Map<string, AttemptRow> => new Map(database.attempts.map((row) => [keyOf(row), row]));

const nameOf = ({ how, taskId, attempt, client }: Report): string => `that attempt ${attempt} of ${taskId} ${how}, by ${client},`;

/** An acknowledged report is the end of its attempt; so one of an attempt that ended otherwise was stale and accepted. */
export const acknowledgedReportsCount: Rule = (evidence) => {
  const attempts = attemptsByKey(evidence);
  const outcomes = new Map(evidence.database.outcomes.map((row) => [row.taskId, row]));
  return reports(evidence).filter(({ result }) => result === 'ok').flatMap((report): Violation[] => {
    const said = { rule: 'an acknowledged report is what is recorded, and no stale one is accepted', taskId: report.taskId };
    const row = attempts.get(keyOf(report));
    if (row === undefined) return [{ ...said, words: `${nameOf(report)} was acknowledged, and no such attempt has ended` }];
    if (row.outcome !== report.how || row.sessionId !== report.session) return [{ ...said, words: `${nameOf(report)} was acknowledged, and the attempt is ${row.outcome}` }];
    if (report.how === 'failed' && row.error !== (report.body as { error: string }).error) return [{ ...said, words: `${nameOf(report)} was acknowledged, and the error is "${row.error ?? ''}"` }];
    const outcome = outcomes.get(report.taskId);
    if (report.how === 'failed' && outcome?.attempt === report.attempt && outcome.reason === 'task_failed' && (outcome.status !== 'failed' || outcome.error !== row.error)) {
      return [{ ...said, words: `${nameOf(report)} was acknowledged, and the outcome is ${JSON.stringify(outcome)}` }];
    }
    if (report.how !== 'completed') return [];
    if (outcome?.status === 'completed' && outcome.attempt === report.attempt && isDeepStrictEqual(outcome.result, report.body)) return [];
    return [{ ...said, words: `${nameOf(report)} was acknowledged, and the outcome is ${JSON.stringify(outcome ?? null)}` }];
  });
};

export const recordedReportsWereMade: Rule = (evidence) => {
  const made = groupBy(reports(evidence), (report) => `${report.session} ${keyOf(report)} ${report.how}`);
  const outcomes = new Map(evidence.database.outcomes.map((row) => [row.taskId, row]));
  return evidence.database.attempts.filter(({ outcome }) => outcome === 'completed' || outcome === 'failed').flatMap((row): Violation[] => {
    const all = made.get(`${row.sessionId} ${keyOf(row)} ${row.outcome}`) ?? [];
    const isSaid = all.some(({ body }) => (row.outcome === 'failed'
      ? (body as { error: string }).error === row.error
      : isDeepStrictEqual(body, outcomes.get(row.taskId)?.result)));
    return isSaid ? [] : [{ rule: 'no report is invented', taskId: row.taskId, words: `attempt ${row.attempt} of ${row.taskId} is ${row.outcome}, and its worker never said so` }];
  });
};

/** A report that counts is answered the same way however often it comes. */
export const reportsCanBeRepeated: Rule = (evidence) => {
  const attempts = attemptsByKey(evidence);
  return reports(evidence).filter(({ result, code }) => result === 'fail' && (code === 'attempt_not_held' || code?.startsWith('session_') === true)).flatMap((report) => {
    const row = attempts.get(keyOf(report));
    if (row === undefined || row.outcome !== report.how || row.sessionId !== report.session) return [];
    return [{ rule: 'a report that counts can be repeated', taskId: report.taskId, words: `${nameOf(report)} was refused with ${report.code ?? ''}, and it is what is recorded` }];
  });
};
