/** The fleet over HTTP: register, drain, deregister, and reading workers. Heartbeats are in heartbeats.ts. */
import { LIMITS, WORKER_ID, type WorkerStatus, type components } from '@task-executor/shared';
import { Router, type Request } from 'express';
import { setDraining } from '../fleet/drain.js';
import { countWorkers, findWorker, listWorkers } from '../fleet/find.js';
import { deregister } from '../fleet/lapse.js';
import { register, registerOnce } from '../fleet/register.js';
import { statusOf, toWorker, type WorkerRow } from '../fleet/worker.js';
import { CursorError, decodeCursor, encodeCursor } from '../queue/cursor.js';
import { endedOf, rates, readTotals } from '../queue/stats.js';
import { Caller } from './caller.js';
import { sessionAnswer } from './heartbeats.js';
import { Problem, validationProblem } from './problem.js';
import { sessionOf } from './reporter.js';
import { pathText, queryNumber, queryText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

export function workerRoutes({ config, databases, readiness, wakeups, aftermath, sweeper, log }: Services): Router {
  const router = Router();
  const { lease, reads } = databases;

  async function existing(workerId: string): Promise<WorkerRow> {
    const worker = await findWorker(lease, workerId);
    if (worker === null) throw new Problem('worker_not_found');
    return worker;
  }

  router.post('/api/v1/workers/register', async (req, res) => {
    const body = req.body as Schemas['WorkerRegistration'];
    const metadata = body.metadata ?? {};
    if (Buffer.byteLength(JSON.stringify(metadata)) > LIMITS.maxMetadataBytes) {
      throw validationProblem('/body/metadata', `must be at most ${LIMITS.maxMetadataBytes} bytes`);
    }
    const registration = {
      workerId: body.worker_id ?? null,
      backendType: body.backend_type,
      maxParallelTasks: body.capabilities?.max_parallel_tasks ?? 1,
      supportedProblems: body.capabilities?.supported_problems ?? [],
      metadata,
      leaseSeconds: config.leaseSeconds,
    };
    const session = body.session?.toLowerCase();
    // It would take the id from the session that its client has registered meanwhile, elsewhere.
    if (await new Caller(res).hasLeft()) {
      res.destroy();
      return;
    }
    const registered = session === undefined ? await register(lease, registration) : await registerOnce(lease, registration, session);
    if (registered === null) throw new Problem('too_many_requests', 'No free worker id could be found.');
    if (registered === 'session_over') {
      throw new Problem('session_ended', 'The session of this registration has ended, or is that of another worker; register with a new one.');
    }
    readiness.forget();
    await sweeper.takeBack(registered.workerId);
    aftermath.tell([registered.workerId]);
    log.info({ event: 'worker_registered', worker_id: registered.workerId }, 'a worker registered');
    const worker = await existing(registered.workerId);
    const answer = sessionAnswer(config, worker, registered.sessionId, { cancel: [], lost: [], drain: worker.draining_at !== null });
    res.status(201).location(`/api/v1/workers/${registered.workerId}`).json(answer);
  });

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
    if (typeof after !== 'string' || (cursor !== null && !WORKER_ID.test(after))) throw new CursorError();
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
