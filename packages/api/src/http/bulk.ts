/** Bulk operations over HTTP. */
import { LIMITS, supportsProblem, type components } from '@task-executor/shared';
import { Router } from 'express';
import { createBulk, findBulk, listBulk, narrowed, stopBulk, toBulk, type BulkRow } from '../queue/bulk.js';
import { decodeCursor, encodeCursor, idIn } from '../queue/cursor.js';
import { msFrom, type TaskFilter } from '../queue/filter.js';
import { answerCreation } from './creation.js';
import { toFilter } from './filters.js';
import { Problem, validationProblem } from './problem.js';
import { pathText, queryNumber, queryText } from './request.js';
import type { Services } from './services.js';

/** The tasks that each action is about. */
const ABOUT = { cancel: 'pending and running tasks', retry: 'tasks that have ended' } as const;

/** Refuses a filter that no task can ever fit. @throws Problem */
function checkFilter(action: BulkRow['action'], filter: TaskFilter): void {
  const refuse = (name: string, message: string): never => {
    throw validationProblem(`/body/filter/${name}`, message);
  };
  const isEmpty = (from: string | null, before: string | null): boolean =>
    from !== null && before !== null && msFrom(from) >= msFrom(before);
  const { problemId, problemGlob, createdFrom, createdBefore, completedFrom, completedBefore } = filter;
  if (narrowed(action, filter) === null) refuse('status', `no task fits: a ${action} is about ${ABOUT[action]}`);
  if (action === 'cancel' && completedFrom !== null) refuse('completed_from', 'no task fits: what can be cancelled has not ended');
  if (action === 'cancel' && completedBefore !== null) refuse('completed_before', 'no task fits: what can be cancelled has not ended');
  if (isEmpty(createdFrom, createdBefore)) refuse('created_before', 'no task fits: it must be later than created_from');
  if (isEmpty(completedFrom, completedBefore)) refuse('completed_before', 'no task fits: it must be later than completed_from');
  if (isEmpty(createdFrom, completedBefore)) {
    refuse('completed_before', 'no task fits: it must be later than created_from, since no task ends before it is submitted');
  }
  if (problemId !== null && problemGlob !== null && !supportsProblem([problemGlob], problemId)) {
    refuse('problem_glob', 'no task fits: problem_id is another');
  }
}

export function bulkRoutes({ databases }: Services): Router {
  const router = Router();
  const db = databases.general;

  router.post('/api/v1/bulk-operations', async (req, res) => {
    const body = req.body as components['schemas']['BulkSubmission'];
    const filter = toFilter(body.filter, '/body/filter');
    checkFilter(body.action, filter);
    await answerCreation(db, req, res, async (transaction) => {
      const row = await createBulk(transaction, body.action, filter);
      if (row === null) throw new Problem('too_many_requests', 'Too many bulk operations are running.');
      return { status: 202, location: `/api/v1/bulk-operations/${row.id}`, answer: toBulk(row) };
    });
  });

  router.get('/api/v1/bulk-operations', async (req, res) => {
    const limit = queryNumber(req, 'limit', LIMITS.maxListedBulkOperations);
    const cursor = queryText(req, 'cursor');
    const after = cursor === null ? null : idIn(decodeCursor(cursor, 1)[0]);
    const rows = await listBulk(db, { state: queryText(req, 'state'), after, limit });
    const page = rows.slice(0, limit);
    const answer: components['schemas']['BulkOperationList'] = {
      bulk_operations: page.map(toBulk),
      next_cursor: rows.length > limit ? encodeCursor([page.at(-1)?.id ?? null]) : null,
    };
    res.json(answer);
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
