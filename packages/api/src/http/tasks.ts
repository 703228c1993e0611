/** Changing tasks: submit one or many, adjust, cancel, retry. */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import type { Database } from '../db/database.js';
import { adjust } from '../queue/adjust.js';
import { cancel } from '../queue/cancel.js';
import { findTask } from '../queue/find.js';
import { KeyReused } from '../queue/idempotency.js';
import { planRetries } from '../queue/retry-plan.js';
import { readRetried, retryOf } from '../queue/retry.js';
import { asksForReuse } from '../queue/reuse.js';
import type { Edge, Submission } from '../queue/submission.js';
import { keyedItems, submitBatch } from '../queue/submit-batch.js';
import { isPlain } from '../queue/submit-plain.js';
import { submit } from '../queue/submit.js';
import { toTask, type ReadyReason } from '../queue/task.js';
import { checkDependencies, edgesOf, toSubmission } from '../queue/to-submission.js';
import { answerCreation, type Creation } from './creation.js';
import { checkItem } from './items.js';
import { Problem } from './problem.js';
import { pathText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

/** How many tasks a problem's detail names. */
const MOST_NAMED = 10;

export function taskRoutes({ config, databases, groups, readiness, metrics, aftermath }: Services): Router {
  const router = Router();
  const db = databases.general;

  /**
   * Submits one task, in `transaction` or, where that is null, together with others; an earlier one of the same dedupe_key is
   * answered with 200. Nothing here may ask for another connection: those who wait for this transaction may hold all the others.
   */
  async function createOne(
    transaction: Database | null, reasonOf: ReadyReason, task: Submission, edges: readonly Edge[],
  ): Promise<Creation> {
    const submitted = transaction === null
      ? await groups.submissions.add(task)
      : await submit(transaction, config.priorityAgeingMs, [task], edges);
    const created = submitted.created[0] === true;
    const [given] = submitted.rows;
    const row = created ? given : await findTask(transaction ?? db, given?.id ?? '');
    if (row == null) throw new Error('a submission gave no row');
    const warnings = created && row.status === 'pending' ? warningsOf(reasonOf(row)) : [];
    return {
      status: created ? 201 : 200,
      location: `/api/v1/tasks/${row.id}`,
      answer: { ...toTask(row, reasonOf), ...(warnings.length > 0 ? { warnings } : {}) },
      after: () => aftermath.submitted(submitted),
    };
  }

  router.post('/api/v1/tasks', async (req, res) => {
    const body = req.body as Schemas['TaskSubmission'];
    const task = toSubmission(config, '/body', body);
    const edges = edgesOf(0, body.depends_on);
    const together = edges.length === 0 && isPlain(task) && req.get('Idempotency-Key') === undefined;
    const reasonOf = await readiness.reasons();
    await answerCreation(db, req, res, (transaction) => createOne(together ? null : transaction, reasonOf, task, edges), {
      inTransaction: asksForReuse([task]),
    });
  });

  router.post('/api/v1/tasks/batch', async (req, res) => {
    const items = (req.body as Schemas['TaskBatch']).tasks;
    checkDependencies('/body/tasks', items);
    for (const [n, { parameters }] of items.entries()) checkItem(req, `/body/tasks/${n}/parameters`, parameters);
    const tasks = items.map((item, n) => toSubmission(config, `/body/tasks/${n}`, item));
    const keyed = keyedItems('/body/tasks', items);
    const batch = tasks.map((task, n) => ({ task, dependsOn: items[n]?.depends_on }));
    await answerCreation(db, req, res, async (transaction) => {
      const { results, submitted } = await submitBatch(transaction, config.priorityAgeingMs, batch, keyed).catch((error: unknown) => {
        if (!(error instanceof KeyReused)) throw error;
        const n = keyed.find(({ key }) => key === error.key)?.n ?? 0;
        throw new Problem('idempotency_key_reused', `tasks[${n}] has a key that came before with another task.`);
      });
      const answer: Schemas['TaskBatchResult'] = { created: results.filter(({ created }) => created).length, tasks: results };
      return { status: 201, location: '/api/v1/tasks', answer, after: () => aftermath.submitted(submitted) };
    }, { inTransaction: keyed.length > 0 || asksForReuse(tasks) });
  });

  router.patch('/api/v1/tasks/:task_id', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const body = req.body as Schemas['TaskAdjustment'];
    const adjusted = await adjust(db, config.priorityAgeingMs, taskId, { priority: body.priority ?? null, runAt: body.run_at ?? null });
    const row = await findTask(db, taskId);
    if (row === null) throw new Problem('task_not_found');
    if (adjusted === null) {
      throw new Problem(row.completed_at === null ? 'task_running' : 'task_terminal', `The task is ${row.status}.`, {
        task_status: row.status, current_attempt: row.attempt,
      });
    }
    aftermath.changed([taskId]);
    if (adjusted.state === 'pending') aftermath.pending(adjusted);
    res.json(toTask(row, await readiness.reasons()));
  });

  router.post('/api/v1/tasks/:task_id/cancel', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const cancelled = await cancel(databases.lease, taskId);
    const row = await findTask(databases.lease, taskId);
    if (row === null) throw new Problem('task_not_found');
    if (cancelled === null) {
      throw new Problem('task_terminal', `The task is ${row.status}.`, { task_status: row.status, current_attempt: row.attempt });
    }
    aftermath.changed([taskId]);
    if (cancelled.worker_id !== null) {
      metrics.attempts.inc({ outcome: 'cancelled' });
      aftermath.tell([cancelled.worker_id]);
      await aftermath.freed();
    }
    await aftermath.ended([{ status: 'cancelled', hasDependents: cancelled.has_dependents }]);
    res.json(toTask(row, await readiness.reasons()));
  });

  router.post('/api/v1/tasks/:task_id/retry', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const reasonOf = await readiness.reasons();
    await answerCreation(db, req, res, async (transaction) => {
      const [row] = await readRetried(transaction, [taskId]);
      if (row === undefined) throw new Problem('task_not_found');
      if (row.completed_at === null) {
        throw new Problem('task_not_terminal', `The task is ${row.status}.`, { task_status: row.status, current_attempt: row.attempt });
      }
      const { needs, refused } = await planRetries(transaction, [row]);
      const missing = refused.get(row.id);
      if (missing !== undefined) throw new Problem('dependency_failed', firstToRetry(missing));
      const edges = (needs.get(row.id) ?? []).map(({ id: parent, name }) => ({ child: 0, parent, name }));
      return createOne(transaction, reasonOf, retryOf(row), edges);
    });
  });

  return router;
}

/** What has to be retried before a task that depends on it. */
function firstToRetry(missing: readonly { id: string; status: string | null }[]): string {
  const named = missing.slice(0, MOST_NAMED).map(({ id, status }) => `${id} (${status ?? 'pending'})`);
  const others = missing.length - named.length;
  return `Retry first what it depends on: ${named.join(', ')}${others > 0 ? ` and ${others} others` : ''}.`;
}

/** What a submitter should know at once of a task that is ready and yet will not run. */
function warningsOf(reason: string): string[] {
  if (reason === 'unclaimable') return ['no live worker takes this problem with this backend; the task waits until one does'];
  if (reason === 'paused') return ['the problem or the queue is paused; the task waits until it is resumed'];
  return [];
}
