/** Bulk operations: one that has finished has done all that it was about, once, and says how much that was. */
import type { Bulk } from '../../clients/history.js';
import { groupBy, type Evidence, type Rule, type TaskRow, type Violation } from '../evidence.js';

const bulks = ({ operations }: Evidence): Bulk[] => operations.filter((one): one is Bulk => one.verb === 'bulk');

/** The tasks of a set as they were submitted, and those that retried them. */
function membersOf({ database }: Evidence): (set: string) => { first: TaskRow[]; again: TaskRow[] } {
  const sets = groupBy(database.tasks, ({ labels }) => labels['set'] ?? '');
  return (set) => {
    const all = sets.get(set) ?? [];
    return { first: all.filter(({ retryOf }) => retryOf === null), again: all.filter(({ retryOf }) => retryOf !== null) };
  };
}

/** When each operation was asked for first. */
function firstAsked(all: readonly Bulk[]): Map<string, number> {
  const firsts = new Map<string, number>();
  for (const { key, began } of all) firsts.set(key, Math.min(began, firsts.get(key) ?? Infinity));
  return firsts;
}

export const finishedBulksHaveDoneAll: Rule = (evidence) => {
  const all = bulks(evidence);
  const [since, members] = [firstAsked(all), membersOf(evidence)];
  const outcomes = new Map(evidence.database.outcomes.map((row) => [row.taskId, row]));
  const rows = new Map(evidence.database.bulks.map((row) => [row.id, row]));
  const told = new Map(evidence.operations.flatMap((one) => (one.verb === 'submit' && one.result === 'ok' ? one.ids.map((id) => [id, one.ended ?? Infinity] as const) : [])));
  const cancelled = new Map(all.filter(({ action, finished }) => action === 'cancel' && finished !== null).map(({ set, finished }) => [set, finished?.at ?? Infinity]));
  return all.filter(({ finished }) => finished !== null).flatMap((bulk): Violation[] => {
    const asked = since.get(bulk.key) ?? bulk.began;
    const { first, again } = members(bulk.set);
    const ended = rows.get(bulk.id ?? '')?.endedAt ?? Infinity;
    return first.flatMap(({ id }): Violation[] => {
      const said = { rule: 'a bulk operation that has finished has done all that it was about', taskId: id };
      const words = `the ${bulk.action} of the set ${bulk.set} has finished`;
      const outcome = outcomes.get(id);
      if (bulk.action === 'cancel') {
        if ((told.get(id) ?? Infinity) > asked || (outcome?.endedAt ?? Infinity) <= ended + 1) return [];
        return [{ ...said, words: `${words}, and ${id} ended only afterwards` }];
      }
      // All that had ended for certain: a cancel of the set had finished.
      if (outcome === undefined || outcome.status === 'completed' || (cancelled.get(bulk.set) ?? Infinity) > asked) return [];
      const made = again.filter(({ retryOf }) => retryOf === id).length;
      return made === 1 ? [] : [{ ...said, words: `${words}, and ${id}, which is ${outcome.status}, was retried ${made} times` }];
    });
  });
};

export const bulksCountWhatTheyDid: Rule = (evidence) => {
  const members = membersOf(evidence);
  const cancelled = new Set(evidence.database.outcomes.filter(({ reason }) => reason === 'cancel_requested').map(({ taskId }) => taskId));
  const rows = new Map(evidence.database.bulks.map((row) => [row.id, row]));
  return bulks(evidence).flatMap(({ id, action, set, finished }): Violation[] => {
    if (finished === null) return [];
    const said = { rule: 'the counts of a bulk operation equal a recount', taskId: null, about: id ?? set };
    const { first, again } = members(set);
    const done = action === 'cancel' ? first.filter((task) => cancelled.has(task.id)).length : again.length;
    const words = `the ${action} of the set ${set} says that it looked at ${finished.examined} tasks and changed ${finished.changed}`;
    if (finished.changed !== done) return [{ ...said, words: `${words}; it changed ${done}` }];
    if (finished.examined < done || finished.examined > first.length) return [{ ...said, words: `${words}; there are ${first.length}` }];
    const row = rows.get(id ?? '');
    return row?.examined === finished.examined && row.changed === finished.changed ? [] : [{ ...said, words: `${words}, and is recorded as ${JSON.stringify(row ?? null)}` }];
  });
};

export const bulksAreMadeOnce: Rule = (evidence) => {
  const all = bulks(evidence);
  const said = { rule: 'a bulk operation is made and done once', taskId: null };
  const answers = groupBy(all.filter(({ id }) => id !== null), ({ key }) => key);
  const asked = groupBy(all.filter(({ result }) => result !== 'fail'), ({ action, set }) => `${action} ${set}`);
  const made = groupBy(evidence.database.bulks, ({ action, set }) => `${action} ${set}`);
  const again = groupBy(evidence.database.tasks.filter(({ labels, retryOf }) => labels['set'] !== undefined && retryOf !== null), ({ retryOf }) => retryOf ?? '');
  return [
    ...[...answers].filter(([, same]) => new Set(same.map(({ id }) => id)).size > 1).map(([key]) => ({ ...said, about: key, words: `${key} was answered with several` })),
    ...[...made].flatMap(([what, rows]) => {
      const keys = new Set((asked.get(what) ?? []).map(({ key }) => key));
      return rows.length <= keys.size ? [] : [{ ...said, about: rows[0]?.set ?? what, words: `${what} is there ${rows.length} times, and was asked for ${keys.size} times` }];
    }),
    ...[...again].filter(([, rows]) => rows.length > 1).map(([id, rows]) => ({ ...said, taskId: id, words: `${id} was retried ${rows.length} times` })),
  ];
};

/** Whoever dies over it. */
export const bulksEnd: Rule = (evidence) => {
  const said = { rule: 'a bulk operation that was acknowledged ends', taskId: null };
  const rows = new Map(evidence.database.bulks.map((row) => [row.id, row]));
  const lost = bulks(evidence).filter(({ id, result }) => result === 'ok' && !rows.has(id ?? ''));
  return [
    ...lost.map(({ id }) => ({ ...said, about: id ?? 'bulk', words: `${id ?? ''} was acknowledged, and is not there` })),
    ...evidence.database.bulks.filter(({ state }) => state !== 'done').map(({ id, state }) => ({ ...said, about: id, words: `${id} is still ${state}` })),
  ];
};
