/**
 * How often each thing happened that a run is about. A run in which one of them never happened proves nothing about it, so it does
 * not count.
 */
import type { Bulk, Follow, Operation, Report } from '../clients/history.js';
import { groupBy, keyOf, type AttemptRow, type Evidence } from './evidence.js';
import { RANKED_PROBLEM, TICK_MS } from '../settings.js';
import { drainedSessions, holdsOf, type Hold } from './rules/controls.js';
import { keptPriorities } from './rules/order.js';
import { STOP_MS } from './rules/runs.js';

export type Coverage = Readonly<Record<string, number>>;

/** Faults that hit those who work on a bulk operation, or what they work with. */
const HITS_WORK = /_api$|postgres$|^database_|^terminate_backends$/;

/** A cancel and a report about one task that are this close raced. */
const RACE_MS = 1_000;

const count = <T>(all: readonly T[], which: (one: T) => boolean): number => all.filter(which).length;

/** What is repeated where nobody answered; null: nothing that can be told to be the same again. */
function sameCall(one: Operation): string | null {
  switch (one.verb) {
    case 'submit':
    case 'bulk':
    case 'retry': return one.key;
    case 'claim': return one.requestId;
    case 'logs': return `logs ${keyOf(one)} ${one.session} ${one.offset}`;
    case 'upload': return `upload ${keyOf(one)} ${one.session} ${one.name} ${one.sha256 ?? ''}`;
    case 'report': return `${one.how} ${keyOf(one)} ${one.session}`;
    case 'cancel': return `cancel ${one.taskId}`;
    default: return null;
  }
}

function repeatedAfterSilence(operations: readonly Operation[]): number {
  const same = groupBy(operations.filter((one) => sameCall(one) !== null), (one) => `${one.verb} ${sameCall(one) ?? ''}`);
  return [...same.values()].filter((all) => all.some(({ result }, n) => result === 'unknown' && all.slice(n + 1).some((later) => later.result !== 'unknown'))).length;
}

function cancelsThatRaced(operations: readonly Operation[]): number {
  const reports = groupBy(operations.filter((one): one is Report => one.verb === 'report'), ({ taskId }) => taskId);
  return count(operations, (one) => one.verb === 'cancel' && (reports.get(one.taskId) ?? []).some((report) => (
    report.began < (one.ended ?? Infinity) + RACE_MS && one.began < (report.ended ?? Infinity) + RACE_MS)));
}

/** Tasks that were there before the end of a pause of their own problem, and began after it. */
function heldTasks({ database }: Evidence, pauses: readonly Hold[]): number {
  const firsts = new Map(database.attempts.filter(({ attempt }) => attempt === 1).map((row) => [row.taskId, row.startedAt]));
  return count(database.tasks, ({ id, problemId, createdAt }) => pauses.some(({ target, until }) => (
    target === problemId && createdAt < until && (firsts.get(id) ?? 0) > until)));
}

/** Attempts of a worker that began before a drain of it and were completed after it was acknowledged. */
function goneOn({ database, operations }: Evidence, drains: readonly Hold[]): number {
  const held = drains.map((drain) => ({ ...drain, sessions: drainedSessions(operations, drain) }));
  return count(database.attempts, ({ sessionId, startedAt, endedAt, outcome }) => outcome === 'completed'
    && held.some(({ sessions, began, from }) => sessions.has(sessionId) && startedAt < began && endedAt > from));
}

/** Commands whose attempt ended so from outside, and that would have gone on beyond the bound if nobody had stopped them. */
function stopped({ database, runs }: Evidence, outcome: AttemptRow['outcome']): number {
  const ends = new Map(database.attempts.filter((row) => row.outcome === outcome).map((row) => [keyOf(row), row.endedAt]));
  const ticks = new Map(database.tasks.map(({ id, parameters }) => [id, (parameters as { ticks?: number } | null)?.ticks ?? 0]));
  return count(runs, (run) => run.began + (ticks.get(run.taskId) ?? 0) * TICK_MS > (ends.get(keyOf(run)) ?? Infinity) + STOP_MS);
}

/** How many of the keys were answered twice and more. */
const answeredAgain = (operations: readonly Operation[], keyOfOne: (one: Operation) => string | null): number =>
  count([...groupBy(operations.filter((one) => one.result === 'ok' && keyOfOne(one) !== null), (one) => keyOfOne(one) ?? '').values()], (all) => all.length > 1);

/** Commands that ran under one of the limits. */
function limited({ database, runs }: Evidence): number {
  const under = new Set(database.tasks.filter(({ labels }) => database.limits.some(({ label, value }) => labels[label] === value)).map(({ id }) => id));
  return count(runs, ({ taskId }) => under.has(taskId));
}

/** Walks during which some task was submitted: those of a service that stands still show little. */
function walksUnderWay(operations: readonly Operation[]): number {
  const submits = operations.filter(({ verb, result }) => verb === 'submit' && result === 'ok');
  return count(operations, ({ verb, result, began, ended }) => verb === 'walk' && result === 'ok'
    && submits.some((one) => one.began < (ended ?? Infinity) && (one.ended ?? Infinity) > began));
}

export function coverageOf(evidence: Evidence): Coverage {
  const { operations, database, runs, troubles, samples, ways } = evidence;
  const attempts = (outcome: string): number => count(database.attempts, (row) => row.outcome === outcome);
  const reasons = (reason: string): number => count(database.outcomes, (row) => row.reason === reason);
  const isStale = ({ code }: Operation): boolean => code === 'attempt_not_held' || code?.startsWith('session_') === true;
  const childIds = new Set(database.tasks.filter(({ parents }) => parents.length > 0).map(({ id }) => id));
  const drains = holdsOf(operations, 'drain');
  // That of the end is there in every run.
  const pauses = holdsOf(operations, 'pause').filter(({ target }) => target !== RANKED_PROBLEM);
  const followed = operations.filter((one): one is Follow => one.verb === 'follow' && one.result === 'ok');
  const finished = operations.filter((one): one is Bulk => one.verb === 'bulk' && one.finished !== null);
  const underFault = ({ began, finished: end }: Bulk): boolean => troubles.some(({ kind, from, until }) => (
    HITS_WORK.test(kind) && from < (end?.at ?? Infinity) && (until ?? Infinity) > began));
  const kinds = groupBy(troubles, ({ kind }) => kind);
  return {
    'submissions acknowledged': count(operations, (one) => one.verb === 'submit' && one.result === 'ok'),
    'submissions unknown': count(operations, (one) => one.verb === 'submit' && one.result === 'unknown'),
    'workflows acknowledged': count(operations, (one) => one.verb === 'submit' && one.result === 'ok' && one.form === 'workflow'),
    'workflows run again': count(database.workflows, ({ retryOf }) => retryOf !== null),
    'tasks retried by hand': count(operations, (one) => one.verb === 'retry' && one.what === 'task' && one.result === 'ok'),
    'retries refused': count(operations, (one) => one.verb === 'retry' && one.code === 'task_not_terminal'),
    'submissions that met a live twin': count(operations, (one) => one.verb === 'submit' && one.existed),
    'results reused': reasons('reused'),
    'results waited for': count(database.outcomes, ({ reason, taskId }) => reason === 'reused' && childIds.has(taskId)),
    'bulk operations finished': count(finished, () => true),
    'bulk operations under a fault': count(finished, underFault),
    'tasks cancelled in bulk': finished.reduce((sum, { action, finished: end }) => sum + (action === 'cancel' ? end?.changed ?? 0 : 0), 0),
    'tasks retried in bulk': finished.reduce((sum, { action, finished: end }) => sum + (action === 'retry' ? end?.changed ?? 0 : 0), 0),
    'pauses': pauses.length,
    'tasks held by a pause': heldTasks(evidence, pauses),
    'drains': drains.length,
    'attempts that went on under a drain': goneOn(evidence, drains),
    'tasks followed to their end': count(followed, () => true),
    'followers that came back': count(followed, ({ streams }) => streams > 1),
    'lines that were followed': followed.reduce((sum, { events }) => sum + count(events, ({ kind }) => kind === 'log'), 0),
    'artifacts acknowledged': count(operations, (one) => one.verb === 'upload' && one.result === 'ok'),
    'artifacts of commands': count(database.artifacts, ({ name }) => name === 'told'),
    'uploads refused': count(operations, (one) => one.verb === 'upload' && one.result === 'fail'),
    'uploads broken off': count(operations, (one) => one.verb === 'upload' && !one.isWhole),
    'commands that ran': runs.length,
    'commands that were cut off': count(runs, ({ ended }) => !ended),
    'lost commands that had to be stopped': stopped(evidence, 'lost'),
    'cancelled commands that had to be stopped': stopped(evidence, 'cancelled'),
    'timed-out commands that had to be stopped': stopped(evidence, 'timeout'),
    'leases lost': attempts('lost'),
    'attempts timed out': attempts('timeout'),
    'attempts failed': attempts('failed'),
    'attempts handed back': attempts('released'),
    'stale reports refused': count(operations, (one) => one.verb === 'report' && one.result === 'fail' && isStale(one)),
    'reports answered again': answeredAgain(operations, (one) => (one.verb === 'report' ? sameCall(one) : null)),
    'keys of submissions answered again': answeredAgain(operations, (one) => (one.verb === 'submit' ? one.key : null)),
    'calls repeated after silence': repeatedAfterSilence(operations),
    'cancels acknowledged': count(operations, (one) => one.verb === 'cancel' && one.result === 'ok'),
    'cancels refused': count(operations, (one) => one.verb === 'cancel' && one.code === 'task_terminal'),
    'cancels racing reports': cancelsThatRaced(operations),
    'lines of log acknowledged': operations.reduce((sum, one) => sum + (one.verb === 'logs' && one.result === 'ok' ? one.messages.length : 0), 0),
    'dependents that ran': count(database.attempts, ({ taskId, attempt }) => attempt === 1 && childIds.has(taskId)),
    'dependents cancelled': reasons('dependency_failed'),
    'commands under a limit': limited(evidence),
    'pairs of tasks in the order of their priorities': keptPriorities(evidence),
    'tasks that waited for their time': count(database.tasks, ({ runAt, createdAt }) => runAt !== null && runAt > createdAt),
    'fires of a schedule': database.schedules.reduce((sum, { fires }) => sum + fires, 0),
    'looks at the database under way': samples.length,
    'statistics read': count(operations, (one) => one.verb === 'statistics' && one.result === 'ok'),
    'walks to the end while others submitted': walksUnderWay(operations),
    'answers lost on the way': ways.lostAnswers,
    'requests that arrived twice': ways.duplicates,
    'pieces that a half-open way swallowed': ways.swallowed,
    ...Object.fromEntries([...kinds].map(([kind, all]) => [`fault: ${kind}`, all.length])),
  };
}

/** Names of what did not happen; `kinds`: the faults that the schedule may hold. */
export function uncovered(coverage: Coverage, kinds: readonly string[]): string[] {
  return [...Object.keys(coverage), ...kinds.map((kind) => `fault: ${kind}`)].filter((name, n, all) => all.indexOf(name) === n && (coverage[name] ?? 0) === 0);
}
