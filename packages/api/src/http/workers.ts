/** The fleet over HTTP: register, heartbeat, deregister, and reading workers. */
import { LIMITS, type WorkerStatus, type components } from '@task-executor/shared';
import { Router, type Request } from 'express';
import { countWorkers, findWorker, listWorkers } from '../fleet/find.js';
import { directivesFor, renewLease, type NamedAttempt } from '../fleet/heartbeat.js';
import { deregister } from '../fleet/lapse.js';
import { register } from '../fleet/register.js';
import { statusOf, toWorker } from '../fleet/worker.js';
import { CursorError, decodeCursor, encodeCursor } from '../queue/cursor.js';
import { endedOf, rates, readTotals } from '../queue/stats.js';
import { Problem } from './problem.js';
import { sessionOf } from './reports.js';
import { pathText, queryNumber, queryText, type Services } from './services.js';
import { sessionProblem } from './session-problem.js';

type Schemas = components['schemas'];

export function workerRoutes({ config, databases, capabilities, sweeper, log }: Services): Router {
  const router = Router();
  const { lease, general } = databases;

  async function sessionAnswer(workerId: string, sessionId: string, directives: Schemas['Directives']): Promise<Schemas['WorkerSession']> {
    const worker = await findWorker(lease, workerId);
    if (worker === null) throw new Problem('worker_not_found');
    return {
      ...toWorker(worker),
      session: sessionId,
      lease_seconds: config.leaseSeconds,
      heartbeat_interval_seconds: config.heartbeatIntervalSeconds,
      directives,
    };
  }

  router.post('/api/v1/workers/register', async (req, res) => {
    const body = req.body as Schemas['WorkerRegistration'];
    const metadata = body.metadata ?? {};
    if (Buffer.byteLength(JSON.stringify(metadata)) > LIMITS.maxMetadataBytes) {
      const message = `must be at most ${LIMITS.maxMetadataBytes} bytes`;
      throw new Problem('validation_failed', `/body/metadata: ${message}`, { errors: [{ path: '/body/metadata', message }] });
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
    capabilities.forget();
    await sweeper.takeBack(registered.workerId);
    log.info({ event: 'worker_registered', worker_id: registered.workerId }, 'a worker registered');
    const answer = await sessionAnswer(registered.workerId, registered.sessionId, { cancel: [], lost: [], drain: false });
    res.status(201).location(`/api/v1/workers/${registered.workerId}`).json(answer);
  });

  router.post('/api/v1/workers/:worker_id/heartbeat', async (req, res) => {
    const workerId = pathText(req, 'worker_id');
    const given = sessionOf(req);
    const sessionId = await renewLease(lease, { workerId, sessionId: given, leaseSeconds: config.leaseSeconds });
    if (sessionId === null) throw await sessionProblem(lease, workerId, given);
    const directives = await directivesFor(lease, sessionId, namedAttempts(req.body as Schemas['Heartbeat']));
    res.json(await sessionAnswer(workerId, sessionId, { ...directives, drain: false }));
  });

  router.delete('/api/v1/workers/:worker_id', async (req: Request, res) => {
    const workerId = pathText(req, 'worker_id');
    const sessionId = sessionOf(req);
    if (await deregister(lease, workerId, sessionId)) {
      await sweeper.takeBack(workerId);
      capabilities.forget();
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
    if (typeof after !== 'string') throw new CursorError('the cursor is not one of this list; begin without it');
    const [rows, total] = await Promise.all([
      listWorkers(general, filter, { after, limit: limit + 1 }), countWorkers(general, filter),
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
    const worker = await findWorker(general, pathText(req, 'worker_id'));
    if (worker === null) throw new Problem('worker_not_found');
    res.json(toWorker(worker));
  });

  router.get('/api/v1/workers/:worker_id/stats', async (req, res) => {
    const workerId = pathText(req, 'worker_id');
    const worker = await findWorker(general, workerId);
    if (worker === null) throw new Problem('worker_not_found');
    const totals = await readTotals(general, { workerId });
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
