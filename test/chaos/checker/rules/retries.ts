/** Retries by hand: each names its original, is made once under its key, and of nothing that has not ended. */
import type { Retry } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type Violation } from '../evidence.js';
import { knownEnds } from '../known.js';

const retries = ({ operations }: Evidence): Retry[] => operations.filter((one): one is Retry => one.verb === 'retry');

export const retriesNameTheirOriginals: Rule = (evidence) => {
  const tasks = new Map(evidence.database.tasks.map((row) => [row.id, row]));
  const workflows = new Map(evidence.database.workflows.map((row) => [row.id, row]));
  return retries(evidence).filter(({ result }) => result === 'ok').flatMap(({ what, of, newId }): Violation[] => {
    const said = { rule: 'a retry names its original', taskId: what === 'task' ? of : null };
    const words = `a retry of ${of} was acknowledged as ${newId ?? ''}`;
    const made = (what === 'task' ? tasks : workflows).get(newId ?? '');
    if (made === undefined) return [{ ...said, words: `${words}, which is not there` }];
    if (made.retryOf !== of) return [{ ...said, words: `${words}, which is one of ${made.retryOf ?? 'nothing'}` }];
    const [again, first] = [tasks.get(newId ?? ''), tasks.get(of)];
    if (what === 'workflow' || (again?.marker === first?.marker && again?.problemId === first?.problemId)) return [];
    return [{ ...said, words: `${words}, which is ${again?.marker ?? 'another'} of ${again?.problemId ?? ''}` }];
  });
};

/** A key makes one, and nothing else makes any. Those in bulk have a rule of their own. */
export const retriesCountOnce: Rule = (evidence) => {
  const made = groupBy([
    ...evidence.database.tasks.filter(({ workflowId, labels }) => workflowId === null && labels['set'] === undefined),
    ...evidence.database.workflows,
  ].filter(({ retryOf }) => retryOf !== null), ({ retryOf }) => retryOf ?? '');
  const asked = groupBy(retries(evidence), ({ of }) => of);
  const said = { rule: 'a retry under a key is made once', taskId: null };
  const tooMany = [...made].flatMap(([of, all]): Violation[] => {
    const keys = new Set((asked.get(of) ?? []).filter(({ result }) => result !== 'fail').map(({ key }) => key));
    return all.length <= keys.size ? [] : [{ ...said, taskId: of, words: `${of} was retried ${all.length} times, and asked for under ${keys.size} keys` }];
  });
  const answers = groupBy(retries(evidence).filter(({ result }) => result === 'ok'), ({ key }) => key);
  return [...tooMany, ...[...answers].flatMap(([key, all]): Violation[] => {
    const ids = new Set(all.map(({ newId }) => newId));
    return ids.size === 1 ? [] : [{ ...said, about: key, words: `${key} was answered with ${[...ids].join(' and with ')}` }];
  })];
};

export const onlyWhatEndedIsRetried: Rule = (evidence) => {
  const outcomes = new Map(evidence.database.outcomes.map((row) => [row.taskId, row]));
  const known = knownEnds(evidence);
  return retries(evidence).filter(({ what }) => what === 'task').flatMap(({ of, result, code, began, ended }): Violation[] => {
    const said = { rule: 'what has ended can be retried, and nothing else', taskId: of };
    if (result === 'ok' && (outcomes.get(of)?.endedAt ?? Infinity) > (ended ?? Infinity) + 1) return [{ ...said, words: `${of} was retried before it had ended` }];
    if (code === 'task_not_terminal' && (known.get(of) ?? Infinity) < began) return [{ ...said, words: `a retry of ${of} was refused after it had ended` }];
    return [];
  });
};
