/** What may begin when: dependencies, delays, limits, priorities, schedules. */
import { RANKED_PROBLEM } from '../../settings.js';
import { groupBy, keyOf, type Evidence, type Rule, type TaskRow, type Violation } from '../evidence.js';

/** Database times are kept in milliseconds. */
const ROUNDING_MS = 1;
/** Any fault that holds a task's row is over by then: a frozen replica's transaction is ended after ten seconds of idleness. */
const ROW_HELD_MS = 20_000;

/** When each task was claimed first. */
function firstStarts({ database }: Evidence): Map<string, number> {
  const starts = new Map<string, number>();
  for (const row of [...database.attempts, ...database.queue]) {
    if (row.startedAt !== null) starts.set(row.taskId, Math.min(row.startedAt, starts.get(row.taskId) ?? Infinity));
  }
  return starts;
}

export const childrenFollowParents: Rule = (evidence) => {
  const starts = firstStarts(evidence);
  const ends = new Map(evidence.database.outcomes.map((row) => [row.taskId, row.endedAt]));
  const ran = new Map([...groupBy(evidence.runs, ({ taskId }) => taskId)].map(([taskId, all]) => [taskId, Math.min(...all.map(({ began }) => began))]));
  return evidence.database.tasks.flatMap(({ id, parents }) => parents.flatMap((parent): Violation[] => {
    const end = ends.get(parent) ?? Infinity;
    const start = Math.min(starts.get(id) ?? Infinity, ran.get(id) ?? Infinity);
    if (start === Infinity || start + ROUNDING_MS >= end) return [];
    return [{ rule: 'no task begins before those it depends on have ended', taskId: id, words: `${id} began ${Math.round(end - start)} ms before ${parent} had ended` }];
  }));
};

/** A task is cancelled for those that it depends on only where one of them did not complete, and it was not to run anyway. */
export const dependentsAreCancelledForAParent: Rule = ({ database }) => {
  const outcomes = new Map(database.outcomes.map((row) => [row.taskId, row]));
  return database.tasks.flatMap(({ id, parents, runAnyway }): Violation[] => {
    if (outcomes.get(id)?.reason !== 'dependency_failed') return [];
    if (!runAnyway && parents.some((parent) => (outcomes.get(parent)?.status ?? 'completed') !== 'completed')) return [];
    return [{ rule: 'a task is cancelled only for a parent that did not complete', taskId: id, words: `${id} was cancelled for its parents, ${parents.join(', ')}` }];
  });
};

export const delaysAreKept: Rule = (evidence) => {
  const starts = firstStarts(evidence);
  return evidence.database.tasks.flatMap(({ id, runAt }): Violation[] => {
    const start = starts.get(id) ?? Infinity;
    return runAt === null || start + ROUNDING_MS >= runAt ? [] : [{ rule: 'no task begins before its time', taskId: id, words: `${id} began ${Math.round(runAt - start)} ms early` }];
  });
};

/**
 * By when commands ran while their attempts held the task. The database's own times will not do: now() is when a statement began to
 * arrive, which may be long before it looks. That nothing begins under a full limit is looked for under way, too.
 */
export const limitsAreKept: Rule = ({ database, runs }) => database.limits.flatMap(({ label, value, maxRunning }) => {
  const under = new Set(database.tasks.filter(({ labels }) => labels[label] === value).map(({ id }) => id));
  const ends = new Map(database.attempts.map((row) => [keyOf(row), row.endedAt]));
  const changes = runs.filter(({ taskId }) => under.has(taskId))
    .map((run) => ({ taskId: run.taskId, from: run.began, until: Math.min(run.lastSeen, ends.get(keyOf(run)) ?? Infinity) }))
    .filter(({ from, until }) => from < until)
    .flatMap(({ taskId, from, until }) => [{ taskId, at: from, by: 1 }, { taskId, at: until, by: -1 }])
    .sort((a, b) => a.at - b.at || a.by - b.by);
  let used = 0;
  return changes.flatMap(({ taskId, by }): Violation[] => {
    used += by;
    return by === 1 && used > maxRunning ? [{ rule: 'limits are kept', taskId, words: `${used} tasks of ${label}=${value} ran at once, when ${taskId} began` }] : [];
  });
});

/** Those that every worker takes, and nobody pauses. */
const FREE_PROBLEM = /^chaos-[abc]$/;

/** A task that began. */
type Begun = TaskRow & { readonly start: number };

const begun = (evidence: Evidence, which: (task: TaskRow) => boolean): Begun[] => {
  const starts = firstStarts(evidence);
  return evidence.database.tasks.filter(which).flatMap((task) => (starts.has(task.id) ? [{ ...task, start: starts.get(task.id) ?? 0 }] : []));
};

/** By so much the beginning of a claim may be before what it does, where nothing is broken (packages/api/src/queue/claim.ts). */
const CLAIM_MS = 2_000;

/** Those that were let go at one moment at the end of the run, when nothing was broken any more. */
const ranked = (evidence: Evidence): Begun[] => begun(evidence, ({ problemId }) => problemId === RANKED_PROBLEM);

/** Of how many pairs of them the one of higher priority had to go first, and went. */
export const keptPriorities = (evidence: Evidence): number =>
  ranked(evidence).reduce((sum, high, _n, all) => sum + all.filter((low) => low.priority < high.priority && low.start > high.start + CLAIM_MS).length, 0);

/** Of two tasks that could have been taken before and after, the one of higher priority goes first: under way long before and long after. */
export const prioritiesAreKept: Rule = (evidence) => {
  const free = begun(evidence, ({ problemId, parents, runAt, labels, scheduleId }) => (
    FREE_PROBLEM.test(problemId) && parents.length === 0 && runAt === null && Object.keys(labels).length === 0 && scheduleId === null));
  const inverted = (tasks: readonly Begun[], beforeMs: number, afterMs: number): Violation[] => tasks.flatMap((low) => tasks
    .filter((high) => high.priority > low.priority && high.createdAt <= low.start - beforeMs && high.start > low.start + afterMs)
    .map((high) => ({ rule: 'priorities are kept', taskId: high.id, words: `${high.id} of priority ${high.priority} waited while ${low.id} of priority ${low.priority} began` })));
  return [...inverted(free, ROW_HELD_MS, ROW_HELD_MS), ...inverted(ranked(evidence), 0, CLAIM_MS)];
};

/** A fire that is later than a minute stands for those after it, too (packages/api/src/queue/schedule.ts); about a minute, for us. */
const MISFIRE_MS = 59_000;

export const schedulesFireOnce: Rule = ({ database }) => database.schedules.flatMap(({ id, fires, skips, firstAt, nextAt, periodMs }) => {
  const times = database.tasks.filter(({ scheduleId }) => scheduleId === id).map(({ createdAt }) => createdAt).sort((a, b) => a - b);
  const made = times.length;
  const due = Math.round((nextAt - firstAt) / periodMs);
  const early = times.findIndex((at, n) => at + ROUNDING_MS < firstAt + n * periodMs);
  const hasMissed = times.some((at, n) => at - (firstAt + n * periodMs) > MISFIRE_MS);
  const said = { rule: 'a schedule fires once each time', taskId: null, about: id };
  return [
    ...(early < 0 ? [] : [{ ...said, words: `${id} fired ${early + 1} times before it was due so often` }]),
    ...(made === fires ? [] : [{ ...said, words: `${id} says that it fired ${fires} times, and made ${made} tasks` }]),
    ...(fires + skips === due || (hasMissed && fires + skips < due) ? [] : [{ ...said, words: `${id} was due ${due} times, and fired ${fires} times (${skips} left out)` }]),
  ];
});

/** What ended has an end: the rest of the rules would not miss a task that nobody finishes. */
export const everythingEnds: Rule = ({ database }) => database.queue.map((row) => (
  { rule: 'everything ends', taskId: row.taskId, words: `${keyOf(row)} is still ${row.state}` }
));

/** For walks by cursor: whatever was there before comes once, in the order in which it was submitted. */
export const walksAreWhole: Rule = ({ operations, database }) => {
  const created = new Map(database.tasks.map(({ id, createdAt }) => [id, createdAt]));
  const acknowledged = operations.flatMap((one) => (one.verb === 'submit' && one.result === 'ok' ? one.ids.map((id) => ({ id, at: one.ended ?? Infinity })) : []));
  return operations.filter((one) => one.verb === 'walk').filter(({ result }) => result === 'ok').flatMap((walk): Violation[] => {
    const said = { rule: 'a walk by cursor sees each task once', taskId: null };
    const seen = new Set(walk.ids);
    const twice = [...groupBy(walk.ids, (id) => id)].filter(([, all]) => all.length > 1).map(([id]) => id);
    const missed = acknowledged.filter(({ id, at }) => at < walk.began && !seen.has(id)).map(({ id }) => id);
    const back = walk.ids.find((id, n) => !created.has(id) || (n > 0 && (created.get(id) ?? 0) < (created.get(walk.ids[n - 1] ?? '') ?? 0)));
    return [
      ...(back === undefined ? [] : [{ ...said, taskId: created.has(back) ? back : null, about: back, words: `a walk of ${walk.client} saw ${back} too late, or it is not there` }]),
      ...(twice.length === 0 ? [] : [{ ...said, taskId: twice[0] ?? null, words: `a walk of ${walk.client} saw ${twice.length} tasks twice, ${twice[0] ?? ''} among them` }]),
      ...(missed.length === 0 ? [] : [{ ...said, taskId: missed[0] ?? null, words: `a walk of ${walk.client} missed ${missed.length} tasks, ${missed[0] ?? ''} among them` }]),
    ];
  });
};
