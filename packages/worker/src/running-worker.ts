/** A worker as others see it: what it is started with, and what it can be asked and told. */
import type { ApiHeaders, WorkerStatus } from '@task-executor/shared';
import type { Catalog } from './catalog/catalog.js';
import type { HealthCheck } from './fitness.js';
import type { Pulses } from './heartbeat/pulse.js';
import type { WorkerLog } from './log.js';
import type { Spool } from './spool/spool.js';
import type { Tally } from './tally.js';

export interface WorkerOptions {
  readonly apiUrl: string;
  /** What every call carries, for what stands before the API. */
  readonly apiHeaders?: ApiHeaders;
  /** A fixed id; without it the API assigns one. */
  readonly workerId?: string;
  /** An id to ask for at the first registration, to be given up when somebody else takes it. */
  readonly preferredWorkerId?: string;
  readonly backendType: string;
  /** How many tasks to run at a time. */
  readonly concurrency: number;
  /** Globs of the problems to claim. */
  readonly problems: readonly string[];
  readonly catalog?: Catalog;
  readonly metadata?: Record<string, unknown>;
  /** How long `drain` may take before what still runs is handed back, in milliseconds; without it as long as the tasks do. */
  readonly drainMs?: number;
  /** Leaves after so many tasks, when the last of them has ended. */
  readonly maxTasks?: number;
  /** Leaves when it has run nothing for so long, in milliseconds. */
  readonly maxIdleMs?: number;
  /** What keeps this worker from running tasks, or null; while there is something, it claims none. The catalog's own where absent. */
  readonly health?: HealthCheck;
  /** Where reports wait on disk; the worker closes it. Without it they wait in memory alone. */
  readonly spool?: Spool;
  /** The thread for the heartbeats; several workers of a process may share one. Without it the worker has its own. */
  readonly pulses?: Pulses;
  readonly log: WorkerLog;
}

/**
 * Why a worker ended: it was told to, somebody took its fixed id, the API refuses its registration, or never answered it in the time
 * that the worker may be idle.
 */
export type WorkerEnd = 'left' | 'superseded' | 'refused' | 'unreached';

/** How a worker is at this moment. */
export interface WorkerState {
  /** Whether it has a session. */
  readonly registered: boolean;
  readonly running: number;
  /** Why it claims nothing, or null. */
  readonly unfit: string | null;
  /** Whether it, or the API, wants it to claim nothing more. */
  readonly draining: boolean;
  /** What is left of the lease, or null without a session. */
  readonly leaseLeftMs: number | null;
  /** Reports that the API has not yet answered. */
  readonly waitingReports: number;
  readonly spoolBytes: number;
  readonly tally: Readonly<Tally>;
}

export interface RunningWorker {
  /** The worker's id; null before the first registration. */
  readonly id: string | null;
  readonly status: WorkerStatus;
  readonly currentTaskId: string | null;
  /** Resolves at the first registration, or when the worker ends without one. */
  readonly registered: Promise<void>;
  readonly stopped: Promise<WorkerEnd>;
  state(): WorkerState;
  /** Claims `problems` from now on, after a look at whether the host is fit; what runs goes on. */
  offer(problems: readonly string[]): void;
  /** Claims nothing more, finishes what runs (hands it back after `drainMs`), then leaves. */
  drain(): Promise<void>;
  /** Stops what runs, hands it back and leaves. */
  release(): Promise<void>;
}
