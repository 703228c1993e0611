/** The log: each acknowledged line is there once, in its order, and none that nobody sent. */
import type { Logs } from '../../clients/history.js';
import { groupBy, keyOf, type Evidence, type Rule, type Violation } from '../evidence.js';

const batches = ({ operations }: Evidence): Logs[] => operations.filter((one): one is Logs => one.verb === 'logs');

export const acknowledgedLinesAreThere: Rule = (evidence) => {
  const kept = groupBy(evidence.database.logs, keyOf);
  return batches(evidence).filter(({ result }) => result === 'ok').flatMap((batch): Violation[] => {
    const lines = kept.get(keyOf(batch)) ?? [];
    const wrong = batch.messages.findIndex((message, n) => lines[batch.offset + n]?.message !== message);
    if (wrong < 0) return [];
    const found = lines[batch.offset + wrong]?.message;
    return [{
      rule: 'each acknowledged line of a log is there once, in order', taskId: batch.taskId,
      words: `line ${batch.offset + wrong + 1} of ${keyOf(batch)} was acknowledged as "${batch.messages[wrong] ?? ''}", and is ${found === undefined ? 'not there' : `"${found}"`}`,
    }];
  });
};

/** Each came from the session that had the attempt. */
export const noLineIsInvented: Rule = (evidence) => {
  const sessions = new Map(evidence.database.attempts.map((row) => [keyOf(row), row.sessionId]));
  const sent = groupBy(batches(evidence).filter((batch) => batch.session === sessions.get(keyOf(batch))), keyOf);
  return [...groupBy(evidence.database.logs, keyOf)].flatMap(([key, lines]): Violation[] => {
    const wrong = lines.findIndex(({ message }, n) => !(sent.get(key) ?? []).some(({ offset, messages }) => messages[n - offset] === message));
    return wrong < 0 ? [] : [{ rule: 'no line of a log is invented', taskId: lines[0]?.taskId ?? null, words: `line ${wrong + 1} of ${key}, "${lines[wrong]?.message ?? ''}", was never sent by the worker that had it` }];
  });
};

/** task.sh counts its lines: whatever was sent how often, its numbers go up by one. */
export const commandsLinesAreInOrder: Rule = ({ database, realSessions }) => {
  const real = new Set(database.attempts.filter(({ sessionId }) => realSessions.has(sessionId)).map(keyOf));
  return [...groupBy(database.logs.filter(({ message }) => /^\d+$/.test(message)), keyOf)].flatMap(([key, lines]): Violation[] => {
    const wrong = lines.findIndex(({ message }, n) => Number(message) !== n + 1);
    return !real.has(key) || wrong < 0 ? [] : [{ rule: 'the lines of a command are there once, in order', taskId: lines[0]?.taskId ?? null, words: `line ${wrong + 1} of ${key} says "${lines[wrong]?.message ?? ''}"` }];
  });
};
