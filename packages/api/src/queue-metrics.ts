/**
 * Gauges of the queue and the fleet, read from the database when they are asked for. What cannot be read in time is not shown: an earlier
 * value would pass for the present one, and whoever asks gives up after some seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PENDING_REASONS } from '@task-executor/shared';
import { Gauge } from 'prom-client';
import type { Database } from './db/database.js';
import { oldestSnapshotSeconds } from './db/snapshots.js';
import { countFleet } from './fleet/find.js';
import type { Metrics } from './metrics.js';
import { readBacklog } from './queue/backlog.js';
import type { Readiness } from './queue/readiness.js';

/** How long what was read is shown again. */
const FRESH_MS = 1_000;
/** How long a reading is waited for. */
const WAIT_MS = 2_000;

/** Tasks that have not ended, and for how many seconds the one has waited that waits longest. */
interface Part {
  tasks: number;
  oldestSeconds: number;
}

/** What one reading gave. */
interface Seen {
  /** The parts by reason; null: the running tasks. */
  readonly parts: ReadonlyMap<string | null, Part>;
  readonly fleet: Awaited<ReturnType<typeof countFleet>>;
  readonly snapshotSeconds: number;
}

class QueueWatch {
  readonly #db: Database;
  readonly #readiness: Readiness;
  readonly #waitMs: number;
  #readAt = -Infinity;
  #reading: Promise<void> | null = null;
  #seen: Seen | null = null;

  constructor(db: Database, readiness: Readiness, waitMs: number) {
    this.#db = db;
    this.#readiness = readiness;
    this.#waitMs = waitMs;
  }

  /** What there is to see; null where the database does not say. */
  async look(): Promise<Seen | null> {
    const now = performance.now();
    if (this.#reading === null && now - this.#readAt > FRESH_MS) {
      this.#readAt = now;
      this.#reading = this.#read().catch(() => null).then((seen) => {
        this.#seen = seen;
        this.#reading = null;
      });
    }
    if (this.#reading === null) return this.#seen;
    const waited = new AbortController();
    try {
      const late = sleep(this.#waitMs, true, { signal: waited.signal }).catch(() => false);
      if (await Promise.race([this.#reading, late]) === true) this.#seen = null;
    } finally {
      waited.abort();
    }
    return this.#seen;
  }

  async #read(): Promise<Seen> {
    const parts = new Map<string | null, Part>([null, ...PENDING_REASONS].map((reason) => [reason, { tasks: 0, oldestSeconds: 0 }]));
    for (const { reason, tasks, oldest_seconds: oldestSeconds } of await readBacklog(this.#db, await this.#readiness.reasons())) {
      const part = parts.get(reason);
      if (part === undefined) continue;
      part.tasks += tasks;
      part.oldestSeconds = Math.max(part.oldestSeconds, oldestSeconds);
    }
    return { parts, fleet: await countFleet(this.#db), snapshotSeconds: await oldestSnapshotSeconds(this.#db) };
  }
}

/** Adds these gauges to `metrics`. */
export function watchQueue({ registry }: Metrics, db: Database, readiness: Readiness, waitMs = WAIT_MS): void {
  const watch = new QueueWatch(db, readiness, waitMs);

  function show<Label extends string>(
    { name, help, labelNames = [] }: { name: string; help: string; labelNames?: Label[] },
    set: (gauge: Gauge<Label>, seen: Seen | null) => void,
  ): void {
    new Gauge({
      name, help, labelNames, registers: [registry],
      async collect() {
        set(this, await watch.look());
      },
    });
  }

  show({ name: 'task_executor_database_up', help: '1 where the database answers.' }, (gauge, seen) => {
    gauge.set(seen === null ? 0 : 1);
  });
  show({
    name: 'task_executor_queue_tasks', help: 'Tasks that have not ended, by state and reason.', labelNames: ['state', 'reason'],
  }, (gauge, seen) => {
    gauge.reset();
    for (const [reason, { tasks }] of seen?.parts ?? []) {
      gauge.set(reason === null ? { state: 'running', reason: '' } : { state: 'pending', reason }, tasks);
    }
  });
  show({
    name: 'task_executor_queue_oldest_seconds', help: 'Age of the longest waiting pending task, by reason.', labelNames: ['reason'],
  }, (gauge, seen) => {
    gauge.reset();
    for (const [reason, { oldestSeconds }] of seen?.parts ?? []) if (reason !== null) gauge.set({ reason }, oldestSeconds);
  });
  show({ name: 'task_executor_workers', help: 'Workers by status.', labelNames: ['status'] }, (gauge, seen) => {
    gauge.reset();
    if (seen !== null) for (const status of ['idle', 'busy', 'offline'] as const) gauge.set({ status }, seen.fleet[status]);
  });
  show({
    name: 'task_executor_oldest_snapshot_seconds',
    help: 'Age of the oldest transaction that holds a snapshot; a long one keeps vacuum from cleaning the queue.',
  }, (gauge, seen) => {
    // A reset would show 0.
    if (seen === null) gauge.remove();
    else gauge.set(seen.snapshotSeconds);
  });
}
