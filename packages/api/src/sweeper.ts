/**
 * The loop that acts without being asked: lapsed leases, lost and timed-out attempts, tasks whose time has come or is over,
 * dependents that nobody told, folded counters. Every replica runs it, without a leader: the statements leave to others what
 * others are doing.
 */
import type { Logger } from 'pino';
import type { Aftermath } from './aftermath.js';
import type { Database } from './db/database.js';
import { lapseSessions } from './fleet/lapse.js';
import type { Metrics } from './metrics.js';
import { Presence } from './presence.js';
import { regroup } from './queue/limits.js';
import { foldDeltas } from './queue/stats.js';
import { SWEEP_ROWS, sweepDue, sweepExpired, sweepSessions, sweepTimeouts, type Swept } from './queue/sweep.js';

/** Statements of one kind that one round runs at most; what is left waits for the next. */
const MAX_BATCHES = 50;

/** Work that others add to each round, such as schedules. */
export type Chore = () => Promise<unknown>;

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
  readonly #chores: readonly Chore[];

  constructor(parts: { db: Database; aftermath: Aftermath; metrics: Metrics; log: Logger; intervalMs: number; leaseSeconds: number; chores: readonly Chore[] }) {
    this.#db = parts.db;
    this.#aftermath = parts.aftermath;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#intervalMs = parts.intervalMs;
    this.#leaseSeconds = parts.leaseSeconds;
    this.#presence = new Presence({ maxGapMs: (parts.leaseSeconds * 1000) / 3 });
    this.#chores = parts.chores;
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

  /** One round. An error ends its step and is logged: the next round tries again. */
  async sweep(): Promise<void> {
    const steps: Chore[] = [
      () => this.#lapse(),
      () => this.#drain(() => sweepSessions(this.#db, null)),
      () => this.#drain(() => sweepTimeouts(this.#db)),
      () => this.#drain(() => sweepExpired(this.#db)),
      () => this.#promote(),
      () => this.#aftermath.dependents(),
      () => regroup(this.#db),
      () => foldDeltas(this.#db),
      ...this.#chores,
    ];
    for (const step of steps) {
      await step().catch((error: unknown) => {
        this.#log.warn({ event: 'sweep_failed', error: String(error) }, 'a sweep failed; the next one tries again');
      });
    }
  }

  /** Takes back at once what the earlier sessions of one worker held. */
  async takeBack(workerId: string): Promise<void> {
    await this.#drain(() => sweepSessions(this.#db, workerId));
  }

  async #lapse(): Promise<void> {
    const due = { presentSeconds: this.#presence.seconds, leaseSeconds: this.#leaseSeconds };
    const lapsed = await lapseSessions(this.#db, due).catch((error: unknown) => {
      this.#presence.absent();
      throw error;
    });
    this.#presence.answered();
    for (const worker of lapsed) {
      this.#log.warn({ event: 'worker_lapsed', worker_id: worker }, 'a worker stopped sending heartbeats');
    }
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
      this.#round = this.sweep().finally(() => {
        this.#schedule();
      });
    }, this.#intervalMs * (0.75 + 0.5 * Math.random()));
  }
}
