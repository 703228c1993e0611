/** What an operator holds the queue with: limits and pauses. */
import { LIMITS, type components } from '@task-executor/shared';
import { Router } from 'express';
import { LABEL_PREFIX } from '../queue/limited-labels.js';
import { changeLimit, createLimit, deleteLimit, listLimits, toLimit } from '../queue/limits.js';
import { listPauses, pause, resume, type PauseRow } from '../queue/pauses.js';
import { parseContract } from './contract.js';
import { answerCreation } from './creation.js';
import { Problem, validationProblem } from './problem.js';
import { pathText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

/** A schema of names, as far as a value is checked by it. */
interface Named {
  readonly pattern: string;
  readonly maxLength: number;
}

/** The contract's schema for the values of each key of a limit, but for labels. */
const { schemas } = (parseContract() as { components: { schemas: { ProblemId: Named; BackendType: Named } } }).components;
const NAMED: Readonly<Record<string, Named>> = { problem_id: schemas.ProblemId, backend_type: schemas.BackendType };

/** Refuses the value of a limit that nothing can ever have. @throws Problem */
function checkValue(key: string, value: string): void {
  const named = NAMED[key];
  const fits = named === undefined
    ? Buffer.byteLength(`${key.slice(LABEL_PREFIX.length)}=${value}`) <= LIMITS.maxLabelBytes
    : value.length <= named.maxLength && new RegExp(named.pattern, 'u').test(value);
  if (fits) return;
  throw validationProblem('/body/value', named === undefined
    ? `no task has such a label: it must be at most ${LIMITS.maxLabelBytes} bytes with its key`
    : `nothing has this as its ${key}: it must be one whole ${key}, for globs are not taken here; leave value out to limit each ${key} for itself`);
}

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
    if (body.value != null) checkValue(body.key, body.value);
    await answerCreation(db, req, res, async (transaction) => {
      const id = await createLimit(transaction, { key: body.key, value: body.value ?? null, maxRunning: body.max_running });
      if (id === null) throw new Problem('limit_exists');
      const [row] = await listLimits(transaction, id);
      if (row === undefined) throw new Problem('limit_not_found');
      return { status: 201, location: `/api/v1/limits/${id}`, answer: toLimit(row), after: () => { readiness.forget(); } };
    });
  });

  router.get('/api/v1/limits/:limit_id', async (req, res) => {
    const [row] = await listLimits(db, pathText(req, 'limit_id'));
    if (row === undefined) throw new Problem('limit_not_found');
    res.json(toLimit(row));
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
