/** Heartbeats over HTTP: each renews the lease, and hangs until there is something to tell the worker. */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import type { ApiConfig } from '../config.js';
import { changeCapabilities } from '../fleet/capabilities.js';
import { changeFitness } from '../fleet/fitness.js';

import { toWorker, type WorkerRow } from '../fleet/worker.js';
import type { NamedAttempt, Running } from '../queue/directives.js';
import { Waiter } from '../waiting/waiter.js';
import { claimWait, idleBeatWait } from '../waiting/waits.js';
import { Caller } from './caller.js';
import { hanging } from './hanging.js';
import { sessionOf } from './reporter.js';
import { pathText } from './request.js';
import type { Services } from './services.js';
import { sessionProblem } from './session-problem.js';

type Schemas = components['schemas'];

export function heartbeatRoutes({ config, databases, groups, readiness, sessions, watches, wakeups, log }: Services): Router {
  const router = Router();
  const { heartbeats } = databases;

  router.post('/api/v1/workers/:worker_id/heartbeat', hanging(log, async (req, res) => {
    const workerId = pathText(req, 'worker_id');
    const given = sessionOf(req);
    const body = req.body as Schemas['Heartbeat'];
    const renewed = await groups.beats.add({ workerId, sessionId: given, requestId: null });
    if (renewed === null) throw await sessionProblem(heartbeats, workerId, given);
    const { sessionId } = renewed;
    if (body.capabilities !== undefined) await noteCapabilities(workerId, sessionId, body.capabilities);
    if (body.unfit !== undefined) await noteFitness(workerId, sessionId, body.unfit);
    // Never longer than the interval: a cancel that nobody told this replica of is found by the next heartbeat. A worker that runs nothing
    // has only its lease to renew.
    const named = namedAttempts(body);
    const runsNothing = body.attempts !== undefined && named.length === 0;
    const mostSeconds = runsNothing ? idleBeatWait(config) : config.heartbeatIntervalSeconds;
    const waitMs = Math.min(body.wait_seconds ?? 0, mostSeconds) * 1000;
    const watch = waitMs > 0 ? watches.enter(workerId, new Waiter()) : null;
    try {
      const answer = await heartbeatAnswer({ workerId, sessionId, named, isAll: body.attempts !== undefined }, {
        watch, waitMs, caller: new Caller(res), knownDrain: body.draining ?? null,
      });
      if (answer !== null) res.json(answer);
    } finally {
      if (watch !== null) watches.leave(workerId, watch);
    }
  }));

  /** Notes what a worker says that it can do now. @throws Problem where its session does not live */
  async function noteCapabilities(workerId: string, sessionId: string, given: Schemas['Capabilities']): Promise<void> {
    const capabilities = { maxParallelTasks: given.max_parallel_tasks ?? 1, supportedProblems: given.supported_problems ?? [] };
    if (!(await changeCapabilities(heartbeats, workerId, sessionId, capabilities))) {
      throw await sessionProblem(heartbeats, workerId, sessionId);
    }
    sessions.forget(workerId, sessionId);
    readiness.forget();
    wakeups.freed([workerId]);
    wakeups.lookSoon();
    log.info({ event: 'capabilities_changed', worker_id: workerId }, 'a worker takes other problems than before');
  }

  /** Notes why a worker says that it claims nothing. @throws Problem where its session does not live */
  async function noteFitness(workerId: string, sessionId: string, unfit: string | null): Promise<void> {
    // A worker that says the same with every heartbeat must not cost a write each time: this read is shared with other heartbeats.
    const known = await groups.workers.add(workerId);
    if ((known?.metadata.unfit ?? null) === unfit) return;
    if (!(await changeFitness(heartbeats, workerId, sessionId, unfit))) throw await sessionProblem(heartbeats, workerId, sessionId);
    readiness.forget();
    log.info({ event: 'fitness_changed', worker_id: workerId, fit: unfit === null }, 'a worker says whether it is fit to run tasks');
  }

  /** The answer to a heartbeat: at once where there is a directive, else when one comes or the wait is over; null: the caller has gone. */
  async function heartbeatAnswer(
    running: Running,
    { watch, waitMs, caller, knownDrain }: { watch: Waiter | null; waitMs: number; caller: Caller; knownDrain: boolean | null },
  ): Promise<Schemas['WorkerSession'] | null> {
    const { workerId, sessionId } = running;
    const deadline = performance.now() + waitMs;
    let drainAtFirst = knownDrain;
    for (;;) {
      const [worker, { unnamed, ...stop }] = await Promise.all([groups.workers.add(workerId), groups.directives.add(running)]);
      if (worker === null || !worker.live || worker.session_id !== sessionId) throw await sessionProblem(heartbeats, workerId, sessionId);
      const drain = worker.draining_at !== null;
      // That it drains is news only when it changes: the worker hears of it with every heartbeat.
      drainAtFirst ??= drain;
      // What it did not name is no news either: mostly it was claimed a moment ago.
      const isNews = stop.cancel.length > 0 || stop.lost.length > 0 || drain !== drainAtFirst;
      const directives = { ...stop, ...(unnamed.length > 0 && { unnamed }), drain };
      const answer = (): Schemas['WorkerSession'] => sessionAnswer(config, worker, sessionId, directives);
      if (isNews || watch === null || watch.dismissed) return answer();
      const woken = await watch.wait(deadline - performance.now(), caller);
      if (caller.gone) return null;
      // What nobody told of, the next heartbeat finds: it comes at once.
      if (!woken) return answer();
    }
  }

  return router;
}

/** The answer to a heartbeat, and to a registration. */
export function sessionAnswer(
  config: ApiConfig, worker: WorkerRow, sessionId: string, directives: Schemas['Directives'],
): Schemas['WorkerSession'] {
  return {
    ...toWorker(worker),
    session: sessionId,
    lease_seconds: config.leaseSeconds,
    heartbeat_interval_seconds: config.heartbeatIntervalSeconds,
    claim_wait_seconds: claimWait(config),
    idle_claims: true,
    directives,
  };
}

function namedAttempts(body: Schemas['Heartbeat']): NamedAttempt[] {
  const named = (body.attempts ?? []).map(({ task_id, attempt }): NamedAttempt => ({ taskId: task_id, attempt }));
  const current = body.current_task_id ?? null;
  if (current !== null && !named.some(({ taskId }) => taskId === current)) named.push({ taskId: current, attempt: null });
  return named;
}
