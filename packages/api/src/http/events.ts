/**
 * The events of a task, as Server-Sent Events. A stream holds one piece of the log at the most and reads the next when the
 * socket has taken it; while there is nothing to send it costs no query of its own (see waiting/follows) and no connection to the
 * database. The id of each event is the number of the last line that was sent, so that a reader who comes back misses no line
 * and gets none twice.
 */
import type { LogLevel, components } from '@task-executor/shared';
import { Router, type Response } from 'express';
import { isDatabaseUnavailable } from '../db/errors.js';
import type { Follower } from '../waiting/follows.js';
import { readLogs, type LogRow } from '../queue/logs.js';
import { readStandings, toStatus, type Standing } from '../queue/standing.js';
import type { ReadyReason } from '../queue/task.js';
import { Turns } from '../waiting/turns.js';
import { Caller } from './caller.js';
import { write } from './outflow.js';
import { Problem, validationProblem } from './problem.js';
import { pathText, queryText } from './request.js';
import type { Services } from './services.js';
import { toLine } from './task-reads.js';

/** How long a stream is silent before a comment is sent. */
const KEEP_ALIVE_MS = 15_000;
/** How long to wait before looking again where the database was away. */
const RETRY_MS = 1_000;
/** How soon a reader is to come back after its stream has ended. */
const COME_BACK_MS = 1_000;
/** The piece of a log that a stream reads and holds at a time. */
const PIECE = { limit: 500, bytes: 64 * 1024 };
/** What the id of a stream's last event ends with, after the number of the line. */
const END = '-end';

interface Stream {
  readonly res: Response;
  readonly caller: Caller;
  readonly follower: Follower;
  readonly logs: boolean;
  readonly level: LogLevel | null;
  /** The last line that was sent. */
  line: number;
}

export function eventRoutes({ config, databases, readiness, follows, metrics, log }: Services): Router {
  const router = Router();
  const db = databases.general;
  // A crowd of streams that wake together leaves connections to the others.
  const reads = new Turns(Math.max(1, Math.floor(config.generalPoolSize / 4)));
  let streams = 0;
  metrics.show('task_executor_event_streams', 'Streams of events that are open.', () => streams);
  metrics.show('task_executor_followers', 'Streams of events and calls that wait for the end of a task.', () => follows.size);

  router.get('/api/v1/tasks/:task_id/events', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const logs = (req.query as { logs?: boolean }).logs === true;
    const level = queryText(req, 'level') as LogLevel | null;
    if (level !== null && !logs) throw validationProblem('/query/level', 'goes with logs=true');
    const place = req.get('Last-Event-ID') ?? '0';
    const [standing] = await readStandings(db, [taskId]);
    if (standing === undefined) throw new Problem('task_not_found');
    if (place.endsWith(END) && standing.ended) {
      res.status(204).end();
      return;
    }
    const follower = streams < config.maxEventStreams ? follows.enter(standing) : null;
    if (follower === null) throw new Problem(follows.stopped ? 'shutting_down' : 'too_many_requests');
    streams += 1;
    const caller = new Caller(res);
    try {
      // X-Accel-Buffering: proxies of nginx's kind would hold events back.
      res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
      if (res.locals.head === true) {
        res.end();
        return;
      }
      await write(res, `retry: ${COME_BACK_MS}\n\n`, caller, config.stallMs);
      await follow({ res, caller, follower, logs, level, line: Number.parseInt(place, 10) });
      res.end();
    } catch (error) {
      if (!caller.gone) log.info({ event: 'stream_broken_off', error: String(error) }, 'a stream of events was broken off');
      res.destroy();
    } finally {
      streams -= 1;
      follows.leave(follower);
    }
  });

  /** Sends what there is and what comes, until the task has ended, the reader has gone, or the stream has been long enough. */
  async function follow(stream: Stream): Promise<void> {
    const { caller, follower } = stream;
    const until = performance.now() + config.eventStreamMs;
    let sentAt = performance.now();
    let shownStatus = '';
    let shownProgress = '';
    const send = async (event: components['schemas']['TaskEvent']['event'], data: string, mark = ''): Promise<void> => {
      await write(stream.res, `id: ${stream.line}${mark}\nevent: ${event}\ndata: ${data}\n\n`, caller, config.stallMs);
      sentAt = performance.now();
    };
    while (!caller.gone && !follower.dismissed && performance.now() < until) {
      const { standing } = follower;
      let lines: LogRow[];
      let status: string;
      try {
        status = JSON.stringify(toStatus(standing, await reasonOf(standing)));
        lines = stream.logs && stream.line < standing.lines ? await nextLines(stream) : [];
        metrics.eventLines.inc(lines.length);
      } catch (error) {
        // A browser does not come back after a problem document, so a stream outlives the database's absence.
        if (!isDatabaseUnavailable(error)) throw error;
        await follower.wait(RETRY_MS, caller);
        continue;
      }
      if (!standing.ended && status !== shownStatus) await send('status', status);
      if (!standing.ended) shownStatus = status;
      const progress = standing.progress === null ? '' : JSON.stringify(standing.progress);
      if (progress !== shownProgress) await send('progress', progress);
      shownProgress = progress;
      if (stream.logs && stream.line < standing.lines) {
        for (const row of lines) {
          stream.line = row.line;
          await send('log', JSON.stringify(toLine(row)));
        }
        // Up to `standing.lines` there is nothing more of this level: lines become visible in the order of their numbers.
        if (lines.length === 0) stream.line = standing.lines;
        continue;
      }
      if (standing.ended) {
        await send('status', status, END);
        return;
      }
      await follower.wait(Math.min(sentAt + KEEP_ALIVE_MS, until) - performance.now(), caller);
      if (performance.now() >= sentAt + KEEP_ALIVE_MS) {
        await write(stream.res, ':\n\n', caller, config.stallMs);
        sentAt = performance.now();
      }
    }
  }

  async function nextLines({ follower, line, level }: Stream): Promise<LogRow[]> {
    const { rows } = await reads.take(() => readLogs(db, follower.standing.id, { after: line, level, attempt: null, ...PIECE }));
    return rows;
  }

  function reasonOf({ status, reason }: Standing): ReadyReason | Promise<ReadyReason> {
    return status === 'pending' && reason === null ? readiness.reasons() : () => 'ready';
  }

  return router;
}
