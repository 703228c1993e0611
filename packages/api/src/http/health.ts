/** What tells of the service itself: health, readiness, metrics, the contract, and the root. */
import { Router } from 'express';
import { ping } from '../db/database.js';
import { countFleet } from '../fleet/find.js';
import { pendingOf, readTotals } from '../queue/stats.js';
import { VERSION } from '../version.js';
import { CONTRACT_JSON, CONTRACT_YAML } from './contract.js';
import type { Services } from './services.js';

/** How long a health check waits for the database, in milliseconds. */
const HEALTH_TIMEOUT_MS = 2_000;

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the database did not answer in time'));
    }, ms);
  });
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

export function healthRoutes({ databases, metrics, internalWorkers, log }: Services): Router {
  const router = Router();
  const db = databases.general;

  router.get('/', (_req, res) => {
    res.json({ name: 'task-executor', version: VERSION, docs: '/docs', health: '/health' });
  });

  router.get('/health', async (_req, res) => {
    const began = performance.now();
    const known = { version: VERSION, timestamp: new Date().toISOString() };
    try {
      await within(ping(db), HEALTH_TIMEOUT_MS);
      const latency = Math.round((performance.now() - began) * 100) / 100;
      const [workers, totals] = await within(Promise.all([countFleet(db), readTotals(db)]), HEALTH_TIMEOUT_MS);
      const live = workers.idle + workers.busy;
      res.json({
        status: live > 0 ? 'healthy' : 'degraded',
        ...known,
        database: { connected: true, latency_ms: latency },
        workers: { total: workers.total, idle: workers.idle, busy: workers.busy, offline: workers.offline },
        queue: {
          pending: pendingOf(totals),
          running: totals.running,
          completed: totals.completed,
          failed: totals.failed,
          timeout: totals.timeout,
          cancelled: totals.cancelled,
        },
      });
    } catch (error) {
      log.warn({ event: 'health_failed', error: String(error) }, 'the health of the service cannot be read');
      res.status(503).json({
        status: 'unhealthy', ...known, database: { connected: false, latency_ms: null }, workers: null, queue: null,
      });
    }
  });

  router.get('/ready', async (_req, res) => {
    const database = await within(ping(db), HEALTH_TIMEOUT_MS).then(() => true, () => false);
    const workers = internalWorkers.ready();
    const ready = database && workers;
    res.status(ready ? 200 : 503).json({ ready, database, workers });
  });

  router.get('/metrics', async (_req, res) => {
    res.setHeader('Content-Type', metrics.registry.contentType);
    res.end(await metrics.registry.metrics());
  });

  router.get('/openapi.yaml', (_req, res) => {
    res.setHeader('Content-Type', 'application/yaml; charset=utf-8');
    res.end(CONTRACT_YAML);
  });

  router.get('/openapi.json', (_req, res) => {
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.end(CONTRACT_JSON);
  });

  return router;
}
