/** The internal workers over HTTP: status, scale, stop, start. */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import { Problem } from './problem.js';
import { queryNumber } from './request.js';
import type { Services } from './services.js';

export function internalWorkerRoutes({ internalWorkers }: Services): Router {
  const router = Router();

  router.get('/api/v1/workers/internal/status', (_req, res) => {
    res.json(internalWorkers.status());
  });

  router.post('/api/v1/workers/internal/scale', async (req, res) => {
    const inBody = (req.body as components['schemas']['InternalScale'] | undefined)?.num_workers;
    const inQuery = queryNumber(req, 'num_workers', -1);
    const wanted = inBody ?? inQuery;
    if (wanted < 0 || (inBody !== undefined && inQuery >= 0 && inBody !== inQuery)) {
      const message = wanted < 0 ? 'must be given in the body or in the query' : 'differs between body and query';
      throw new Problem('validation_failed', `num_workers ${message}`, { errors: [{ path: '/body/num_workers', message }] });
    }
    const { previous, now } = await internalWorkers.scale(wanted);
    const message = now === wanted
      ? `scaled from ${previous} to ${now} internal workers`
      : `scaling from ${previous} to ${wanted} internal workers: there are ${now} now`;
    res.json({ message, previous_count: previous, new_count: now });
  });

  router.post('/api/v1/workers/internal/stop', async (_req, res) => {
    const stopped = await internalWorkers.stop();
    res.json({ message: `stopped ${stopped} internal workers`, stopped_count: stopped });
  });

  router.post('/api/v1/workers/internal/start', async (_req, res) => {
    const count = await internalWorkers.start();
    res.json({ message: `${count} internal workers are running`, worker_count: count });
  });

  return router;
}
