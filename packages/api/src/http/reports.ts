/**
 * What a worker says of tasks it runs: complete, fail, release, one by one or many at once, logs and progress. Each is fenced by
 * session and attempt.
 */
import type { components } from '@task-executor/shared';
import { Router } from 'express';
import { keepLate, wasReported, type Reporter } from '../queue/fence.js';
import { appendLogs } from '../queue/logs.js';
import { reportProgress } from '../queue/progress.js';
import type { Report } from '../queue/report.js';
import { toTask, type Task, type TaskRow } from '../queue/task.js';
import { checkItem } from './items.js';
import { Problem } from './problem.js';
import { refusal, reporterOf, sessionOf } from './reporter.js';
import { pathText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

/** The report of each verb's body. */
const REPORTS: Record<string, (body: unknown) => Report> = {
  complete: (body) => ({ outcome: 'completed', result: body as Schemas['JsonObject'] }),
  fail: (body) => failureOf(body as Schemas['Failure']),
  release: (body) => ({ outcome: 'released', reason: (body as Schemas['Release'] | undefined)?.reason ?? null }),
};

function failureOf({ error, retryable, retry_after_seconds }: Schemas['Failure']): Report {
  return { outcome: 'failed', error, retryable: retryable ?? true, retryAfterSeconds: retry_after_seconds ?? null };
}

/** The report of one item of a batch. */
function reportIn(one: Schemas['ReportBatch']['reports'][number]): Report {
  if (one.outcome === 'completed') return { outcome: 'completed', result: one.result };
  if (one.outcome === 'released') return { outcome: 'released', reason: one.reason ?? null };
  return failureOf(one);
}

export function reportRoutes({ config, databases, groups, readiness, aftermath, metrics }: Services): Router {
  const router = Router();
  const db = databases.reports;

  /** The task as it now is, for an answer. */
  async function current(taskId: string): Promise<Task> {
    const row = await groups.reads.add(taskId);
    if (row === null) throw new Problem('task_not_found');
    return toTask(row, await readiness.reasons());
  }

  /**
   * Takes a report. One that had been taken before is taken again, and changes nothing; one that comes too late is kept beside
   * its attempt. Resolves with the task where it ended by it and is to be shown. @throws Problem where the reporter does not hold the task
   */
  async function take(reporter: Reporter, report: Report, isShown: boolean): Promise<TaskRow | null> {
    const reported = await groups.reports.add({ reporter, report, isShown });
    if (reported === null) {
      if (await wasReported(db, reporter, report.outcome)) return null;
      if (report.outcome !== 'released') await keepLate(db, reporter, report);
      throw await refusal(db, reporter);
    }
    metrics.attempts.inc({ outcome: report.outcome });
    aftermath.changed([reporter.taskId]);
    if (reported.fate === 'requeued') aftermath.pending({ problem_id: reported.problemId, backend_type: reported.backendType });
    // Before the dependents, which may take their time.
    await aftermath.freed(reporter.workerId);
    if (reported.fate === 'ended' && report.outcome !== 'released') {
      await aftermath.ended([{ status: report.outcome, hasDependents: reported.hasDependents }]);
    }
    return reported.task;
  }

  for (const [verb, reportOf] of Object.entries(REPORTS)) {
    router.post(`/api/v1/workers/:worker_id/tasks/:task_id/${verb}`, async (req, res) => {
      const reporter = reporterOf(req, config.leaseSeconds);
      const ended = await take(reporter, reportOf(req.body), true);
      res.json(ended === null ? await current(reporter.taskId) : toTask(ended, () => 'ready'));
    });
  }

  router.post('/api/v1/workers/:worker_id/report', async (req, res) => {
    const { reports } = req.body as Schemas['ReportBatch'];
    const workerId = pathText(req, 'worker_id');
    const sessionId = sessionOf(req);
    const answers = await Promise.all(reports.map(async (one, n): Promise<Schemas['ReportReceipt']> => {
      const { task_id: taskId, attempt } = one;
      const reporter = { workerId, sessionId, taskId, attempt, leaseSeconds: config.leaseSeconds };
      try {
        if (one.outcome === 'completed') checkItem(req, `/body/reports/${n}/result`, one.result);
        await take(reporter, reportIn(one), false);
        return { task_id: taskId, attempt, accepted: true };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return { task_id: taskId, attempt, accepted: false, problem: error.code, ...error.extras };
      }
    }));
    res.json({ reports: answers });
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
    const result = await appendLogs(databases.logs, reporter, entries, body.offset ?? null);
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
    if (!(await reportProgress(databases.logs, reporter, req.body as Schemas['Progress']))) throw await refusal(db, reporter);
    aftermath.changed([reporter.taskId]);
    res.status(204).end();
  });

  return router;
}
