/** Attempts: numbered without gaps, one at a time, ended by what may end them and not before. */
import { LEASE_SECONDS } from '../../settings.js';
import { groupBy, keyOf, type Rule, type Violation } from '../evidence.js';

export const attemptsAreNumbered: Rule = ({ database }) => [...groupBy(database.attempts, ({ taskId }) => taskId)].flatMap(([taskId, rows]) => {
  const numbers = rows.map(({ attempt }) => attempt).sort((a, b) => a - b);
  return numbers.every((number, n) => number === n + 1) ? [] : [{ rule: 'attempts are numbered without gaps', taskId, words: `${taskId} has the attempts ${numbers.join(', ')}` }];
});

/** No more of them fail, or are lost, than its submitter allowed. */
export const attemptsAreBounded: Rule = ({ database }) => {
  const rows = groupBy(database.attempts, ({ taskId }) => taskId);
  return database.tasks.flatMap(({ id, maxAttempts, maxLost }): Violation[] => {
    const all = rows.get(id) ?? [];
    const failures = all.filter(({ outcome }) => outcome === 'failed' || outcome === 'timeout').length;
    const losses = all.filter(({ outcome }) => outcome === 'lost').length;
    if (failures <= maxAttempts && losses <= maxLost) return [];
    return [{ rule: 'a task is tried no more often than it may be', taskId: id, words: `${failures} of ${maxAttempts} attempts of ${id} failed, and ${losses} of ${maxLost} were lost` }];
  });
};

export const oneAttemptAtATime: Rule = ({ database }) => [...groupBy(database.attempts, ({ taskId }) => taskId)].flatMap(([taskId, rows]) => {
  const inOrder = [...rows].sort((a, b) => a.startedAt - b.startedAt);
  return inOrder.flatMap((row, n): Violation[] => {
    const before = inOrder[n - 1];
    if (before === undefined || before.endedAt <= row.startedAt) return [];
    return [{ rule: 'no two attempts hold a task at once', taskId, words: `attempt ${row.attempt} of ${taskId} began before attempt ${before.attempt} had ended` }];
  });
});

/** A claim is answered with an attempt that nobody else was answered with. */
export const attemptsHaveOneClaimer: Rule = ({ operations }) => {
  const claims = operations.flatMap((one) => (one.verb === 'claim' && one.claimed !== null ? [{ ...one.claimed, session: one.session }] : []));
  return [...groupBy(claims, keyOf)].flatMap(([key, all]) => {
    const sessions = new Set(all.map(({ session }) => session));
    return sessions.size === 1 ? [] : [{ rule: 'an attempt is given to one worker', taskId: all[0]?.taskId ?? null, words: `${key} was given to ${sessions.size} sessions` }];
  });
};

/** One millisecond for the database, which keeps no less. */
const ROUNDING_MS = 1;

export const timeoutsAreNotEarly: Rule = ({ database }) => {
  const seconds = new Map(database.tasks.map((task) => [task.id, task.timeoutSeconds]));
  return database.attempts.filter((row) => row.outcome === 'timeout').flatMap((row): Violation[] => {
    const ran = row.endedAt - row.startedAt;
    if (ran + ROUNDING_MS >= (seconds.get(row.taskId) ?? 0) * 1000) return [];
    return [{ rule: 'no attempt times out early', taskId: row.taskId, words: `attempt ${row.attempt} of ${row.taskId} timed out after ${Math.round(ran)} ms` }];
  });
};

/**
 * Lost to silence: no claim of its session was answered within its lease. Of what else renews it, heartbeats are not noted, and reports may
 * leave that to others. A session that was replaced loses at once.
 */
export const leasesAreKept: Rule = ({ database, operations }) => {
  const renewals = groupBy(operations.filter((one) => one.verb === 'claim' && one.result === 'ok'), (one) => (one as { session: string }).session);
  return database.attempts.filter(({ outcome, error }) => outcome === 'lost' && error === 'the worker stopped sending heartbeats').flatMap((row): Violation[] => {
    // A claim renews the lease when it is made at the earliest.
    const renewed = (renewals.get(row.sessionId) ?? []).find(({ began, ended }) => ended !== null && ended < row.endedAt && began > row.endedAt - LEASE_SECONDS * 1000 + ROUNDING_MS);
    if (renewed === undefined) return [];
    return [{ rule: 'no lease is cut short', taskId: row.taskId, words: `attempt ${row.attempt} of ${row.taskId} was lost ${Math.round(row.endedAt - renewed.began)} ms after its session was renewed` }];
  });
};
