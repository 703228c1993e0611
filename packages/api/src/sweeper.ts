/**
 * The loop that acts without being asked: lapsed leases, lost and timed-out attempts, folded counters. Every replica runs
 * it, without a leader: the statements leave to others what others are doing.
 */
import type { Logger } from 'pino';
import type { Database } from './db/database.js';
import { lapseSessions } from './fleet/lapse.js';
import type { Metrics } from './metrics.js';
import { foldDeltas } from './queue/stats.js';
import { SWEEP_ROWS, sweepSessions, sweepTimeouts, type Swept } from './queue/sweep.js';
import type { Wakeups } from './wakeups.js';

/** Statements of one kind that one round runs at most; what is left waits for the next. */
const MAX_BATCHES = 50;

export class Sweeper {
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #db: Database;
  readonly #wakeups: Wakeups;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #intervalMs: number;

  constructor(parts: { db: Database; wakeups: Wakeups; metrics: Metrics; log: Logger; intervalMs: number }) {
    this.#db = parts.db;
    this.#wakeups = parts.wakeups;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#intervalMs = parts.intervalMs;
  }

  start(): void {
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round. Errors are logged: the next round tries again. */
  async sweep(): Promise<void> {
    try {
      for (const worker of await lapseSessions(this.#db)) {
        this.#log.warn({ event: 'worker_lapsed', worker_id: worker }, 'a worker stopped sending heartbeats');
      }
      await this.#drain(() => sweepSessions(this.#db, null));
      await this.#drain(() => sweepTimeouts(this.#db));
      await foldDeltas(this.#db);
    } catch (error) {
      this.#log.warn({ event: 'sweep_failed', error: String(error) }, 'a sweep failed; the next one tries again');
    }
  }

  /** Takes back at once what the earlier sessions of one worker held. */
  async takeBack(workerId: string): Promise<void> {
    await this.#drain(() => sweepSessions(this.#db, workerId));
  }

  async #drain(batch: () => Promise<Swept[]>): Promise<void> {
    for (let n = 0; n < MAX_BATCHES; n++) {
      const swept = await batch();
      for (const task of swept) this.#account(task);
      if (swept.length < SWEEP_ROWS) return;
    }
  }

  #account(task: Swept): void {
    this.#metrics.attempts.inc({ outcome: task.outcome });
    if (task.fate === 'requeued') this.#wakeups.announce(task);
    else this.#metrics.outcomes.inc({ status: task.outcome === 'timeout' ? 'timeout' : 'failed' });
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
