/**
 * The loop that acts without being asked: lapsed leases, lost and timed-out attempts, tasks whose time has come or is over,
 * dependents that nobody told, folded counters. Every replica runs it, without a leader: the statements leave to others what
 * others are doing. A round begins with one look at whether there is anything to do, so that an idle system costs one statement.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Logger } from 'pino';
import type { Aftermath } from './aftermath.js';
import type { Database } from './db/database.js';
import { Ration } from './db/ration.js';
import { ANY_LAPSED, lapseSessions } from './fleet/lapse.js';
import type { Metrics } from './metrics.js';
import { Presence } from './presence.js';
import { ANY_NOTES } from './queue/dependents.js';
import { ANY_TO_REGROUP, regroup } from './queue/limits.js';
import { ANY_DELTAS, foldDeltas } from './queue/stats.js';
import {
  ANY_DUE, ANY_EXPIRED, ANY_ORPHANED, ANY_TIMED_OUT, SWEEP_ROWS, sweepDue, sweepExpired, sweepSessions, sweepTimeouts, type Swept,
} from './queue/sweep.js';

/** Statements of one kind that one round runs at most; what is left waits for the next. */
const MAX_BATCHES = 50;
/** Of the time, for the look for what nobody took back. */
const ORPHANS_SHARE = 0.02;

/** A step of each round. */
export interface Chore {
  /** Whether there is anything to do, in SQL. */
  readonly due: RawBuilder<boolean>;
  /** Where the question is dear at times: how often it is asked. */
  readonly ration?: Ration;
  run(): Promise<unknown>;
}

export class Sweeper {
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #db: Database;
  readonly #aftermath: Aftermath;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #leaseSeconds: number;
  readonly #presence: Presence;
  readonly #steps: readonly Chore[];

  constructor(parts: { db: Database; aftermath: Aftermath; metrics: Metrics; log: Logger; intervalMs: number; leaseSeconds: number; chores: readonly Chore[] }) {
    this.#db = parts.db;
    this.#aftermath = parts.aftermath;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#intervalMs = parts.intervalMs;
    this.#leaseSeconds = parts.leaseSeconds;
    this.#presence = new Presence({ maxGapMs: (parts.leaseSeconds * 1000) / 3 });
    this.#steps = [
      { due: ANY_LAPSED, run: () => this.#lapse() },
      // Whoever ends a session takes back at once what it held; this is for those who died in between, and reads all that runs.
      { due: ANY_ORPHANED, ration: new Ration(ORPHANS_SHARE), run: () => this.#drain(() => sweepSessions(this.#db, null)) },
      { due: ANY_TIMED_OUT, run: () => this.#drain(() => sweepTimeouts(this.#db)) },
      { due: ANY_EXPIRED, run: () => this.#drain(() => sweepExpired(this.#db)) },
      { due: ANY_DUE, run: () => this.#promote() },
      { due: ANY_NOTES, run: () => this.#aftermath.dependents() },
      { due: ANY_TO_REGROUP, run: () => regroup(this.#db) },
      { due: ANY_DELTAS, run: () => foldDeltas(this.#db) },
      ...parts.chores,
    ];
  }

  start(): void {
    this.#presence.start();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#presence.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round, of all steps. An error ends its step and is logged: the next round tries again. */
  sweep(): Promise<void> {
    return this.#sweep(this.#steps);
  }

  async #sweep(asked: readonly Chore[]): Promise<void> {
    let due: readonly boolean[] = [];
    await this.#try(async () => {
      due = await this.#look(asked);
    });
    for (const [n, step] of asked.entries()) {
      if (due[n] === true) await this.#try(() => step.run());
    }
  }

  async #try(step: () => Promise<unknown>): Promise<void> {
    await step().catch((error: unknown) => {
      this.#log.warn({ event: 'sweep_failed', error: String(error) }, 'a sweep failed; the next one tries again');
    });
  }

  /** For each of the steps whether there is anything to do. */
  async #look(asked: readonly Chore[]): Promise<readonly boolean[]> {
    const began = performance.now();
    const look = sql<{ due: boolean[] }>`select array[${sql.join(asked.map(({ due }) => due))}] as due`;
    const { rows } = await look.execute(this.#db).catch((error: unknown) => {
      this.#presence.absent();
      throw error;
    });
    this.#presence.answered();
    for (const { ration } of asked) ration?.spent(performance.now() - began);
    return rows[0]?.due ?? [];
  }

  /** Takes back at once what the earlier sessions of one worker held. */
  async takeBack(workerId: string): Promise<void> {
    await this.#drain(() => sweepSessions(this.#db, workerId));
  }

  /** Ends the sessions whose lease has lapsed, and takes back what ended sessions held. */
  async #lapse(): Promise<void> {
    const lapsed = await lapseSessions(this.#db, { presentSeconds: this.#presence.seconds, leaseSeconds: this.#leaseSeconds });
    for (const worker of lapsed) {
      this.#log.warn({ event: 'worker_lapsed', worker_id: worker }, 'a worker stopped sending heartbeats');
    }
    if (lapsed.length > 0) await this.#drain(() => sweepSessions(this.#db, null));
  }

  async #promote(): Promise<void> {
    for (let n = 0; n < MAX_BATCHES; n++) {
      const due = await sweepDue(this.#db);
      this.#aftermath.changed(due.map((task) => task.task_id));
      for (const task of due) this.#aftermath.pending(task);
      if (due.length < SWEEP_ROWS) return;
    }
  }

  async #drain(batch: () => Promise<Swept[]>): Promise<void> {
    for (let n = 0; n < MAX_BATCHES; n++) {
      const swept = await batch();
      this.#aftermath.changed(swept.map((task) => task.task_id));
      for (const task of swept) this.#account(task);
      await this.#aftermath.ended(swept.filter((task) => task.fate === 'ended').map((task) => ({
        status: task.outcome === 'lost' ? 'failed' : 'timeout', hasDependents: task.has_dependents,
      })));
      if (swept.length > 0) {
        this.#aftermath.tell(swept.map((task) => task.worker_id));
        await this.#aftermath.freed();
      }
      if (swept.length < SWEEP_ROWS) return;
    }
  }

  #account(task: Swept): void {
    if (task.outcome !== 'expired') this.#metrics.attempts.inc({ outcome: task.outcome });
    if (task.fate === 'requeued') this.#aftermath.pending(task);
    this.#log.info({ event: `attempt_${task.outcome}`, task_id: task.task_id, fate: task.fate }, 'an attempt was ended');
  }

  #schedule(): void {
    if (this.#stopped) return;
    // Spread, so that replicas started together do not sweep together.
    this.#timer = setTimeout(() => {
      this.#round = this.#sweep(this.#steps.filter(({ ration }) => ration?.isDue ?? true)).finally(() => {
        this.#schedule();
      });
    }, this.#intervalMs * (0.75 + 0.5 * Math.random()));
  }
}
