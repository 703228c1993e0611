/** The claim over HTTP, with its long poll. A task is only ever claimed for a socket that is still open. */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import { claim, type ClaimedRow, type ClaimRequest } from '../queue/claim.js';
import { release } from '../queue/release.js';
import { readParentResults } from '../queue/results.js';
import { toTask } from '../queue/task.js';
import { findWorker } from '../fleet/find.js';
import { Problem } from './problem.js';
import { sessionProblem } from './session-problem.js';
import { sessionOf } from './reporter.js';
import { goneSignal, pathText, type Services } from './services.js';
import type { Waiter } from '../waiter.js';

export function claimRoutes({ config, databases, wakeups, aftermath, metrics, log }: Services): Router {
  const router = Router();
  const db = databases.lease;

  /** Claims now, and again whenever woken, until there is a task, the time is over or the caller has gone. */
  async function claimWithin(request: ClaimRequest, waitMs: number, waiter: Waiter | null, gone: AbortSignal): Promise<ClaimedRow | null> {
    const deadline = performance.now() + waitMs;
    const isOver = (): boolean => gone.aborted || waiter?.dismissed === true || performance.now() >= deadline;
    for (;;) {
      const result = await claim(db, request);
      if (result.kind === 'no_session') throw await sessionProblem(db, request.workerId, request.sessionId);
      if (result.kind === 'claimed') return result.task;
      if (waiter === null || isOver()) return null;
      await waiter.wait(deadline - performance.now(), gone);
      // One last look at the end of the wait would cost a query per idle worker and poll.
      if (isOver()) return null;
    }
  }

  router.post('/api/v1/workers/:worker_id/claim', async (req, res) => {
    const workerId = pathText(req, 'worker_id');
    const body = req.body as components['schemas']['Claim'] | undefined;
    const worker = await findWorker(db, workerId);
    if (worker === null) throw new Problem('worker_not_found');
    const request: ClaimRequest = {
      workerId,
      sessionId: sessionOf(req) ?? worker.session_id,
      requestId: body?.request_id ?? null,
      leaseSeconds: config.leaseSeconds,
    };
    // A lease must outlive the wait: nothing renews it meanwhile but the worker's heartbeats.
    const waitMs = (body?.wait_seconds ?? 0) * 1000;
    const gone = goneSignal(res);
    const waiter = waitMs > 0
      ? wakeups.enter({ globs: worker.supported_problems, backendType: worker.backend_type })
      : null;
    if (waitMs > 0 && waiter === null) throw new Problem(wakeups.stopped ? 'shutting_down' : 'too_many_requests');
    let task: ClaimedRow | null;
    try {
      task = await claimWithin(request, waitMs, waiter, gone);
    } finally {
      if (waiter !== null) wakeups.leave(waiter);
    }
    if (task !== null) aftermath.changed([task.id]);
    const lane = task === null ? null : { problem_id: task.problem_id, backend_type: task.backend_type ?? '' };
    if (lane !== null) wakeups.passOn(lane);
    if (task !== null && gone.aborted && request.requestId === null) {
      // Nobody will repeat this claim, so the task would wait for its timeout.
      await release(db, { workerId, sessionId: request.sessionId, taskId: task.id, attempt: task.attempt, leaseSeconds: config.leaseSeconds }, 'the claimer went away');
      if (lane !== null) wakeups.announce(lane);
      log.info({ event: 'claim_undelivered', task_id: task.id }, 'a claimer went away before its answer');
      return;
    }
    metrics.claims.inc({ result: task === null ? 'nothing' : 'task' });
    if (task === null) {
      res.status(204).end();
      return;
    }
    const answer = toTask(task, () => 'ready');
    if (!task.needs_results) {
      res.json(answer);
      return;
    }
    const { results, truncated } = await readParentResults(db, task.id);
    res.json({ ...answer, dependencies: results, ...(truncated.length > 0 ? { dependencies_truncated: truncated } : {}) });
  });

  return router;
}
