/** What each round of the sweeper does for schedules and bulk operations: their next steps, each in a transaction of its own. */
import type { Logger } from 'pino';
import type { Aftermath } from '../aftermath.js';
import type { ApiConfig } from '../config.js';
import type { Database } from '../db/database.js';
import { isDatabaseUnavailable } from '../db/errors.js';
import type { Metrics } from '../metrics.js';
import { advanceBulk, ANY_BULK, putOffBulk, type BulkStep } from '../queue/bulk.js';
import { ANY_TO_FIRE, fireNext } from '../queue/schedule.js';
import { submit, withRaces, type Submitted } from '../queue/submit.js';
import { toSubmission, type SubmissionBody } from '../queue/to-submission.js';
import type { Presence } from '../waiting/presence.js';
import type { Chore } from './sweeper.js';

/** Fires of one round; what is left waits for the next. */
const MAX_FIRES = 200;
/** Pieces of bulk operations in one round, and tasks that a piece looks at. */
const BULK_BOUNDS = { maxPieces: 20, maxTasks: 200 };

interface Parts {
  readonly config: ApiConfig;
  readonly db: Database;
  readonly aftermath: Aftermath;
  readonly metrics: Metrics;
  readonly presence: Pick<Presence, 'seconds'>;
  readonly log: Logger;
}

/** Runs work in a transaction of `db`, and again in another while it loses races. */
function racesIn(db: Database): <T>(work: (transaction: Database) => Promise<T>) => Promise<T> {
  return (work) => withRaces(() => db.transaction().execute(work));
}

/** Fires the schedules that are due. One that cannot be fired is logged and does not hold up the others. */
export function schedules({ config, db, aftermath, presence, log }: Parts): Chore {
  const inTransaction = racesIn(db);
  return {
    due: ANY_TO_FIRE,
    run: async () => {
      const failed: string[] = [];
      for (let n = 0; n < MAX_FIRES; n++) {
        let taken: string | null = null;
        let submitted: Submitted | null = null;
        try {
          const fire = await inTransaction((transaction) => fireNext(transaction, failed, presence.seconds, async (row) => {
            const task = toSubmission(config, '/task', row.task as unknown as SubmissionBody, { scheduleId: row.id });
            submitted = await submit(transaction, config.priorityAgeingMs, [task]);
            return submitted.rows[0]?.id ?? '';
          }, (id) => {
            taken = id;
          }));
          if (fire === null) return;
          log.info({ event: fire.fired ? 'schedule_fired' : 'schedule_skipped', schedule_id: fire.id }, 'a schedule was due');
          if (submitted !== null) await aftermath.submitted(submitted);
        } catch (error) {
          if (taken === null) throw error;
          failed.push(taken);
          log.warn({ event: 'schedule_failed', schedule_id: taken, error: String(error) }, 'a schedule could not be fired; it is tried again');
        }
      }
    },
  };
}

/** Does some pieces of the bulk operations that are running. A failure is logged, and its operation lets the others go first. */
export function bulkOperations({ config, db, aftermath, metrics, log }: Parts, { maxPieces, maxTasks } = BULK_BOUNDS): Chore {
  const inTransaction = racesIn(db);
  return {
    due: ANY_BULK,
    run: async () => {
      const failed: string[] = [];
      for (let n = 0; n < maxPieces; n++) {
        let taken: string | null = null;
        let piece: BulkStep | null;
        try {
          piece = await inTransaction((transaction) => advanceBulk(transaction, config.priorityAgeingMs, maxTasks, failed, (id) => {
            taken = id;
          }));
        } catch (error) {
          if (taken === null) throw error;
          failed.push(taken);
          log.warn({ event: 'bulk_operation_failed', operation_id: taken, error: String(error) }, 'a piece of a bulk operation failed; it is tried again');
          await putOffBulk(db, taken);
          // It may have waited as long as a statement may take, and a stop waits for this.
          if (isDatabaseUnavailable(error)) return;
          continue;
        }
        if (piece === null) return;
        await follow(piece);
      }
    },
  };

  async function follow({ cancelled, submitted }: BulkStep): Promise<void> {
    const running = cancelled.map(({ worker_id: worker }) => worker).filter((worker) => worker !== null);
    metrics.attempts.inc({ outcome: 'cancelled' }, running.length);
    aftermath.changed(cancelled.map(({ task_id: task }) => task));
    aftermath.tell(running);
    await aftermath.ended(cancelled.map((task) => ({ status: 'cancelled', hasDependents: task.has_dependents })));
    if (running.length > 0) await aftermath.freed();
    await aftermath.submitted(submitted);
  }
}
