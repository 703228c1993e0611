/** What a worker says of a task it runs: complete, fail, release, logs, progress. Each is fenced by session and attempt. */
import type { AttemptOutcome, components } from '@task-executor/shared';
import { Router } from 'express';
import { complete } from '../queue/complete.js';
import { fail } from '../queue/fail.js';
import { keepLate, wasReported, type Reporter } from '../queue/fence.js';
import { findTask } from '../queue/find.js';
import { appendLogs } from '../queue/logs.js';
import { reportProgress } from '../queue/progress.js';
import { release } from '../queue/release.js';
import { toTask, type Task } from '../queue/task.js';
import type { Lane } from '../wakeups.js';
import { Problem } from './problem.js';
import { refusal, reporterOf } from './reporter.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

export function reportRoutes({ config, databases, readiness, aftermath, metrics }: Services): Router {
  const router = Router();
  const db = databases.lease;

  /** The task as it now is, for an answer. */
  async function current(taskId: string): Promise<Task> {
    const row = await findTask(db, taskId);
    if (row === null) throw new Problem('task_not_found');
    return toTask(row, await readiness.reasons());
  }

  /**
   * Answers a report that changed nothing: again with the task where it had been accepted before; else with why not, and what
   * comes too late is kept.
   */
  async function repeatedOrRefused(reporter: Reporter, outcome: AttemptOutcome, late?: Parameters<typeof keepLate>[2]): Promise<Task> {
    if (await wasReported(db, reporter, outcome)) return current(reporter.taskId);
    if (late !== undefined && reporter.sessionId !== null && reporter.attempt !== null) await keepLate(db, reporter, late);
    throw await refusal(db, reporter);
  }

  router.post('/api/v1/workers/:worker_id/tasks/:task_id/complete', async (req, res) => {
    const reporter = reporterOf(req, config.leaseSeconds);
    const result = req.body as Schemas['JsonObject'];
    const completed = await complete(db, reporter, result);
    if (completed === null) {
      res.json(await repeatedOrRefused(reporter, 'completed', { outcome: 'completed', result }));
      return;
    }
    metrics.attempts.inc({ outcome: 'completed' });
    aftermath.changed([reporter.taskId]);
    await aftermath.ended([{ status: 'completed', hasDependents: completed.hasDependents }]);
    await aftermath.freed();
    res.json(await current(reporter.taskId));
  });

  router.post('/api/v1/workers/:worker_id/tasks/:task_id/fail', async (req, res) => {
    const reporter = reporterOf(req, config.leaseSeconds);
    const body = req.body as Schemas['Failure'];
    const failed = await fail(db, reporter, {
      error: body.error, retryable: body.retryable ?? true, retryAfterSeconds: body.retry_after_seconds ?? null,
    });
    if (failed === null) {
      res.json(await repeatedOrRefused(reporter, 'failed', { outcome: 'failed', error: body.error }));
      return;
    }
    metrics.attempts.inc({ outcome: 'failed' });
    aftermath.changed([reporter.taskId]);
    const task = await current(reporter.taskId);
    if (failed.fate === 'requeued') aftermath.pending(laneOf(task));
    if (failed.fate === 'ended') await aftermath.ended([{ status: 'failed', hasDependents: failed.hasDependents }]);
    await aftermath.freed();
    res.json(task);
  });

  router.post('/api/v1/workers/:worker_id/tasks/:task_id/release', async (req, res) => {
    const reporter = reporterOf(req, config.leaseSeconds);
    const body = req.body as Schemas['Release'] | undefined;
    if (!(await release(db, reporter, body?.reason ?? null))) {
      res.json(await repeatedOrRefused(reporter, 'released'));
      return;
    }
    metrics.attempts.inc({ outcome: 'released' });
    aftermath.changed([reporter.taskId]);
    const task = await current(reporter.taskId);
    aftermath.pending(laneOf(task));
    await aftermath.freed();
    res.json(task);
  });

  router.post('/api/v1/workers/:worker_id/tasks/:task_id/logs', async (req, res) => {
    const reporter = reporterOf(req, config.leaseSeconds);
    const body = req.body as Schemas['LogBatch'];
    const entries = body.entries.map((entry) => ({
      level: entry.level ?? 'info',
      message: entry.message,
      context: entry.context ?? null,
      timestamp: entry.timestamp ?? null,
    }));
    const result = await appendLogs(db, reporter, entries, body.offset ?? null);
    if (result.kind === 'not_held') throw await refusal(db, reporter);
    if (result.kind === 'gap') {
      throw new Problem('log_gap', `The attempt has ${result.expectedOffset} lines.`, { expected_offset: result.expectedOffset });
    }
    if (result.kind === 'full') {
      throw new Problem('validation_failed', 'The attempt has logged as many lines as it may.', { expected_offset: result.expectedOffset });
    }
    metrics.logLines.inc(result.accepted);
    if (result.accepted > 0) aftermath.changed([reporter.taskId]);
    res.json({ accepted: result.accepted, next_offset: result.nextOffset });
  });

  router.post('/api/v1/workers/:worker_id/tasks/:task_id/progress', async (req, res) => {
    const reporter = reporterOf(req, config.leaseSeconds);
    if (!(await reportProgress(db, reporter, req.body as Schemas['Progress']))) throw await refusal(db, reporter);
    aftermath.changed([reporter.taskId]);
    res.status(204).end();
  });

  return router;
}

function laneOf(task: Task): Lane {
  return { problem_id: task.problem_id, backend_type: task.backend_type ?? '' };
}
