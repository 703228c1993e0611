/** Streams of events: however often a reader comes back, it is told everything once, in order, up to the end. */
import type { Follow } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type Violation } from '../evidence.js';

const follows = ({ operations }: Evidence): Follow[] => operations.filter((one): one is Follow => one.verb === 'follow');

export const followersReadEachLineOnce: Rule = (evidence) => {
  const logs = groupBy(evidence.database.logs, ({ taskId }) => taskId);
  return follows(evidence).flatMap(({ client, taskId, events, result }): Violation[] => {
    const said = { rule: 'a follower is told each line of the log once, in order', taskId };
    const kept = logs.get(taskId) ?? [];
    const told = events.filter(({ kind }) => kind === 'log');
    const wrong = told.findIndex(({ id, message }, n) => id !== String(n + 1) || message !== kept[n]?.message);
    if (wrong >= 0) return [{ ...said, words: `${client} was told "${told[wrong]?.message ?? ''}" as line ${told[wrong]?.id ?? ''} of ${taskId}, in the place of line ${wrong + 1}` }];
    return result !== 'ok' || told.length === kept.length ? [] : [{ ...said, words: `${client} was told ${told.length} of the ${kept.length} lines of ${taskId}` }];
  });
};

const TERMINAL = ['completed', 'failed', 'timeout', 'cancelled'];

export const followersReadTheEnd: Rule = (evidence) => {
  const outcomes = new Map(evidence.database.outcomes.map((row) => [row.taskId, row]));
  return follows(evidence).flatMap(({ client, taskId, events, result }): Violation[] => {
    const said = { rule: 'the end of a task is the last that its followers are told, and they are', taskId };
    const ends = events.filter(({ id, status }) => id.endsWith('-end') || TERMINAL.includes(status ?? ''));
    if (result !== 'ok') return [{ ...said, words: `${client} was never told that ${taskId} had ended` }];
    const last = events.at(-1);
    if (ends.length !== 1 || ends[0] !== last) return [{ ...said, words: `${client} was told ${ends.length} ends of ${taskId}, and something afterwards` }];
    const status = outcomes.get(taskId)?.status;
    return last?.status === status ? [] : [{ ...said, words: `${client} was told that ${taskId} is ${last?.status ?? ''}, and it is ${status ?? 'not over'}` }];
  });
};

/** What was told never goes back: ids, attempts of what it is told, and of the lines. */
export const followersAreToldForwards: Rule = (evidence) => follows(evidence).flatMap(({ client, taskId, events }): Violation[] => {
  const said = { rule: 'a follower is told what happens in its order', taskId };
  const back = (numbers: readonly number[]): number => numbers.findIndex((number, n) => n > 0 && number < (numbers[n - 1] ?? 0));
  if (back(events.map(({ id }) => Number.parseInt(id, 10))) >= 0) return [{ ...said, words: `ids of ${taskId} went back for ${client}` }];
  const kinds = groupBy(events.filter(({ attempt }) => attempt !== null), ({ kind }) => kind);
  const wrong = [...kinds].find(([, all]) => back(all.map(({ attempt }) => attempt ?? 0)) >= 0);
  return wrong === undefined ? [] : [{ ...said, words: `the attempt of ${wrong[0]} events of ${taskId} went back for ${client}` }];
});
