/** Reading tasks: lists, counts, one task (waiting for its end where that is asked for), its attempts and its log. */
import { LIMITS, type LogLevel, type components } from '@task-executor/shared';
import { Router, type Response } from 'express';
import { readAttempts, toAttempt } from '../queue/attempts.js';
import { CursorError, decodeCursor, encodeCursor } from '../queue/cursor.js';
import { findTask } from '../queue/find.js';
import { countTasks, listTasks, type ListRequest, type SortKey } from '../queue/list.js';
import { countLogs, readLogs, type LogRow } from '../queue/logs.js';
import { readStandings } from '../queue/standing.js';
import { pendingOf, rates, readBreakdown, readTotals } from '../queue/stats.js';
import { toTask } from '../queue/task.js';
import { Caller } from './caller.js';
import { filterOf } from './filters.js';
import { Problem, validationProblem } from './problem.js';
import { pathText, queryNumber, queryText } from './request.js';
import type { Services } from './services.js';

/** The largest number of an attempt, an int in the database. The number of a line may be as large as a cursor can hold. */
const MOST_ATTEMPT = 2_147_483_647;

const MAX_LINK_CHARS = 4_000;

export function taskReadRoutes({ databases, readiness, follows }: Services): Router {
  const router = Router();
  const db = databases.reads;

  router.get('/api/v1/tasks', async (req, res) => {
    const sort = queryText(req, 'sort') ?? '-created_at';
    const cursor = queryText(req, 'cursor');
    const rawPage = new URL(req.originalUrl, 'http://localhost').searchParams.has('page');
    if (cursor !== null && rawPage) {
      throw validationProblem('/query/page', 'give page or cursor, not both');
    }
    const request: ListRequest = {
      filter: filterOf(req),
      sort: sort.replace(/^-/, '') as SortKey,
      descending: sort.startsWith('-'),
      page: queryNumber(req, 'page', 1),
      pageSize: queryNumber(req, 'page_size', LIMITS.defaultPageSize),
      cursor,
    };
    const [page, count, reasonOf] = await Promise.all([
      listTasks(db, request), countTasks(db, request), readiness.reasons(),
    ]);
    if (page.nextCursor !== null) {
      const next = new URL(req.originalUrl, 'http://localhost');
      next.searchParams.delete('page');
      next.searchParams.set('cursor', page.nextCursor);
      const link = `<${next.pathname}${next.search}>; rel="next"`;
      // Many clients and proxies take no longer headers; next_cursor says the same.
      if (link.length <= MAX_LINK_CHARS) res.setHeader('Link', link);
    }
    res.json({
      tasks: page.rows.map((row) => toTask(row, reasonOf)),
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
    const taskId = pathText(req, 'task_id');
    const waitMs = queryNumber(req, 'wait_seconds', 0) * 1000;
    if (waitMs > 0) await untilEnd(taskId, waitMs, res);
    const row = await findTask(db, taskId);
    if (row === null) throw new Problem('task_not_found');
    res.json(toTask(row, await readiness.reasons()));
  });

  /** Resolves when the task has ended, the time is over, the caller has gone or the server goes down. */
  async function untilEnd(taskId: string, waitMs: number, res: Response): Promise<void> {
    const deadline = performance.now() + waitMs;
    const [standing] = await readStandings(db, [taskId]);
    if (standing === undefined || standing.ended || follows.stopped) return;
    const follower = follows.enter(standing);
    if (follower === null) throw new Problem('too_many_requests');
    const caller = new Caller(res);
    try {
      while (!follower.standing.ended && !follower.dismissed && !caller.gone && performance.now() < deadline) {
        await follower.wait(deadline - performance.now(), caller);
      }
    } finally {
      follows.leave(follower);
    }
  }

  router.get('/api/v1/tasks/:task_id/logs', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const level = queryText(req, 'level') as LogLevel | null;
    const attempt = queryNumber(req, 'attempt', null);
    const limit = queryNumber(req, 'limit', LIMITS.defaultLogPageLines);
    const after = placeOf(queryText(req, 'cursor'), Number.MAX_SAFE_INTEGER);
    const total = await countLogs(db, taskId, level, attempt);
    if (total === null) throw new Problem('task_not_found');
    const { rows, hasMore } = await readLogs(db, taskId, { after, level, attempt, limit, bytes: LIMITS.maxPageBytes });
    const lowerBound = (level !== null || attempt !== null) && total > LIMITS.maxCountedTasks;
    res.json({
      logs: rows.map(toLine),
      total: lowerBound ? LIMITS.maxCountedTasks : total,
      total_is_lower_bound: lowerBound,
      next_cursor: encodeCursor([rows.at(-1)?.line ?? after]),
      has_more: hasMore,
    });
  });

  router.get('/api/v1/tasks/:task_id/attempts', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const limit = queryNumber(req, 'limit', LIMITS.maxPageSize);
    const after = placeOf(queryText(req, 'cursor'), MOST_ATTEMPT);
    const { rows, hasMore } = await readAttempts(db, taskId, { after, limit, bytes: LIMITS.maxPageBytes });
    if (rows.length === 0 && (await findTask(db, taskId)) === null) throw new Problem('task_not_found');
    res.json({
      attempts: rows.map(toAttempt),
      next_cursor: hasMore ? encodeCursor([rows.at(-1)?.attempt ?? after]) : null,
    });
  });

  return router;
}

function placeOf(cursor: string | null, most: number): number {
  if (cursor === null) return 0;
  const [place] = decodeCursor(cursor, 1);
  if (typeof place !== 'number' || place < 0 || place > most) throw new CursorError();
  return place;
}

/** The contract's log line of a row. */
export function toLine(row: LogRow): components['schemas']['LogLine'] {
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
