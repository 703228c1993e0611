/** Pauses and drains: while one is acknowledged, nothing begins of what it holds back. */
import type { Control, Operation } from '../../clients/history.js';
import { keyOf, type Evidence, type Rule, type Violation } from '../evidence.js';

/** From the answer to a pause or a drain until its end was asked for. */
export interface Hold {
  readonly what: Control['what'];
  readonly target: string;
  readonly began: number;
  readonly from: number;
  readonly until: number;
}

/** An end that nobody answered for may come so much later: by then a replica that was stopped goes on, and its statement has ended. */
const STALE_MS = 60_000;

/** The holds of which it is certain that they held: none that an earlier call, which nobody answered, may have ended. */
export function holdsOf(operations: readonly Operation[], what: Control['what']): Hold[] {
  const controls = operations.filter((one): one is Control => one.verb === 'control' && one.what === what);
  return controls.filter(({ on, result }) => on && result === 'ok').flatMap(({ target, began, ended }): Hold[] => {
    const from = ended ?? Infinity;
    const ends = controls.filter((one) => one.target === target && !one.on);
    if (ends.some((end) => end.result === 'unknown' && end.began < from && end.began > from - STALE_MS)) return [];
    return [{ what, target, began, from, until: Math.min(...ends.filter((end) => end.began > began).map((end) => end.began), Infinity) }];
  });
}

/** By when each attempt was certainly claimed: its worker had it, or its command ran. */
function claimedBy({ operations, runs }: Evidence): Map<string, number> {
  const known = new Map<string, number>();
  const note = (key: string, at: number): void => {
    known.set(key, Math.min(at, known.get(key) ?? Infinity));
  };
  for (const one of operations) if (one.verb === 'claim' && one.claimed !== null) note(keyOf(one.claimed), one.ended ?? Infinity);
  for (const run of runs) note(keyOf(run), run.began);
  return known;
}

/** The database's times are kept in milliseconds. */
const ROUNDING_MS = 1;

/**
 * Attempts that began after `from`, by the time at which the claim's statement began to arrive, and were there before `until`, by what
 * came of them: both were within the hold.
 */
function within(evidence: Evidence, holds: readonly Hold[], isHeld: (hold: Hold, taskId: string, sessionId: string) => boolean, rule: string): Violation[] {
  const known = claimedBy(evidence);
  return evidence.database.attempts.flatMap((row) => holds.flatMap((hold): Violation[] => {
    if (row.startedAt <= hold.from + ROUNDING_MS || (known.get(keyOf(row)) ?? Infinity) >= hold.until || !isHeld(hold, row.taskId, row.sessionId)) return [];
    const words = `attempt ${row.attempt} of ${row.taskId} began ${Math.round(row.startedAt - hold.from)} ms after the ${hold.what} of "${hold.target}" was acknowledged`;
    return [{ rule, taskId: row.taskId, words }];
  }));
}

export const pausesAreKept: Rule = (evidence) => {
  const problems = new Map(evidence.database.tasks.map(({ id, problemId }) => [id, problemId]));
  const isHeld = ({ target }: Hold, taskId: string): boolean => target === '' || problems.get(taskId) === target;
  return within(evidence, holdsOf(evidence.operations, 'pause'), isHeld, 'nothing of what is paused begins');
};

/** Whether a session is one that a drain is about: it registered before, since a new registration ends the drain. */
export function drainedSessions(operations: readonly Operation[], { target, began }: Hold): Set<string> {
  return new Set(operations.flatMap((one) => (
    one.verb === 'register' && one.workerId === target && one.session !== null && one.ended !== null && one.ended < began ? [one.session] : [])));
}

export const drainsAreKept: Rule = (evidence) => {
  const holds = holdsOf(evidence.operations, 'drain');
  const sessions = new Map(holds.map((hold) => [hold, drainedSessions(evidence.operations, hold)]));
  return within(evidence, holds, (hold, _taskId, sessionId) => sessions.get(hold)?.has(sessionId) === true, 'a worker that drains is given nothing');
};
