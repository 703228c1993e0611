/** Bulk operations over HTTP. */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import { createBulk, findBulk, stopBulk, toBulk } from '../queue/bulk.js';
import { answerCreation } from './creation.js';
import { toFilter } from './filters.js';
import { Problem } from './problem.js';
import { pathText, type Services } from './services.js';

export function bulkRoutes({ databases }: Services): Router {
  const router = Router();
  const db = databases.general;

  router.post('/api/v1/bulk-operations', async (req, res) => {
    const body = req.body as components['schemas']['BulkSubmission'];
    const filter = toFilter(body.filter, '/body/filter');
    await answerCreation(db, req, res, false, async (transaction) => {
      const row = await createBulk(transaction, body.action, filter);
      if (row === null) throw new Problem('too_many_requests', 'Too many bulk operations are running.');
      return { status: 202, location: `/api/v1/bulk-operations/${row.id}`, answer: toBulk(row) };
    });
  });

  router.get('/api/v1/bulk-operations/:operation_id', async (req, res) => {
    const row = await findBulk(db, pathText(req, 'operation_id'));
    if (row === null) throw new Problem('bulk_operation_not_found');
    res.json(toBulk(row));
  });

  router.post('/api/v1/bulk-operations/:operation_id/stop', async (req, res) => {
    const id = pathText(req, 'operation_id');
    const stopped = await stopBulk(db, id);
    const row = await findBulk(db, id);
    if (row === null) throw new Problem('bulk_operation_not_found');
    if (!stopped) throw new Problem('bulk_operation_ended', `It is ${row.state}.`);
    res.json(toBulk(row));
  });

  return router;
}
