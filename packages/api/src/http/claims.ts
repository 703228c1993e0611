/** Claims over HTTP, with their long poll. A task is only ever claimed for a socket that is still open. */
import { isDeepStrictEqual } from 'node:util';
import { LIMITS, type components } from '@task-executor/shared';
import { Router, type Request, type Response } from 'express';
import type { ClaimedRow, ClaimRequest } from '../queue/claim-parts.js';
import { readParentResults } from '../queue/results.js';
import { toTask, type Task } from '../queue/task.js';
import type { SessionFacts } from '../fleet/sessions.js';
import { Caller } from './caller.js';
import { hanging } from './hanging.js';
import { Problem } from './problem.js';
import { sessionProblem } from './session-problem.js';
import { IdleClaim, standIn } from './idle-claims.js';
import { sessionOf } from './reporter.js';
import { pathText, type Services } from './services.js';
import { waitOfClaim } from '../waits.js';
import type { Appetite, ClaimWaiter, Lane } from '../wakeups.js';

type Schemas = components['schemas'];

/** A worker without room is looked at again after so long, whoever frees it: another replica may. */
const FULL_AGAIN_MS = 10_000;

/** What was claimed, and by which request: of a caller that names no session, the session may be another one than at first. */
interface Claimed {
  readonly request: ClaimRequest;
  readonly tasks: readonly ClaimedRow[];
  /** As many as the worker had room for, and wanted. */
  readonly isFull: boolean;
}

/** What a claim waits with. */
interface Waiting {
  readonly waitMs: number;
  /** Null: it does not wait. */
  readonly waiter: ClaimWaiter | null;
  /** Null: the worker does not say that it is idle. */
  readonly idle: IdleClaim | null;
  readonly caller: Caller;
}

export function claimRoutes(services: Services): Router {
  const { config, databases, groups, sessions, wakeups, aftermath, metrics, log } = services;
  const router = Router();
  const db = databases.lease;

  /** Claims now, and again whenever woken, until there is a task, the time is over or the caller has gone. */
  async function claimWithin(
    known: SessionFacts, first: ClaimRequest, isGuessed: boolean, { waitMs, waiter, idle, caller }: Waiting,
  ): Promise<Claimed> {
    let session = known;
    let request = first;
    // The current session of a caller that names none is the one that was read last, until a claim has found it live.
    let isGuess = isGuessed;
    const deadline = performance.now() + waitMs;
    const isOver = (): boolean => caller.gone || waiter?.dismissed === true || performance.now() >= deadline;
    /** Where a task is that it was woken for and has not looked for yet. */
    let lane: Lane | null = null;
    /** Whether it was woken within `ms`. Null: it is over; what it was woken for at the last moment is for the next that fits. */
    const wokenWithin = async (ms: number, sleeper: ClaimWaiter): Promise<boolean | null> => {
      const isWoken = await sleeper.wait(Math.min(ms, deadline - performance.now()), caller);
      lane = sleeper.takeLane();
      if (!isOver()) return isWoken;
      wakeups.handOn(lane);
      return null;
    };
    const nothing = (): Claimed => ({ request, tasks: [], isFull: false });
    if (waiter !== null && wakeups.isDry(waiter.appetite)) {
      standIn(idle?.renew() ?? groups.beats.add(request), waiter);
      if ((await wokenWithin(Infinity, waiter)) !== true) return nothing();
    }
    for (;;) {
      const { news } = wakeups;
      const sentAt = performance.now();
      // A look of our own at a worker that has no room is no sign of its life.
      const renewing = waiter === null || waiter.fullWorker === null;
      const result = await groups.claimsOf(session).add(renewing ? request : { ...request, leaseSeconds: 0 });
      if (result.kind === 'no_session') {
        session = await changed(session, request.workerId, isGuess).catch((error: unknown) => {
          wakeups.handOn(lane);
          throw error;
        });
        request = { ...request, sessionId: session.sessionId };
        if (idle !== null) idle.request = request;
        if (waiter !== null) waiter.appetite = appetiteOf(session);
        continue;
      }
      isGuess = false;
      if (result.renewed && renewing) idle?.renewed(sentAt);
      if (result.dry && waiter !== null) wakeups.foundNothing(waiter.appetite, news);
      const { tasks, isFull } = result;
      if (isFull && tasks.length === 0) wakeups.handOn(lane);
      lane = null;
      if (tasks.length > 0 || waiter === null || isOver()) return { request, tasks, isFull };
      let { againMs } = result;
      if (isFull) {
        const isKnown = waiter.fullWorker !== null;
        wakeups.isFull(waiter, request.workerId);
        // Whatever was freed before it was known to be full, nobody has told it.
        if (!isKnown) continue;
        againMs = FULL_AGAIN_MS;
      } else {
        wakeups.hasRoom(waiter);
      }
      idle?.listen();
      const isWoken = await wokenWithin(againMs ?? Infinity, waiter);
      // One last look at the end of the wait would cost a query per idle worker and poll.
      if (isWoken === null || (!isWoken && againMs === undefined)) return nothing();
    }
  }

  /**
   * The session as it is now, where it supports other problems than was known, or is another one than was guessed. @throws Problem
   * where it does not live
   */
  async function changed(known: SessionFacts, workerId: string, isGuess: boolean): Promise<SessionFacts> {
    sessions.forget(workerId, known.sessionId);
    const now = await sessions.find(workerId, isGuess ? null : known.sessionId);
    if (now === null || isDeepStrictEqual(now, known)) throw await sessionProblem(db, workerId, known.sessionId);
    return now;
  }

  /** Up to `max_tasks` for the worker of `req`, waited for as `body` asks; null: the caller has gone. */
  async function claimFor(req: Request, res: Response, body: Schemas['BatchClaim']): Promise<Schemas['ClaimedTasks'] | null> {
    const workerId = pathText(req, 'worker_id');
    const given = sessionOf(req);
    const session = await sessions.find(workerId, given);
    if (session === null) throw await sessionProblem(db, workerId, given);
    const requestId = body.request_id ?? null;
    const wanted = body.max_tasks ?? LIMITS.defaultClaimedTasks;
    const isIdle = body.idle ?? false;
    const asked: ClaimRequest = { workerId, sessionId: session.sessionId, requestId, wanted, leaseSeconds: config.leaseSeconds };
    const waitMs = waitOfClaim(body.wait_seconds ?? 0, isIdle) * 1000;
    const caller = new Caller(res);
    const waiter = waitMs > 0
      ? wakeups.enter(appetiteOf(session))
      : null;
    if (waitMs > 0 && waiter === null) throw new Problem(wakeups.stopped ? 'shutting_down' : 'too_many_requests');
    const idle = isIdle ? new IdleClaim(services, asked, waiter, caller) : null;
    let claimed: Claimed;
    try {
      claimed = await claimWithin(session, asked, given === null, { waitMs, waiter, idle, caller });
    } finally {
      idle?.end();
      if (waiter !== null) {
        wakeups.leave(waiter);
        // It may have been woken again while it claimed.
        wakeups.handOn(waiter.takeLane());
      }
    }
    const { request, tasks, isFull } = claimed;
    aftermath.changed(tasks.map((task) => task.id));
    // As many as there was room for: there may be more for another waiter.
    const last = isFull ? tasks.at(-1) : undefined;
    if (last !== undefined) wakeups.passOn(laneOf(last));
    if (caller.gone) {
      if (requestId === null) await giveBack(request, tasks, 'the claimer went away');
      return null;
    }
    metrics.claims.inc({ result: tasks.length === 0 ? 'nothing' : 'task' });
    try {
      const [answered, besides] = await Promise.all([answerAbout(tasks), idle?.answer(tasks.length > 0)]);
      return { tasks: answered, ...besides };
    } catch (error) {
      if (requestId === null) await giveBack(request, tasks, 'the claim could not be answered');
      throw error;
    }
  }

  /** For claims without an id: nobody will repeat them, so their tasks would wait for their timeout. */
  async function giveBack({ workerId, sessionId, leaseSeconds }: ClaimRequest, tasks: readonly ClaimedRow[], reason: string): Promise<void> {
    await Promise.all(tasks.map(async (task) => {
      await groups.reports.add({
        reporter: { workerId, sessionId, taskId: task.id, attempt: task.attempt, leaseSeconds },
        report: { outcome: 'released', reason },
      });
      wakeups.announce(laneOf(task));
      log.info({ event: 'claim_undelivered', task_id: task.id, reason }, 'a claimed task was not delivered; it is back in the queue');
    }));
  }

  /** The answer about claimed tasks, with the results that they need. */
  async function answerAbout(rows: readonly ClaimedRow[]): Promise<Task[]> {
    const needing = rows.filter((row) => row.needs_results).map(({ id }) => id);
    const found = needing.length === 0 ? null : await readParentResults(db, needing);
    return rows.map((row) => {
      const task = toTask(row, () => 'ready');
      const given = found?.get(row.id);
      if (given === undefined) return task;
      const { results, truncated } = given;
      const names = Object.keys(truncated);
      return { ...task, dependencies: results, ...(names.length > 0 ? { dependencies_truncated: names, dependency_task_ids: truncated } : {}) };
    });
  }

  router.post('/api/v1/workers/:worker_id/claim', hanging(log, async (req, res) => {
    const claimed = await claimFor(req, res, { ...(req.body as Schemas['Claim'] | undefined), max_tasks: 1 });
    if (claimed === null) return;
    const [task] = claimed.tasks;
    if (task === undefined) res.status(204).end();
    else res.json(task);
  }));

  router.post('/api/v1/workers/:worker_id/claim-batch', hanging(log, async (req, res) => {
    const claimed = await claimFor(req, res, req.body as Schemas['BatchClaim']);
    if (claimed !== null) res.json(claimed);
  }));

  return router;
}

function appetiteOf({ supportedProblems, backendType }: SessionFacts): Appetite {
  return { globs: supportedProblems, backendType };
}

function laneOf({ problem_id, backend_type }: ClaimedRow): { problem_id: string; backend_type: string } {
  return { problem_id, backend_type: backend_type ?? '' };
}
