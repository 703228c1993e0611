/**
 * Schedules: submissions that recur. next_at is the fire that is due next; to fire is to move next_at, under the row's lock, and
 * to submit in the same transaction. So each fire makes exactly one task, whichever replica comes first and whatever crashes.
 */
import { randomUUID } from 'node:crypto';
import { Cron } from 'croner';
import { sql } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { jsonBytes, readPiece, type Piece, type PieceSize } from './piece.js';

/** A fire is missed where the service was away at its time, and for more than this after it. */
export const MISFIRE_GRACE_MS = 60_000;

export interface ScheduleRow {
  id: string;
  name: string | null;
  cron: string;
  timezone: string;
  task: Record<string, unknown>;
  overlap: 'allow' | 'skip';
  misfire: 'run_once' | 'skip';
  paused: boolean;
  next_at: Date | null;
  last_at: Date | null;
  last_task_id: string | null;
  fires: number;
  skips: number;
  created_at: Date;
  updated_at: Date;
}

export type ScheduleSettings = Pick<ScheduleRow, 'name' | 'cron' | 'timezone' | 'task' | 'overlap' | 'misfire' | 'paused'>;

/** Thrown for an expression or a time zone that says nothing. */
export class CronError extends Error {
  readonly setting: 'cron' | 'timezone';

  constructor(setting: CronError['setting'], message: string) {
    super(message);
    this.setting = setting;
  }
}

/** Five fields, or six with seconds first: the parser would also take nicknames, dates and years. */
const CRON_FIELDS = /^\s*\S+(\s+\S+){4,5}\s*$/;

/** Up to `count` fires after `from`. @throws CronError */
export function nextRuns({ cron, timezone }: Pick<ScheduleRow, 'cron' | 'timezone'>, from: Date, count: number): Date[] {
  if (!CRON_FIELDS.test(cron)) throw new CronError('cron', 'must have five fields, or six with seconds first');
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw new CronError('timezone', 'must be a time zone of the IANA database');
  }
  try {
    return new Cron(cron, { timezone, mode: '5-or-6-parts' }).nextRuns(count, from);
  } catch (error) {
    throw new CronError('cron', error instanceof Error ? error.message : String(error));
  }
}

/** The first fire after now, by the database's clock. @throws CronError where there is none */
async function firstRun(db: Database, settings: Pick<ScheduleRow, 'cron' | 'timezone'>): Promise<Date> {
  const [next] = nextRuns(settings, await databaseTime(db), 1);
  if (next === undefined) throw new CronError('cron', 'never comes true');
  return next;
}

async function databaseTime(db: Database): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the database gave no time');
  return row.now;
}

const SCHEDULE_COLUMNS = sql`
  id, name, cron, timezone, task, overlap, misfire, paused, next_at, last_at, last_task_id, fires, skips, created_at, updated_at`;

/** The new schedule, or null where there are too many. @throws CronError */
export async function createSchedule(db: Database, settings: ScheduleSettings): Promise<ScheduleRow | null> {
  const next = await firstRun(db, settings);
  const { rows } = await sql<ScheduleRow>`
    insert into schedules (id, name, cron, timezone, task, overlap, misfire, paused, next_at, created_at, updated_at)
    select ${randomUUID()}::uuid, ${settings.name}, ${settings.cron}, ${settings.timezone}, ${JSON.stringify(settings.task)}::json,
           ${settings.overlap}, ${settings.misfire}, ${settings.paused}, ${next.toISOString()}::timestamptz, now(), now()
     where (select count(*) from schedules where ended_at is null) < ${LIMITS.maxSchedules}
    returning ${SCHEDULE_COLUMNS}`.execute(db);
  return rows[0] ?? null;
}

/**
 * Changes a schedule's settings; another expression or time zone, and the end of a pause, count its next fire from now. Null:
 * there is none, or it was changed meanwhile, or fired where that counts: the next fire, counted before, may be that one. @throws CronError
 */
export async function changeSchedule(db: Database, before: ScheduleRow, changes: Partial<ScheduleSettings>): Promise<ScheduleRow | null> {
  const after = { ...before, ...changes };
  const anew = after.cron !== before.cron || after.timezone !== before.timezone || (before.paused && !after.paused);
  const next = anew ? await firstRun(db, after) : before.next_at;
  const { rows } = await sql<ScheduleRow>`
    update schedules
       set name = ${after.name}, cron = ${after.cron}, timezone = ${after.timezone}, task = ${JSON.stringify(after.task)}::json,
           overlap = ${after.overlap}, misfire = ${after.misfire}, paused = ${after.paused},
           next_at = case when ${anew} then ${next?.toISOString() ?? null}::timestamptz else next_at end,
           -- Two changes in one millisecond must not look like one.
           updated_at = greatest(now(), updated_at + interval '1 millisecond')
     where id = ${before.id}::uuid and ended_at is null and updated_at = ${before.updated_at.toISOString()}::timestamptz
       and (not ${anew} or next_at is not distinct from ${before.next_at?.toISOString() ?? null}::timestamptz)
    returning ${SCHEDULE_COLUMNS}`.execute(db);
  return rows[0] ?? null;
}

/** Ends the schedule. Whether there was one. Its tasks stay, and name it. */
export async function endSchedule(db: Database, id: string): Promise<boolean> {
  const { rows } = await sql`
    update schedules set ended_at = now(), updated_at = now() where id = ${id}::uuid and ended_at is null returning id`.execute(db);
  return rows.length === 1;
}

export async function findSchedule(db: Database, id: string): Promise<ScheduleRow | null> {
  const { rows } = await sql<ScheduleRow>`
    select ${SCHEDULE_COLUMNS} from schedules where id = ${id}::uuid and ended_at is null`.execute(db);
  return rows[0] ?? null;
}

/** A piece of the schedules after id `after`, by id. */
export function listSchedules(db: Database, { after, ...size }: { after: string } & PieceSize): Promise<Piece<ScheduleRow>> {
  return readPiece<ScheduleRow>(db, sql`
    select ${SCHEDULE_COLUMNS} from schedules where ended_at is null and id > ${after}::uuid order by id limit ${size.limit + 1}`,
  jsonBytes(sql`task`), sql`id`, size);
}

/** What to do with a fire that is due. */
export interface Fire {
  readonly submits: boolean;
  /** When the schedule fires next. */
  readonly next: Date | null;
}

/**
 * Decides about the fire that was due at `row.next_at`, by a service that has been there for `presentSeconds`. What is late though the
 * service was there waits in a backlog of our own, and is not missed.
 */
export function decideFire(row: ScheduleRow, now: Date, overlaps: boolean, presentSeconds: number): Fire {
  const due = (row.next_at ?? now).getTime();
  const onTimeFrom = now.getTime() - MISFIRE_GRACE_MS;
  const missedUntil = onTimeFrom - presentSeconds * 1000;
  const missed = due < missedUntil;
  // After an outage one fire stands for all until now; where none does, those that are not missed yet still come. A fire that is a little
  // late leaves none out; one that waited long stands for those before which it should have come, so that a backlog ends.
  const after = missed ? (row.misfire === 'skip' ? missedUntil - 1 : now.getTime()) : Math.max(due, onTimeFrom - 1);
  const [next] = nextRuns(row, new Date(after), 1);
  return { submits: !(missed && row.misfire === 'skip') && !(overlaps && row.overlap === 'skip'), next: next ?? null };
}

const DUE = sql<boolean>`not paused and ended_at is null and next_at <= clock_timestamp()`;

/** Whether the time of any schedule has come. */
export const ANY_TO_FIRE = sql<boolean>`exists (select from schedules where ${DUE})`;

/**
 * Whether the task has not ended. A statement of its own, after the schedule is locked: in the snapshot of the one that locks it, the task
 * of a fire that was committed in between, on another replica, is not there yet.
 */
async function isInQueue(db: Database, taskId: string | null): Promise<boolean> {
  const { rows } = await sql`select from queue where task_id = ${taskId}::uuid`.execute(db);
  return rows.length > 0;
}

/**
 * Takes the schedule that has been due longest, but for those in `except`, decides, and has `submitTask` submit its task and give the id;
 * within a transaction. Null: none is due, or others are at them.
 */
export async function fireNext(
  transaction: Database,
  except: readonly string[],
  presentSeconds: number,
  submitTask: (row: ScheduleRow) => Promise<string>,
  onTaken: (id: string) => void,
): Promise<{ id: string; fired: boolean } | null> {
  const { rows } = await sql<ScheduleRow & { now: Date }>`
    select ${SCHEDULE_COLUMNS}, clock_timestamp() as now
      from schedules s
     where ${DUE} and not (id = any (${except}::uuid[]))
     order by next_at
     limit 1
       for update of s skip locked`.execute(transaction);
  const [row] = rows;
  if (row === undefined) return null;
  onTaken(row.id);
  const { submits, next } = decideFire(row, row.now, await isInQueue(transaction, row.last_task_id), presentSeconds);
  const taskId = submits ? await submitTask(row) : null;
  const { rows: moved } = await sql`
    update schedules
       set next_at = ${next?.toISOString() ?? null}::timestamptz,
           last_at = case when ${submits} then next_at else last_at end, last_task_id = coalesce(${taskId}::uuid, last_task_id),
           fires = fires + ${submits ? 1 : 0}, skips = skips + ${submits ? 0 : 1}
     where id = ${row.id}::uuid and next_at = ${row.next_at?.toISOString() ?? null}::timestamptz
    returning id`.execute(transaction);
  if (moved.length !== 1) throw new Error('a schedule was moved under its lock');
  return { id: row.id, fired: submits };
}
