/**
 * The export: one JSON line after another, in the order of the filter's walk (queue/export), with constant memory and a bound on a
 * reader that does not read. The lines of a task's attempts and log come before the line of the task; whoever has that line has all
 * of it, and its cursor goes on after it.
 */
import type { components } from '@task-executor/shared';
import { Router, type Response } from 'express';
import { readAttempts, toAttempt } from '../queue/attempts.js';
import { placeAt, placeOf, readForExport, readHorizon, toCursor, walkOf } from '../queue/export.js';
import { readLogs } from '../queue/logs.js';
import { toTask } from '../queue/task.js';
import { Caller } from './caller.js';
import { filterOf } from './filters.js';
import { toLine } from './history.js';
import { write } from './outflow.js';
import { queryNumber, queryText, type Services } from './services.js';

const TASKS_PER_READ = 100;
const LINES_PER_READ = 500;

type Line = components['schemas']['ExportLine'];

export function exportRoutes({ config, databases, readiness, log }: Services): Router {
  const router = Router();
  const db = databases.reads;

  function send(res: Response, line: Line, caller: Caller): Promise<void> {
    return write(res, `${JSON.stringify(line)}\n`, caller, config.stallMs);
  }

  router.get('/api/v1/tasks/export', async (req, res) => {
    const filter = filterOf(req);
    const include = new Set([(req.query as Record<string, unknown>).include ?? []].flat());
    const most = queryNumber(req, 'limit', Number.MAX_SAFE_INTEGER);
    const walk = walkOf(filter);
    let after = placeOf(queryText(req, 'cursor'), walk);
    const horizon = await readHorizon(db);
    const reasonOf = await readiness.reasons();
    const caller = new Caller(res);
    let left = most;
    let tasks = await readForExport(db, filter, { after, horizon, limit: Math.min(left, TASKS_PER_READ) });
    res.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    try {
      while (tasks.length > 0) {
        for (const row of tasks) {
          if (include.has('attempts')) await writeAttempts(res, row.id, caller);
          if (include.has('logs')) await writeLog(res, row.id, caller);
          after = placeAt(row, walk);
          await send(res, { type: 'task', cursor: toCursor(after), task: toTask(row, reasonOf) }, caller);
          left -= 1;
        }
        if (left === 0) break;
        tasks = await readForExport(db, filter, { after, horizon, limit: Math.min(left, TASKS_PER_READ) });
      }
      res.end();
    } catch (error) {
      if (!caller.gone) log.warn({ event: 'export_broken_off', error: String(error) }, 'an export was broken off');
      // Without the last chunk, so that the reader knows that there is more.
      res.destroy();
    }
  });

  async function writeAttempts(res: Response, taskId: string, caller: Caller): Promise<void> {
    for (let after = 0; ;) {
      const rows = await readAttempts(db, taskId, { after, limit: LINES_PER_READ });
      for (const row of rows) await send(res, { type: 'attempt', task_id: taskId, attempt: toAttempt(row) }, caller);
      if (rows.length < LINES_PER_READ) return;
      after = rows.at(-1)?.attempt ?? after;
    }
  }

  async function writeLog(res: Response, taskId: string, caller: Caller): Promise<void> {
    for (let after = 0; ;) {
      const rows = await readLogs(db, taskId, { after, level: null, attempt: null, limit: LINES_PER_READ });
      for (const row of rows) await send(res, { type: 'log', line: toLine(row) }, caller);
      if (rows.length < LINES_PER_READ) return;
      after = rows.at(-1)?.line ?? after;
    }
  }

  return router;
}
