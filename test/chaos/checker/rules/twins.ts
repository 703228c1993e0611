/** Tasks that are equal to others: of those under one dedupe_key one is live at a time, and what is reused is the result of an equal one. */
import { isDeepStrictEqual } from 'node:util';
import type { Submission, Submit } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type TaskRow, type Violation } from '../evidence.js';
import { knownEnds } from '../known.js';

interface Asked {
  readonly task: Submission;
  readonly submit: Submit;
  readonly id: string;
  /** When it was asked for first: an answer that is given again was made then. */
  readonly since: number;
}

/** Each task that was acknowledged, as often as it was. */
function acknowledged({ operations }: Evidence): Asked[] {
  const submits = operations.filter((one): one is Submit => one.verb === 'submit');
  const firsts = new Map<string, number>();
  for (const { key, began } of submits) if (key !== null) firsts.set(key, Math.min(began, firsts.get(key) ?? Infinity));
  return submits.filter(({ result }) => result === 'ok').flatMap((submit) => submit.tasks.map((task, n) => (
    { task, submit, id: submit.ids[n] ?? '', since: submit.key === null ? submit.began : firsts.get(submit.key) ?? submit.began })));
}

/** From when to when a task was live for certain: from an answer that names it until its end. */
export const dedupeKeysHaveOneLiveTask: Rule = (evidence) => {
  const ends = new Map(evidence.database.outcomes.map((row) => [row.taskId, row.endedAt]));
  const told = new Map<string, number>();
  for (const { id, submit } of acknowledged(evidence)) told.set(id, Math.min(submit.ended ?? Infinity, told.get(id) ?? Infinity));
  for (const { taskId, began } of evidence.runs) told.set(taskId, Math.min(began, told.get(taskId) ?? Infinity));
  const keyed = groupBy(evidence.database.tasks.filter(({ dedupeKey }) => dedupeKey !== null), ({ dedupeKey }) => dedupeKey ?? '');
  return [...keyed].flatMap(([key, rows]) => {
    const lives = rows.map(({ id }) => ({ id, from: told.get(id) ?? Infinity, until: ends.get(id) ?? Infinity })).sort((a, b) => a.from - b.from);
    return lives.flatMap((one, n) => lives.slice(n + 1).flatMap((other): Violation[] => (
      other.from >= Math.min(one.until, other.until) ? []
        : [{ rule: 'a dedupe_key has one task that has not ended', taskId: one.id, words: `${one.id} and ${other.id} of ${key} were live at once` }])));
  });
};

export const dedupeAnswersNameTheRightTask: Rule = (evidence) => {
  const rows = new Map(evidence.database.tasks.map((row) => [row.id, row]));
  const made = groupBy(evidence.database.tasks, ({ marker }) => marker ?? '');
  const known = knownEnds(evidence);
  return acknowledged(evidence).filter(({ task }) => task['dedupe_key'] !== undefined).flatMap(({ task, submit, id, since }): Violation[] => {
    const said = { rule: 'a submission under a dedupe_key is answered with the task that is live', taskId: id };
    const words = `${task.parameters.marker} was answered with ${id}`;
    const row = rows.get(id);
    if (row?.dedupeKey !== task['dedupe_key']) return [{ ...said, words: `${words}, which has the dedupe_key ${row?.dedupeKey ?? 'of none'}` }];
    if (!submit.existed) return [];
    if ((known.get(id) ?? Infinity) < since) return [{ ...said, words: `${words}, which had ended before` }];
    const own = made.get(task.parameters.marker) ?? [];
    return own.length === 0 ? [] : [{ ...said, words: `${words}, and made ${own[0]?.id ?? ''} all the same` }];
  });
};

/** The database takes the age from the beginning of a statement, which may be a while before the task is there. */
const AGE_SLACK_MS = 10_000;

const isEqual = (one: TaskRow, other: TaskRow | undefined): boolean => one.problemId === other?.problemId && isDeepStrictEqual(one.parameters, other.parameters);

export const reusedResultsAreThoseOfEqualTasks: Rule = ({ database }) => {
  const tasks = new Map(database.tasks.map((row) => [row.id, row]));
  const outcomes = new Map(database.outcomes.map((row) => [row.taskId, row]));
  const ran = new Set(database.attempts.map(({ taskId }) => taskId));
  return database.outcomes.filter(({ reason }) => reason === 'reused').flatMap((outcome): Violation[] => {
    const { taskId, reusedFrom } = outcome;
    const said = { rule: 'what is reused is the result of an equal task that ran and completed', taskId };
    const words = `${taskId} took the result of ${reusedFrom ?? 'nothing'}`;
    const [task, source, its] = [tasks.get(taskId), tasks.get(reusedFrom ?? ''), outcomes.get(reusedFrom ?? '')];
    if (task === undefined || its?.status !== 'completed' || its.reason !== null) return [{ ...said, words: `${words}, which is ${its?.reason ?? its?.status ?? 'not there'}` }];
    if (!isEqual(task, source)) return [{ ...said, words: `${words}, which had other parameters` }];
    if (!isDeepStrictEqual(outcome.result, its.result)) return [{ ...said, words: `${words}, and has another` }];
    if (task.reuseSeconds === null || its.endedAt < task.createdAt - task.reuseSeconds * 1000 - AGE_SLACK_MS) return [{ ...said, words: `${words}, which is too old` }];
    return ran.has(taskId) ? [{ ...said, words: `${words}, and ran` }] : [];
  });
};

/** One that is known to be there is taken, where its age does not matter. */
export const whatCanBeReusedIs: Rule = (evidence) => {
  const tasks = new Map(evidence.database.tasks.map((row) => [row.id, row]));
  const outcomes = new Map(evidence.database.outcomes.map((row) => [row.taskId, row]));
  const known = knownEnds(evidence);
  const sources = evidence.database.tasks.filter(({ id }) => outcomes.get(id)?.status === 'completed' && outcomes.get(id)?.reason === null);
  return acknowledged(evidence).flatMap(({ id, since }): Violation[] => {
    const row = tasks.get(id);
    if (row?.reuseSeconds == null || outcomes.get(id)?.reason === 'reused') return [];
    const source = sources.find((one) => isEqual(row, one) && (known.get(one.id) ?? Infinity) < since
      && (outcomes.get(one.id)?.endedAt ?? 0) > row.createdAt - (row.reuseSeconds ?? 0) * 1000 + AGE_SLACK_MS);
    if (source === undefined) return [];
    return [{ rule: 'a result that can be reused is', taskId: id, words: `${id} did not take the result of ${source.id}, which had completed before` }];
  });
};
