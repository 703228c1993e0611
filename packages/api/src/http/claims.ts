/** Claims over HTTP, with their long poll. A task is only ever claimed for a socket that is still open. */
import { LIMITS, type components } from '@task-executor/shared';
import { Router, type Request, type Response } from 'express';
import type { ClaimedRow, ClaimRequest } from '../queue/claim-parts.js';
import { readParentResults } from '../queue/results.js';
import { toTask, type Task } from '../queue/task.js';
import { laneOf } from '../waiting/appetite.js';
import { waitOfClaim } from '../waiting/waits.js';
import { Caller } from './caller.js';
import { ClaimCall } from './claim-call.js';
import { hanging } from './hanging.js';
import { sessionOf } from './reporter.js';
import { pathText } from './request.js';
import type { Services } from './services.js';
import { sessionProblem } from './session-problem.js';

type Schemas = components['schemas'];

export function claimRoutes(services: Services): Router {
  const { config, databases, groups, sessions, wakeups, aftermath, metrics, log } = services;
  const router = Router();
  const db = databases.lease;

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
    const caller = new Caller(res);
    const call = new ClaimCall(services, {
      session, isGuess: given === null, request: asked, waitMs: waitOfClaim(body.wait_seconds ?? 0, isIdle) * 1000, isIdle, caller,
    });
    const { request, tasks, isFull } = await call.run();
    aftermath.changed(tasks.map((task) => task.id));
    // As many as there was room for: the lane of the last may hold more, for another waiter.
    const last = isFull ? tasks.at(-1) : undefined;
    if (last !== undefined) wakeups.passOn(laneOf(last));
    if (caller.gone) {
      if (requestId === null) await giveBack(request, tasks, 'the claimer went away');
      return null;
    }
    metrics.claims.inc({ result: tasks.length === 0 ? 'nothing' : 'task' });
    try {
      const [answered, besides] = await Promise.all([answerAbout(tasks), call.idle?.answer(tasks.length > 0)]);
      return { tasks: answered, ...besides };
    } catch (error) {
      if (requestId === null) await giveBack(request, tasks, 'the claim could not be answered');
      throw error;
    }
  }

  /** Gives back the tasks of a claim without an id: nobody will repeat it, so they would wait for their timeout. */
  async function giveBack(request: ClaimRequest, tasks: readonly ClaimedRow[], reason: string): Promise<void> {
    const { workerId, sessionId, leaseSeconds } = request;
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
      return { ...task, dependencies: results, ...(names.length > 0 && { dependencies_truncated: names, dependency_task_ids: truncated }) };
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
