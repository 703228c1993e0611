/** Schedules over HTTP. */
import { LIMITS, type components } from '@task-executor/shared';
import { Router } from 'express';
import { decodeCursor, encodeCursor, idIn, NIL_ID } from '../queue/cursor.js';
import {
  changeSchedule, createSchedule, CronError, endSchedule, findSchedule, listSchedules, nextRuns, type ScheduleRow,
} from '../queue/schedule.js';
import { checkBytes, toSubmission } from '../queue/to-submission.js';
import { answerCreation } from './creation.js';
import { Problem, validationProblem } from './problem.js';
import { pathText, queryNumber, queryText } from './request.js';
import type { Services } from './services.js';

type Schemas = components['schemas'];

/** A change loses a race only to another change of the same schedule. */
const MAX_RACES = 10;

export function scheduleRoutes({ config, databases }: Services): Router {
  const router = Router();
  const db = databases.general;

  /** Runs `work`, and says where in the body an expression was wrong. */
  async function withCron<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof CronError ? validationProblem(`/body/${error.setting}`, error.message) : error;
    }
  }

  router.post('/api/v1/schedules', async (req, res) => {
    const body = req.body as Schemas['ScheduleSubmission'];
    checkBytes('/body/name', body.name);
    toSubmission(config, '/body/task', body.task);
    await answerCreation(db, req, res, async (transaction) => {
      const row = await withCron(() => createSchedule(transaction, {
        name: body.name ?? null, cron: body.cron, timezone: body.timezone ?? 'UTC', task: body.task,
        overlap: body.overlap ?? 'skip', misfire: body.misfire ?? 'run_once', paused: body.paused ?? false,
      }));
      if (row === null) throw new Problem('too_many_requests', 'There are too many schedules.');
      return { status: 201, location: `/api/v1/schedules/${row.id}`, answer: toSchedule(row) };
    });
  });

  router.get('/api/v1/schedules', async (req, res) => {
    const limit = queryNumber(req, 'limit', LIMITS.maxListedSchedules);
    const cursor = queryText(req, 'cursor');
    const after = cursor === null ? NIL_ID : idIn(decodeCursor(cursor, 1)[0]);
    const { rows, hasMore } = await listSchedules(db, { after, limit, bytes: LIMITS.maxPageBytes });
    res.json({
      schedules: rows.map(toSchedule),
      next_cursor: hasMore ? encodeCursor([rows.at(-1)?.id ?? NIL_ID]) : null,
    });
  });

  router.get('/api/v1/schedules/:schedule_id', async (req, res) => {
    const row = await findSchedule(db, pathText(req, 'schedule_id'));
    if (row === null) throw new Problem('schedule_not_found');
    res.json(toSchedule(row));
  });

  router.patch('/api/v1/schedules/:schedule_id', async (req, res) => {
    const id = pathText(req, 'schedule_id');
    const changes = req.body as Schemas['ScheduleChange'];
    checkBytes('/body/name', changes.name);
    if (changes.task !== undefined) toSubmission(config, '/body/task', changes.task);
    for (let race = 0; race < MAX_RACES; race++) {
      const before = await findSchedule(db, id);
      if (before === null) throw new Problem('schedule_not_found');
      const row = await withCron(() => changeSchedule(db, before, changes));
      if (row === null) continue;
      res.json(toSchedule(row));
      return;
    }
    throw new Problem('too_many_requests', 'The schedule is being changed by others.');
  });

  router.delete('/api/v1/schedules/:schedule_id', async (req, res) => {
    if (!(await endSchedule(db, pathText(req, 'schedule_id')))) throw new Problem('schedule_not_found');
    res.status(204).end();
  });

  return router;
}

function toSchedule(row: ScheduleRow): Schemas['Schedule'] {
  const next = row.paused || row.next_at === null ? [] : [row.next_at, ...nextRuns(row, row.next_at, LIMITS.maxNextRuns - 1)];
  return {
    id: row.id,
    name: row.name,
    cron: row.cron,
    timezone: row.timezone,
    task: row.task as Schemas['Schedule']['task'],
    overlap: row.overlap,
    misfire: row.misfire,
    paused: row.paused,
    next_runs: next.map((moment) => moment.toISOString()),
    last_run_at: row.last_at?.toISOString() ?? null,
    last_task_id: row.last_task_id,
    fires: row.fires,
    skips: row.skips,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
