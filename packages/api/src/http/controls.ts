/** What an operator holds the queue with: limits and pauses. */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import { changeLimit, createLimit, deleteLimit, listLimits, toLimit } from '../queue/limits.js';
import { listPauses, pause, resume, type PauseRow } from '../queue/pauses.js';
import { answerCreation } from './creation.js';
import { Problem } from './problem.js';
import { pathText, type Services } from './services.js';

type Schemas = components['schemas'];

export function controlRoutes({ databases, readiness, wakeups }: Services): Router {
  const router = Router();
  const db = databases.general;

  /** More may run than before. */
  const eased = (): void => {
    readiness.forget();
    wakeups.lookSoon();
  };

  router.get('/api/v1/limits', async (_req, res) => {
    res.json({ limits: (await listLimits(db)).map(toLimit) });
  });

  router.post('/api/v1/limits', async (req, res) => {
    const body = req.body as Schemas['LimitSubmission'];
    await answerCreation(db, req, res, false, async (transaction) => {
      const id = await createLimit(transaction, { key: body.key, value: body.value ?? null, maxRunning: body.max_running });
      if (id === null) throw new Problem('limit_exists');
      const [row] = await listLimits(transaction, id);
      if (row === undefined) throw new Problem('limit_not_found');
      return { status: 201, location: `/api/v1/limits/${id}`, answer: toLimit(row), after: () => { readiness.forget(); } };
    });
  });

  router.patch('/api/v1/limits/:limit_id', async (req, res) => {
    const id = pathText(req, 'limit_id');
    await changeLimit(db, id, (req.body as Schemas['LimitChange']).max_running);
    const [row] = await listLimits(db, id);
    if (row === undefined) throw new Problem('limit_not_found');
    eased();
    res.json(toLimit(row));
  });

  router.delete('/api/v1/limits/:limit_id', async (req, res) => {
    if (!(await deleteLimit(db, pathText(req, 'limit_id')))) throw new Problem('limit_not_found');
    eased();
    res.status(204).end();
  });

  router.get('/api/v1/queue/pauses', async (_req, res) => {
    res.json({ pauses: (await listPauses(db)).map(toPause) });
  });

  router.post('/api/v1/queue/pause', async (req, res) => {
    const body = (req.body ?? {}) as Schemas['PauseSubmission'];
    const row = await pause(db, body.problem_id ?? '', body.reason ?? null);
    if (row === null) throw new Problem('too_many_requests', 'Too many problems are paused; pause the whole queue instead.');
    readiness.forget();
    res.json(toPause(row));
  });

  router.post('/api/v1/queue/resume', async (req, res) => {
    const body = (req.body ?? {}) as Schemas['Resumption'];
    const resumed = await resume(db, body.problem_id ?? '');
    eased();
    res.json({ resumed });
  });

  return router;
}

/** The contract's pause of a row. */
export function toPause(row: PauseRow): Schemas['Pause'] {
  return { problem_id: row.problem_id === '' ? null : row.problem_id, reason: row.reason, paused_at: row.paused_at.toISOString() };
}
