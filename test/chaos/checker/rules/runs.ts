/** What really ran: attempts that were given, one command each, and none beside another but for a bounded while after a loss. */
import { GRACE_SECONDS, LEASE_SECONDS, SLACK_SECONDS, TIMEOUT_MARGIN_SECONDS } from '../../settings.js';
import type { Trouble } from '../../nemesis/nemesis.js';
import { groupBy, keyOf, type AttemptRow, type Evidence, type Rule, type Run, type Violation } from '../evidence.js';

/** The hundredths of a second in which commands read the clock, and the way from a clock to a file. */
const READING_MS = 50;

/** How long a command may go on after its attempt was taken away, by a worker that is not paused: it hears of it, or its lease runs out. */
export const STOP_MS = (LEASE_SECONDS + GRACE_SECONDS + SLACK_SECONDS) * 1000;

export const attemptsRunOnce: Rule = ({ runs }) => [...groupBy(runs, keyOf)].flatMap(([key, all]) => (
  all.length === 1 ? [] : [{ rule: 'an attempt runs once', taskId: all[0]?.taskId ?? null, words: `${key} ran ${all.length} times, on ${all.map(({ host }) => host).join(' and ')}` }]
));

export const onlyClaimedAttemptsRun: Rule = ({ runs, database }) => {
  const known = new Set([...database.attempts, ...database.queue.filter(({ state }) => state === 'running')].map(keyOf));
  return runs.filter((run) => !known.has(keyOf(run))).map((run) => ({ rule: 'only what was claimed runs', taskId: run.taskId, words: `${keyOf(run)} ran on ${run.host}, and there is no such attempt` }));
};

/** A real worker reports a result only of what ran to its end. */
export const completedMeansRun: Rule = ({ runs, database, realSessions }) => {
  const ended = new Set(runs.filter((run) => run.ended).map(keyOf));
  return database.attempts
    .filter((row) => row.outcome === 'completed' && realSessions.has(row.sessionId) && !ended.has(keyOf(row)))
    .map((row) => ({ rule: 'what is completed has run', taskId: row.taskId, words: `attempt ${row.attempt} of ${row.taskId} is completed, and did not run to its end` }));
};

/** Until when `host` may still be running what was taken from it at `at`: pauses of its worker, and of nothing else, add to it. */
function stopsBy(host: string, at: number, troubles: readonly Trouble[]): number {
  return troubles
    .filter(({ kind, on, until }) => kind === 'pause_worker' && on === host && (until ?? Infinity) > at)
    .sort((a, b) => a.from - b.from)
    .reduce((end, { from, until }) => (from <= end ? Math.max(end, (until ?? Infinity) + STOP_MS) : end), at + STOP_MS);
}

const endedBySelf = (row: AttemptRow): boolean => row.outcome === 'completed' || row.outcome === 'failed' || row.outcome === 'released';

/** Whatever ends an attempt from outside, its command stops within the bound. */
function lateStops(evidence: Evidence, which: (row: AttemptRow) => boolean, rule: string): Violation[] {
  const runs = groupBy(evidence.runs, keyOf);
  return evidence.database.attempts.filter(which).flatMap((row) => (runs.get(keyOf(row)) ?? []).flatMap((run: Run): Violation[] => {
    const by = stopsBy(run.host, row.endedAt, evidence.troubles);
    if (run.lastSeen <= by) return [];
    return [{ rule, taskId: row.taskId, words: `attempt ${row.attempt} of ${row.taskId} is ${row.outcome}, and ran on ${run.host} ${Math.round(run.lastSeen - row.endedAt)} ms longer` }];
  }));
}

export const cancelledTasksStop: Rule = (evidence) => lateStops(evidence, ({ outcome }) => outcome === 'cancelled', 'a cancelled task stops within its bound');

/** Whether or not another attempt of it begins. */
export const lostTasksStop: Rule = (evidence) => lateStops(evidence, ({ outcome }) => outcome === 'lost', 'a command whose attempt was lost stops within its bound');

export const timedOutTasksStop: Rule = (evidence) =>
  lateStops(evidence, ({ outcome }) => outcome === 'timeout', `a task that timed out stops within its bound (margin ${TIMEOUT_MARGIN_SECONDS} s)`);

/** Two commands of one task at a time: only where the earlier attempt was taken away, and no longer than its worker may take to stop. */
export const overlapOnlyAfterALoss: Rule = (evidence) => {
  const attempts = new Map(evidence.database.attempts.map((row) => [keyOf(row), row]));
  return [...groupBy(evidence.runs, ({ taskId }) => taskId).values()].flatMap((all) => all.flatMap((later) => all.flatMap((earlier): Violation[] => {
    if (earlier.attempt >= later.attempt || earlier.lastSeen <= later.began + READING_MS) return [];
    const row = attempts.get(keyOf(earlier));
    const said = { rule: 'two commands of a task overlap only after a loss, and within its bound', taskId: earlier.taskId };
    const where = `attempt ${earlier.attempt} of ${earlier.taskId} still ran on ${earlier.host} when attempt ${later.attempt} began on ${later.host}`;
    if (row === undefined || endedBySelf(row)) return [{ ...said, words: `${where}, and was ${row?.outcome ?? 'not'} ended by itself` }];
    const by = stopsBy(earlier.host, row.endedAt, evidence.troubles);
    return earlier.lastSeen <= by ? [] : [{ ...said, words: `${where}, for ${Math.round(earlier.lastSeen - later.began)} ms` }];
  })));
};
