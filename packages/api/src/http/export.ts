/**
 * The export: one JSON line after another, in the order of the filter's walk (queue/export), with constant memory and a bound on a
 * reader that does not read. The lines of a task's attempts and log come before the line of the task; whoever has that line has all
 * of it, and its cursor goes on after it.
 */
import type { components } from '@task-executor/shared';
import { Router, type Response } from 'express';
import { readAttempts, toAttempt } from '../queue/attempts.js';
import { placeAt, placeOf, readForExport, toCursor, walkOf } from '../queue/export.js';
import { readHorizon } from '../queue/horizon.js';
import { readLogs } from '../queue/logs.js';
import type { Piece, PieceSize } from '../queue/piece.js';
import { toTask, type TaskRow } from '../queue/task.js';
import { Caller } from './caller.js';
import { filterOf } from './filters.js';
import { write } from './outflow.js';
import { queryNumber, queryText } from './request.js';
import type { Services } from './services.js';
import { toLine } from './task-reads.js';

const TASKS: PieceSize = { limit: 100, bytes: 4 * 1024 * 1024 };
const LINES: PieceSize = { limit: 500, bytes: 4 * 1024 * 1024 };

/** The size of the next piece. After a piece cut by bytes, ask for fewer rows: every row is measured even if not sent. */
function nextSize({ limit, bytes }: PieceSize, { rows, isCut }: Piece<unknown>): PieceSize {
  return { limit: isCut ? Math.min(limit, 2 * rows.length) : limit, bytes };
}

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
    res.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    // All that is written would be thrown away, as fast as it can be read.
    if (res.locals.head === true) {
      res.end();
      return;
    }
    const horizon = await readHorizon(db);
    const reasonOf = await readiness.reasons();
    const caller = new Caller(res);
    let left = most;
    const next = ({ limit, bytes }: PieceSize): Promise<Piece<TaskRow>> =>
      readForExport(db, filter, { after, horizon, limit: Math.min(left, limit), bytes });
    let piece = await next(TASKS);
    try {
      for (;;) {
        for (const row of piece.rows) {
          if (include.has('attempts')) await writeAttempts(res, row.id, caller);
          if (include.has('logs')) await writeLog(res, row.id, caller);
          after = placeAt(row, walk);
          await send(res, { type: 'task', cursor: toCursor(after), task: toTask(row, reasonOf) }, caller);
          left -= 1;
        }
        if (left === 0 || !piece.hasMore) break;
        piece = await next(nextSize(TASKS, piece));
      }
      res.end();
    } catch (error) {
      if (!caller.gone) log.warn({ event: 'export_broken_off', error: String(error) }, 'an export was broken off');
      // Without the last chunk, so that the reader knows that there is more.
      res.destroy();
    }
  });

  async function writeAttempts(res: Response, taskId: string, caller: Caller): Promise<void> {
    for (let after = 0, size = LINES; ;) {
      const piece = await readAttempts(db, taskId, { after, ...size });
      for (const row of piece.rows) await send(res, { type: 'attempt', task_id: taskId, attempt: toAttempt(row) }, caller);
      if (!piece.hasMore) return;
      after = piece.rows.at(-1)?.attempt ?? after;
      size = nextSize(LINES, piece);
    }
  }

  async function writeLog(res: Response, taskId: string, caller: Caller): Promise<void> {
    for (let after = 0, size = LINES; ;) {
      const piece = await readLogs(db, taskId, { after, level: null, attempt: null, ...size });
      for (const row of piece.rows) await send(res, { type: 'log', line: toLine(row) }, caller);
      if (!piece.hasMore) return;
      after = piece.rows.at(-1)?.line ?? after;
      size = nextSize(LINES, piece);
    }
  }

  return router;
}
