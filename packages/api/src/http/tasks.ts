/** The submitter's side: submit, read, list, count, cancel, logs. */
import { LIMITS, type LogLevel, type TaskStatus, type components } from '@task-executor/shared';
import { Router } from 'express';
import { cancel } from '../queue/cancel.js';
import { CursorError, decodeCursor, encodeCursor } from '../queue/cursor.js';
import { findTask } from '../queue/find.js';
import { countTasks, listTasks, type ListRequest, type SortKey } from '../queue/list.js';
import { countLogs, readLogs, type LogRow } from '../queue/logs.js';
import { pendingOf, rates, readBreakdown, readTotals } from '../queue/stats.js';
import { submit } from '../queue/submit.js';
import { toTask } from '../queue/task.js';
import { Problem } from './problem.js';
import { pathText, queryNumber, queryText, type Services } from './services.js';

type TaskSubmission = components['schemas']['TaskSubmission'];

export function taskRoutes({ config, databases, capabilities, wakeups, metrics }: Services): Router {
  const router = Router();
  const db = databases.general;

  router.post('/api/v1/tasks', async (req, res) => {
    const body = req.body as TaskSubmission;
    const row = await submit(db, {
      problemId: body.problem_id,
      parameters: body.parameters ?? {},
      priority: body.priority ?? config.defaultPriority,
      backendType: body.backend_type ?? null,
      timeoutSeconds: body.timeout_seconds ?? config.defaultTimeoutSeconds,
      maxAttempts: body.retry?.max_attempts ?? 1,
      maxLost: body.max_lost ?? LIMITS.defaultMaxLost,
    });
    metrics.submissions.inc();
    wakeups.announce({ problem_id: row.problem_id, backend_type: row.backend_type ?? '' });
    res.status(201).location(`/api/v1/tasks/${row.id}`).json(toTask(row, await capabilities.claimable()));
  });

  router.get('/api/v1/tasks', async (req, res) => {
    const sort = queryText(req, 'sort') ?? '-created_at';
    const cursor = queryText(req, 'cursor');
    const rawPage = new URL(req.originalUrl, 'http://localhost').searchParams.has('page');
    if (cursor !== null && rawPage) {
      const message = 'give page or cursor, not both';
      throw new Problem('validation_failed', message, { errors: [{ path: '/query/page', message }] });
    }
    const request: ListRequest = {
      status: queryText(req, 'status') as TaskStatus | null,
      problemId: queryText(req, 'problem_id'),
      workerId: queryText(req, 'worker_id'),
      sort: sort.replace(/^-/, '') as SortKey,
      descending: sort.startsWith('-'),
      page: queryNumber(req, 'page', 1),
      pageSize: queryNumber(req, 'page_size', LIMITS.defaultPageSize),
      cursor,
    };
    const [page, count, claimable] = await Promise.all([
      listTasks(db, request), countTasks(db, request), capabilities.claimable(),
    ]);
    if (page.nextCursor !== null) {
      const next = new URL(req.originalUrl, 'http://localhost');
      next.searchParams.delete('page');
      next.searchParams.set('cursor', page.nextCursor);
      res.setHeader('Link', `<${next.pathname}${next.search}>; rel="next"`);
    }
    res.json({
      tasks: page.rows.map((row) => toTask(row, claimable)),
      total: count.total,
      total_is_lower_bound: count.lowerBound,
      page: page.page,
      page_size: request.pageSize,
      next_cursor: page.nextCursor,
    });
  });

  router.get('/api/v1/tasks/stats', async (_req, res) => {
    const [totals, breakdown] = await Promise.all([readTotals(db), readBreakdown(db)]);
    res.json({
      total_tasks: totals.submitted,
      pending_tasks: pendingOf(totals),
      running_tasks: totals.running,
      completed_tasks: totals.completed,
      failed_tasks: totals.failed,
      timeout_tasks: totals.timeout,
      cancelled_tasks: totals.cancelled,
      ...rates(totals),
      tasks_by_problem: breakdown.byProblem,
      tasks_by_worker: breakdown.byWorker,
    });
  });

  router.get('/api/v1/tasks/:task_id', async (req, res) => {
    const row = await findTask(db, pathText(req, 'task_id'));
    if (row === null) throw new Problem('task_not_found');
    res.json(toTask(row, await capabilities.claimable()));
  });

  router.post('/api/v1/tasks/:task_id/cancel', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const done = await cancel(databases.lease, taskId);
    const row = await findTask(databases.lease, taskId);
    if (row === null) throw new Problem('task_not_found');
    if (!done) {
      throw new Problem('task_terminal', `The task is ${row.status}.`, { task_status: row.status, current_attempt: row.attempt });
    }
    metrics.outcomes.inc({ status: 'cancelled' });
    if (row.worker_id !== null) metrics.attempts.inc({ outcome: 'cancelled' });
    res.json(toTask(row, await capabilities.claimable()));
  });

  router.get('/api/v1/tasks/:task_id/logs', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const level = queryText(req, 'level') as LogLevel | null;
    const limit = queryNumber(req, 'limit', LIMITS.defaultLogPageLines);
    const after = lineOf(queryText(req, 'cursor'));
    const total = await countLogs(db, taskId, level);
    if (total === null) throw new Problem('task_not_found');
    const rows = await readLogs(db, taskId, { after, level, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const lowerBound = level !== null && total > LIMITS.maxCountedTasks;
    res.json({
      logs: shown.map(toLine),
      total: lowerBound ? LIMITS.maxCountedTasks : total,
      total_is_lower_bound: lowerBound,
      next_cursor: encodeCursor([shown.at(-1)?.line ?? after]),
      has_more: rows.length > limit,
    });
  });

  return router;
}

function lineOf(cursor: string | null): number {
  if (cursor === null) return 0;
  const [line] = decodeCursor(cursor, 1);
  if (typeof line !== 'number' || line < 0) throw new CursorError('the cursor is not one of this list; begin without it');
  return line;
}

function toLine(row: LogRow): components['schemas']['LogLine'] {
  return {
    id: row.line,
    task_id: row.task_id,
    attempt: row.attempt,
    timestamp: row.logged_at.toISOString(),
    level: row.level,
    message: row.message,
    context: row.context,
  };
}
