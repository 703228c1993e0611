/**
 * Metrics of one process, in a registry of its own. No label holds an id, a path as it was sent or an error's text: all
 * label values come from closed sets.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PENDING_REASONS } from '@task-executor/shared';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Database } from './db/database.js';
import { oldestSnapshotSeconds } from './db/snapshots.js';
import { countFleet } from './fleet/find.js';
import { readBacklog } from './queue/backlog.js';
import type { Readiness } from './queue/readiness.js';

/** Names of prom-client's defaults that promtool rejects: `_total` on gauges. */
const REJECTED_DEFAULTS = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export interface Metrics {
  readonly registry: Registry;
  readonly submissions: Counter;
  readonly claims: Counter<'result'>;
  readonly attempts: Counter<'outcome'>;
  readonly outcomes: Counter<'status'>;
  readonly logLines: Counter;
  readonly eventLines: Counter;
  readonly artifacts: Counter;
  readonly artifactBytes: Counter<'direction'>;
  readonly requests: Histogram<'method' | 'operation' | 'status'>;
  readonly statements: Histogram<'pool' | 'result'>;
  /** Shows a number that is asked for whenever the metrics are. */
  show(name: `task_executor_${string}`, help: string, value: () => number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of REJECTED_DEFAULTS) registry.removeSingleMetric(name);
  const registers = [registry];
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30];
  return {
    registry,
    submissions: new Counter({ name: 'task_executor_submissions_total', help: 'Tasks submitted.', registers }),
    claims: new Counter({
      name: 'task_executor_claims_total', help: 'Claims answered, by what they got.', labelNames: ['result'], registers,
    }),
    attempts: new Counter({
      name: 'task_executor_attempts_total', help: 'Attempts ended, by outcome.', labelNames: ['outcome'], registers,
    }),
    outcomes: new Counter({
      name: 'task_executor_outcomes_total', help: 'Tasks ended, by status.', labelNames: ['status'], registers,
    }),
    artifacts: new Counter({ name: 'task_executor_artifacts_total', help: 'Artifacts stored.', registers }),
    artifactBytes: new Counter({
      name: 'task_executor_artifact_bytes_total', help: 'Bytes of artifacts that were stored, and that were sent.', labelNames: ['direction'], registers,
    }),
    eventLines: new Counter({ name: 'task_executor_event_lines_total', help: 'Log lines read for streams of events.', registers }),
    logLines: new Counter({ name: 'task_executor_log_lines_total', help: 'Log lines stored.', registers }),
    requests: new Histogram({
      name: 'task_executor_http_request_duration_seconds', help: 'Time to answer a request; claims include their wait.',
      labelNames: ['method', 'operation', 'status'], buckets, registers,
    }),
    statements: new Histogram({
      name: 'task_executor_sql_duration_seconds', help: 'Time of a database statement.',
      labelNames: ['pool', 'result'], buckets, registers,
    }),
    show: (name, help, value) => {
      new Gauge({
        name, help, registers,
        collect() {
          this.set(value());
        },
      });
    },
  };
}

/** What one look at the database gave. */
interface Seen {
  readonly parts: ReadonlyMap<string | null, { tasks: number; oldest: number }>;
  readonly fleet: Awaited<ReturnType<typeof countFleet>>;
  readonly snapshotSeconds: number;
}

/**
 * Gauges that are read from the database when they are asked for, at most once in `FRESH_MS`. What cannot be read within `waitMs` is not
 * shown: an earlier value would pass for the present one, and whoever asks gives up after some seconds.
 */
export function watchQueue(metrics: Metrics, db: Database, readiness: Readiness, waitMs = 2_000): void {
  const FRESH_MS = 1_000;
  const registers = [metrics.registry];
  let readAt = -Infinity;
  let reading: Promise<void> | null = null;
  let seen: Seen | null = null;

  new Gauge({
    name: 'task_executor_database_up', help: '1 where the database answers.', registers,
    async collect() {
      this.set(await look() === null ? 0 : 1);
    },
  });
  new Gauge({
    name: 'task_executor_queue_tasks', help: 'Tasks that have not ended, by state and reason.',
    labelNames: ['state', 'reason'], registers,
    async collect() {
      const parts = (await look())?.parts ?? [];
      this.reset();
      for (const [reason, { tasks }] of parts) this.set(reason === null ? { state: 'running', reason: '' } : { state: 'pending', reason }, tasks);
    },
  });
  new Gauge({
    name: 'task_executor_queue_oldest_seconds', help: 'Age of the longest waiting pending task, by reason.',
    labelNames: ['reason'], registers,
    async collect() {
      const parts = (await look())?.parts ?? [];
      this.reset();
      for (const [reason, { oldest }] of parts) if (reason !== null) this.set({ reason }, oldest);
    },
  });
  new Gauge({
    name: 'task_executor_workers', help: 'Workers by status.', labelNames: ['status'], registers,
    async collect() {
      const fleet = (await look())?.fleet;
      this.reset();
      if (fleet !== undefined) for (const status of ['idle', 'busy', 'offline'] as const) this.set({ status }, fleet[status]);
    },
  });
  new Gauge({
    name: 'task_executor_oldest_snapshot_seconds',
    help: 'Age of the oldest transaction that holds a snapshot; a long one keeps vacuum from cleaning the queue.', registers,
    async collect() {
      const seconds = (await look())?.snapshotSeconds;
      // A reset would show 0.
      if (seconds === undefined) this.remove();
      else this.set(seconds);
    },
  });

  /** What there is to see; null where the database does not say. */
  async function look(): Promise<Seen | null> {
    const now = performance.now();
    if (reading === null && now - readAt > FRESH_MS) {
      readAt = now;
      reading = read().then((now) => {
        seen = now;
      }, () => {
        seen = null;
      }).finally(() => {
        reading = null;
      });
    }
    if (reading === null) return seen;
    const waited = new AbortController();
    try {
      const late = sleep(waitMs, true, { signal: waited.signal }).catch(() => false);
      if (await Promise.race([reading, late]) === true) seen = null;
    } finally {
      waited.abort();
    }
    return seen;
  }

  async function read(): Promise<Seen> {
    const parts = new Map<string | null, { tasks: number; oldest: number }>([null, ...PENDING_REASONS].map((reason) => [reason, { tasks: 0, oldest: 0 }]));
    for (const part of await readBacklog(db, await readiness.reasons())) {
      const sum = parts.get(part.reason);
      if (sum === undefined) continue;
      sum.tasks += part.tasks;
      sum.oldest = Math.max(sum.oldest, part.oldest_seconds);
    }
    const fleet = await countFleet(db);
    return { parts, fleet, snapshotSeconds: await oldestSnapshotSeconds(db) };
  }
}
