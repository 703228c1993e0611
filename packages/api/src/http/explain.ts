/** Explanations over HTTP: why one task is not running, and what the backlog waits for. */
import { LIMITS, PENDING_REASONS, type components } from '@task-executor/shared';
import { Router } from 'express';
import { readBacklog } from '../queue/backlog.js';
import { explainPending, type Explained } from '../queue/explain.js';
import { findTask } from '../queue/find.js';
import { listLimits, toLimit } from '../queue/limits.js';
import { listPauses } from '../queue/pauses.js';
import { toTask, type Task } from '../queue/task.js';
import { toPause } from './controls.js';
import { Problem } from './problem.js';
import { pathText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];
type Constraint = Schemas['Constraint'];

/** The contract's bound of a constraint's message. */
const MAX_MESSAGE_CHARS = 2_000;
/** What may lie between a task's time with a free slot for it and its beginning: the next sweep, the wake-up, the claim. */
const BEGIN_MS = 1_000;

export function explainRoutes({ databases, readiness }: Services): Router {
  const router = Router();
  const db = databases.reads;

  router.get('/api/v1/tasks/:task_id/explain', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const row = await findTask(db, taskId);
    if (row === null) throw new Problem('task_not_found');
    const task = toTask(row, await readiness.reasons());
    const explained = row.status === 'pending' ? await explainPending(db, taskId) : null;
    const placed = explained === null || explained.waits ? null : explained;
    const constraints = explained === null ? [] : constraintsOf(task, explained);
    const answer: Schemas['TaskExplanation'] = {
      task_id: taskId,
      status: task.status,
      reason: task.reason,
      summary: summaryOf(task, constraints, placed),
      constraints,
      position: placed === null ? null : placed.before + 1,
      position_is_lower_bound: placed !== null && isCutOff(placed),
      ahead: placed?.ahead ?? null,
      estimated_start: explained === null ? null : estimateOf(task, explained),
    };
    res.json(answer);
  });

  router.get('/api/v1/queue/explain', async (_req, res) => {
    const [backlog, pauses, limits] = await Promise.all([
      readiness.reasons().then((reasonOf) => readBacklog(db, reasonOf)), listPauses(db), listLimits(db),
    ]);
    const pending = backlog.filter(({ reason }) => reason !== null);
    const answer: Schemas['QueueExplanation'] = {
      pending: tasksIn(pending),
      running: tasksIn(backlog.filter(({ reason }) => reason === null)),
      by_reason: byReason(pending),
      largest: largestOf(pending),
      pauses: pauses.map(toPause),
      limits: limits.map(toLimit),
    };
    res.json(answer);
  });

  return router;
}

type Part = Awaited<ReturnType<typeof readBacklog>>[number];

function tasksIn(parts: readonly Part[]): number {
  return parts.reduce((total, { tasks }) => total + tasks, 0);
}

function byReason(pending: readonly Part[]): Schemas['QueueExplanation']['by_reason'] {
  return Object.fromEntries(PENDING_REASONS.flatMap((reason) => {
    const parts = pending.filter((part) => part.reason === reason);
    const oldest = Math.max(...parts.map((part) => part.oldest_seconds));
    return parts.length === 0 ? [] : [[reason, { tasks: tasksIn(parts), oldest_seconds: oldest }]];
  }));
}

function largestOf(pending: readonly Part[]): Schemas['QueueExplanation']['largest'] {
  const sorted = pending.toSorted((one, other) => other.tasks - one.tasks);
  return sorted.slice(0, LIMITS.maxExplained).map(({ reason, ...part }) => ({ reason: reason ?? 'ready', ...part }));
}

/** Everything that holds the task back, the nearest first. */
function constraintsOf(task: Task, explained: Explained): Constraint[] {
  const found: Constraint[] = [];
  const { dependencies, blockers, equal_task_id: equal, available_at: available, workers } = explained;
  if (task.reason === 'blocked') {
    const names = dependencies.slice(0, 3).map(({ name, status }) => `${name} (${status})`).join(', ');
    const message = `it waits for ${blockers} of the tasks it depends on: ${names}${blockers > 3 ? ', ...' : ''}`;
    found.push({ kind: 'dependencies', message, dependencies });
  }
  if (task.reason === 'reusing' && equal !== null) {
    found.push({ kind: 'reuse', message: `it waits for the result of the equal task ${equal}`, task_id: equal });
  }
  if (available !== null && available > explained.now) {
    const until = available.toISOString();
    found.push(task.reason === 'backing_off'
      ? { kind: 'backoff', message: `its last attempt failed; the next begins no earlier than ${until}`, until }
      : { kind: 'schedule', message: `it begins no earlier than ${until}`, until });
  }
  if (!explained.unexpired) {
    found.push({ kind: 'expired', message: 'it has expired and is about to end', until: explained.expires_at?.toISOString() ?? null });
  }
  for (const { problem_id: problem, reason } of explained.pauses) {
    const what = problem === '' ? 'the queue' : `the problem ${problem}`;
    const message = `${what} is paused${reason === null ? '' : `: ${reason}`}`.slice(0, MAX_MESSAGE_CHARS);
    found.push({ kind: 'pause', message, problem_id: problem === '' ? null : problem });
  }
  for (const { limit_id: limitId, key, value, max_running: most, running, holders } of explained.limits) {
    found.push({
      kind: 'limit', message: limitReached(most, key, value), limit_id: limitId, running, max_running: most, holders,
    });
  }
  if (workers.fitting === 0) {
    const backend = task.backend_type === null ? 'any backend_type' : `backend_type ${task.backend_type}`;
    found.push({
      kind: 'no_worker',
      message: `${nobodyTakesIt(workers.live)}; one with ${backend} and a supported_problems glob that fits ${task.problem_id} would`,
      workers,
    });
  } else if (workers.slots === 0) {
    found.push({ kind: 'no_worker', message: takersTakeNothing(explained), workers });
  } else if (workers.free === 0) {
    found.push({ kind: 'busy_workers', message: `the ${workers.slots} slots of the workers that take it are busy`, workers });
  }
  return found;
}

function limitReached(most: number, key: string, value: string): string {
  const [, label] = /^label:(.*)$/s.exec(key) ?? [];
  return `the limit of ${most} running ${most === 1 ? 'task' : 'tasks'} with ${label === undefined ? key : `label ${label}`}=${value} is reached`;
}

function summaryOf(task: Task, constraints: readonly Constraint[], placed: Explained | null): string {
  if (task.status === 'running') return `It runs as attempt ${task.attempt} on ${task.worker_id ?? 'a worker'}.`;
  if (task.status !== 'pending') return `It has ended: ${task.status}${task.reason === null ? '' : ` (${task.reason})`}.`;
  const [first] = constraints;
  return first === undefined ? placeOf(placed) : `It is pending: ${first.message}.`.slice(0, MAX_MESSAGE_CHARS);
}

function placeOf(placed: Explained | null): string {
  if (placed === null) return 'Nothing holds it back.';
  const { ahead, ahead_is_cut_off: aheadIsCutOff, before } = placed;
  const cutOff = isCutOff(placed);
  const tasks = ahead === 1 ? '1 task that ranks' : `${ahead} tasks that rank`;
  if (ahead > 0) return `Nothing holds it back, but its workers take ${cutOff ? 'at least ' : ''}${tasks} before it.`;
  if (aheadIsCutOff) return 'Nothing holds it back; of the tasks that rank before it and were looked at, its workers take none.';
  if (cutOff) return `Nothing holds it back; of the first ${before} tasks that rank before it, its workers take none.`;
  return 'Nothing holds it back: it is next when a worker claims.';
}

/** Whether more tasks may rank before it, or be taken before it, than were looked at. */
function isCutOff({ before, ahead_is_cut_off: aheadIsCutOff }: Explained): boolean {
  return before >= LIMITS.maxCountedAhead || aheadIsCutOff;
}

/**
 * When the task may start, from how long the last tasks took and how many its workers take before it: their slots work these off
 * in rounds, of the lower quartile at best and of the upper at worst. Null where it hangs on something without a time.
 */
function estimateOf(task: Task, explained: Explained): Schemas['TaskExplanation']['estimated_start'] {
  const { workers, durations, ahead, available_at: available, now } = explained;
  const unforeseeable = ['blocked', 'reusing', 'paused', 'unclaimable'].includes(task.reason ?? '') || !explained.unexpired;
  if (unforeseeable || workers.slots === 0) return null;
  const from = Math.max(now.getTime(), available?.getTime() ?? 0);
  const waiting = Math.max(0, ahead + 1 - workers.free);
  const isFree = waiting === 0 && explained.limits.length === 0;
  const span = (earliestMs: number, latestMs: number): { earliest: string; latest: string } =>
    ({ earliest: new Date(from + earliestMs).toISOString(), latest: new Date(from + latestMs + BEGIN_MS).toISOString() });
  if (isFree) return span(0, durations === null ? 0 : durations.high * 1000);
  if (durations === null) return null;
  const rounds = Math.max(1, Math.ceil(waiting / workers.slots));
  return span((rounds - 1) * durations.low * 1000, rounds * durations.high * 1000);
}

function nobodyTakesIt(live: number): string {
  if (live === 0) return 'there is no live worker';
  return live === 1 ? 'the one live worker does not take it' : `none of the ${live} live workers takes it`;
}

/** Why none of the workers that take the task is given it: they drain, or say that they are not fit. */
function takersTakeNothing({ workers: { fitting, draining, unfit }, unfit_reason: reason }: Explained): string {
  const said = reason === null ? '' : `: ${reason}`;
  if (fitting === 1) return `the one live worker that takes it is ${draining === 1 ? 'draining' : `unfit${said}`}`.slice(0, MAX_MESSAGE_CHARS);
  if (unfit === 0) return `the ${fitting} live workers that take it are draining`;
  const which = draining === 0 ? 'unfit' : `draining (${draining}) or unfit (${unfit})`;
  return `the ${fitting} live workers that take it are ${which}${unfit === 1 ? said : `, one of them${said}`}`.slice(0, MAX_MESSAGE_CHARS);
}
