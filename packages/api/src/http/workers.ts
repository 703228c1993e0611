/** The fleet over HTTP: register, heartbeat, deregister, and reading workers. */
import { LIMITS, WORKER_ID, type WorkerStatus, type components } from '@task-executor/shared';
import { Router, type Request } from 'express';
import { changeCapabilities } from '../fleet/capabilities.js';
import { countWorkers, findWorker, listWorkers } from '../fleet/find.js';
import { changeFitness } from '../fleet/fitness.js';
import type { NamedAttempt, Running } from '../fleet/heartbeat.js';
import { deregister } from '../fleet/lapse.js';
import { register } from '../fleet/register.js';
import { setDraining } from '../fleet/drain.js';
import { statusOf, toWorker, type WorkerRow } from '../fleet/worker.js';
import { CursorError, decodeCursor, encodeCursor } from '../queue/cursor.js';
import { endedOf, rates, readTotals } from '../queue/stats.js';
import { Waiter } from '../waiting/waiter.js';
import { claimWait, idleBeatWait } from '../waiting/waits.js';
import { Caller } from './caller.js';
import { hanging } from './hanging.js';
import { Problem, validationProblem } from './problem.js';
import { sessionOf } from './reporter.js';
import { pathText, queryNumber, queryText } from './request.js';
import type { Services } from './services.js';
import { sessionProblem } from './session-problem.js';

type Schemas = components['schemas'];

export function workerRoutes({ config, databases, groups, readiness, sessions, watches, wakeups, aftermath, sweeper, log }: Services): Router {
  const router = Router();
  const { lease, heartbeats, reads } = databases;

  async function existing(workerId: string): Promise<WorkerRow> {
    const worker = await findWorker(lease, workerId);
    if (worker === null) throw new Problem('worker_not_found');
    return worker;
  }

  function sessionAnswer(worker: WorkerRow, sessionId: string, directives: Schemas['Directives']): Schemas['WorkerSession'] {
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

  router.post('/api/v1/workers/register', async (req, res) => {
    const body = req.body as Schemas['WorkerRegistration'];
    const metadata = body.metadata ?? {};
    if (Buffer.byteLength(JSON.stringify(metadata)) > LIMITS.maxMetadataBytes) {
      throw validationProblem('/body/metadata', `must be at most ${LIMITS.maxMetadataBytes} bytes`);
    }
    const registered = await register(lease, {
      workerId: body.worker_id ?? null,
      backendType: body.backend_type,
      maxParallelTasks: body.capabilities?.max_parallel_tasks ?? 1,
      supportedProblems: body.capabilities?.supported_problems ?? [],
      metadata,
      leaseSeconds: config.leaseSeconds,
    });
    if (registered === null) throw new Problem('too_many_requests', 'No free worker id could be found.');
    readiness.forget();
    await sweeper.takeBack(registered.workerId);
    aftermath.tell([registered.workerId]);
    log.info({ event: 'worker_registered', worker_id: registered.workerId }, 'a worker registered');
    const answer = sessionAnswer(await existing(registered.workerId), registered.sessionId, { cancel: [], lost: [], drain: false });
    res.status(201).location(`/api/v1/workers/${registered.workerId}`).json(answer);
  });

  router.post('/api/v1/workers/:worker_id/heartbeat', hanging(log, async (req, res) => {
    const workerId = pathText(req, 'worker_id');
    const given = sessionOf(req);
    const body = req.body as Schemas['Heartbeat'];
    const renewed = await groups.beats.add({ workerId, sessionId: given, requestId: null });
    if (renewed === null) throw await sessionProblem(heartbeats, workerId, given);
    const { sessionId } = renewed;
    if (body.capabilities !== undefined) await change(workerId, sessionId, body.capabilities);
    if (body.unfit !== undefined) await noteFitness(workerId, sessionId, body.unfit);
    // Never longer than the interval: a cancel that nobody told this replica of is found by the next heartbeat. One that runs nothing
    // has only its lease to renew.
    const named = namedAttempts(body);
    const runsNothing = body.attempts !== undefined && named.length === 0;
    const mostSeconds = runsNothing ? idleBeatWait(config) : config.heartbeatIntervalSeconds;
    const waitMs = Math.min(body.wait_seconds ?? 0, mostSeconds) * 1000;
    const watch = waitMs > 0 ? watches.enter(workerId, new Waiter()) : null;
    try {
      const answer = await heartbeatAnswer(workerId, { workerId, sessionId, named, isAll: body.attempts !== undefined }, {
        watch, waitMs, caller: new Caller(res), knownDrain: body.draining ?? null,
      });
      if (answer !== null) res.json(answer);
    } finally {
      if (watch !== null) watches.leave(workerId, watch);
    }
  }));

  /** Notes what a worker says that it can do now. @throws Problem where its session does not live */
  async function change(workerId: string, sessionId: string, { max_parallel_tasks, supported_problems }: Schemas['Capabilities']): Promise<void> {
    const capabilities = { maxParallelTasks: max_parallel_tasks ?? 1, supportedProblems: supported_problems ?? [] };
    if (!(await changeCapabilities(heartbeats, workerId, sessionId, capabilities))) throw await sessionProblem(heartbeats, workerId, sessionId);
    sessions.forget(workerId, sessionId);
    readiness.forget();
    wakeups.freed([workerId]);
    wakeups.lookSoon();
    log.info({ event: 'capabilities_changed', worker_id: workerId }, 'a worker takes other problems than before');
  }

  /** Notes why a worker says that it claims nothing. @throws Problem where its session does not live */
  async function noteFitness(workerId: string, sessionId: string, unfit: string | null): Promise<void> {
    // One that says the same with every heartbeat must not cost a write each time: this read is shared with other heartbeats.
    const known = await groups.workers.add(workerId);
    if ((known?.metadata.unfit ?? null) === unfit) return;
    if (!(await changeFitness(heartbeats, workerId, sessionId, unfit))) throw await sessionProblem(heartbeats, workerId, sessionId);
    readiness.forget();
    log.info({ event: 'fitness_changed', worker_id: workerId, fit: unfit === null }, 'a worker says whether it is fit to run tasks');
  }

  /** The answer to a heartbeat: at once where there is a directive, else when one comes or the wait is over; null: the caller has gone. */
  async function heartbeatAnswer(
    workerId: string,
    running: Running,
    { watch, waitMs, caller, knownDrain }: { watch: Waiter | null; waitMs: number; caller: Caller; knownDrain: boolean | null },
  ): Promise<Schemas['WorkerSession'] | null> {
    const { sessionId } = running;
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
      const answer = (): Schemas['WorkerSession'] => sessionAnswer(worker, sessionId, { ...stop, ...(unnamed.length > 0 && { unnamed }), drain });
      if (isNews || watch === null || watch.dismissed) return answer();
      const woken = await watch.wait(deadline - performance.now(), caller);
      if (caller.gone) return null;
      // What nobody told of, the next heartbeat finds: it comes at once.
      if (!woken) return answer();
    }
  }

  for (const [verb, draining] of [['drain', true], ['resume', false]] as const) {
    router.post(`/api/v1/workers/:worker_id/${verb}`, async (req, res) => {
      const workerId = pathText(req, 'worker_id');
      const sessionId = draining ? sessionOf(req) : null;
      if (!(await setDraining(lease, workerId, sessionId, draining))) {
        const { session_id: current } = await existing(workerId);
        if (sessionId !== null && sessionId !== current) throw new Problem('session_superseded');
        throw new Problem('session_ended', `${workerId} is offline: it is given nothing, and its next registration would end the drain.`);
      }
      readiness.forget();
      aftermath.tell([workerId]);
      if (!draining) wakeups.lookSoon();
      res.json(toWorker(await existing(workerId)));
    });
  }

  router.delete('/api/v1/workers/:worker_id', async (req: Request, res) => {
    const workerId = pathText(req, 'worker_id');
    const sessionId = sessionOf(req);
    if (await deregister(lease, workerId, sessionId)) {
      await sweeper.takeBack(workerId);
      readiness.forget();
      aftermath.tell([workerId]);
      log.info({ event: 'worker_deregistered', worker_id: workerId }, 'a worker left');
    } else {
      const worker = await findWorker(lease, workerId);
      if (worker === null) throw new Problem('worker_not_found');
      if (sessionId !== null && worker.session_id !== sessionId) throw new Problem('session_superseded');
    }
    res.status(204).end();
  });

  router.get('/api/v1/workers', async (req, res) => {
    const filter = { status: queryText(req, 'status') as WorkerStatus | null, backendType: queryText(req, 'backend_type') };
    const limit = queryNumber(req, 'limit', LIMITS.maxWorkersPage);
    const cursor = queryText(req, 'cursor');
    const after = cursor === null ? '' : decodeCursor(cursor, 1)[0];
    if (typeof after !== 'string' || (cursor !== null && !WORKER_ID.test(after))) throw new CursorError('the cursor is not one of this list; begin without it');
    const [rows, total] = await Promise.all([
      listWorkers(reads, filter, { after, limit: limit + 1 }), countWorkers(reads, filter),
    ]);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    res.json({
      workers: shown.map(toWorker),
      total,
      next_cursor: rows.length > limit && last !== undefined ? encodeCursor([last.id]) : null,
    });
  });

  router.get('/api/v1/workers/:worker_id', async (req, res) => {
    const worker = await findWorker(reads, pathText(req, 'worker_id'));
    if (worker === null) throw new Problem('worker_not_found');
    res.json(toWorker(worker));
  });

  router.get('/api/v1/workers/:worker_id/stats', async (req, res) => {
    const workerId = pathText(req, 'worker_id');
    const worker = await findWorker(reads, workerId);
    if (worker === null) throw new Problem('worker_not_found');
    const totals = await readTotals(reads, { workerId });
    res.json({
      worker_id: workerId,
      status: statusOf(worker),
      running_tasks: worker.live ? worker.running_tasks : 0,
      tasks_completed: totals.completed,
      tasks_failed: totals.failed,
      tasks_timeout: totals.timeout,
      tasks_cancelled: totals.cancelled,
      total_tasks: endedOf(totals),
      ...rates(totals),
    });
  });

  return router;
}

function namedAttempts(body: Schemas['Heartbeat']): NamedAttempt[] {
  const named = (body.attempts ?? []).map(({ task_id, attempt }): NamedAttempt => ({ taskId: task_id, attempt }));
  const current = body.current_task_id ?? null;
  if (current !== null && !named.some(({ taskId }) => taskId === current)) named.push({ taskId: current, attempt: null });
  return named;
}
