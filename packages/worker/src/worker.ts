/**
 * A worker: sessions one after another, until it is told to leave. Usable inside another process (the API runs its
 * internal workers this way) or as one of its own (main.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, ApiError, backoffMs, type WorkerStatus, type components } from '@task-executor/shared';
import { BUILT_IN_CATALOG, type Catalog } from './catalog.js';
import type { WorkerLog } from './log.js';
import { Session } from './session.js';

export interface WorkerOptions {
  readonly apiUrl: string;
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
  /** How long a drain may take before what still runs is handed back, in milliseconds; without it as long as the tasks do. */
  readonly drainMs?: number;
  readonly log: WorkerLog;
}

/** Why a worker ended: it was told to, somebody took its fixed id, or the API refuses its registration. */
export type WorkerEnd = 'left' | 'superseded' | 'refused';

export interface RunningWorker {
  /** Null before the first registration. */
  readonly id: string | null;
  readonly status: WorkerStatus;
  readonly currentTaskId: string | null;
  /** Resolves at the first registration, or when the worker ends without one. */
  readonly registered: Promise<void>;
  readonly stopped: Promise<WorkerEnd>;
  /** Claims nothing more, finishes what runs (hands it back after `drainMs`), then leaves. */
  drain(): Promise<void>;
  /** Stops what runs, hands it back and leaves. */
  release(): Promise<void>;
}

const RETRY = { initialMs: 300, maxMs: 10_000 };

export function startWorker(options: WorkerOptions): RunningWorker {
  return new Worker(options);
}

class Worker implements RunningWorker {
  readonly registered: Promise<void>;
  readonly stopped: Promise<WorkerEnd>;
  readonly #options: WorkerOptions;
  readonly #client: ApiClient;
  readonly #leaving = new AbortController();
  #releasing = false;
  #session: Session | null = null;
  #id: string | null = null;
  #announce: () => void = () => undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#client = new ApiClient(options.apiUrl);
    this.registered = new Promise((resolve) => {
      this.#announce = resolve;
    });
    this.stopped = this.#run().finally(() => {
      this.#announce();
    });
  }

  get id(): string | null {
    return this.#id;
  }

  get status(): WorkerStatus {
    if (this.#session === null) return 'offline';
    return this.#session.attempts.size > 0 ? 'busy' : 'idle';
  }

  get currentTaskId(): string | null {
    return this.#session?.attempts.keys().next().value ?? null;
  }

  async drain(): Promise<void> {
    this.#leaving.abort();
    this.#session?.stopClaiming();
    const { drainMs, log } = this.#options;
    const timer = drainMs === undefined ? undefined : setTimeout(() => {
      log.warn({ event: 'drain_over', worker_id: this.#id }, 'the drain took too long; what runs is handed back');
      void this.release();
    }, drainMs);
    await this.stopped;
    clearTimeout(timer);
  }

  async release(): Promise<void> {
    this.#releasing = true;
    this.#leaving.abort();
    this.#session?.stopClaiming();
    this.#session?.stopAttempts('released');
    await this.stopped;
  }

  async #run(): Promise<WorkerEnd> {
    try {
      let wanted = this.#options.workerId ?? this.#options.preferredWorkerId;
      while (!this.#leaving.signal.aborted) {
        const registeredAt = performance.now();
        const registered = await this.#register(wanted);
        if (registered === null) return this.#isLeaving() ? 'left' : 'refused';
        const end = await this.#live(new Session({
          registered, registeredAt, client: this.#client, catalog: this.#options.catalog ?? BUILT_IN_CATALOG,
          concurrency: this.#options.concurrency, log: this.#options.log,
        }));
        if (end === 'left') return 'left';
        this.#options.log.warn({ event: 'session_over', worker_id: this.#id, reason: end }, 'the session is over');
        if (end === 'superseded' && this.#options.workerId !== undefined) return 'superseded';
        // An assigned id may be somebody else's by now.
        wanted = this.#options.workerId;
      }
      return 'left';
    } finally {
      await this.#client.close();
    }
  }

  /** Runs one session; where the worker leaves, waits for its attempts and deregisters. */
  async #live(session: Session): Promise<'superseded' | 'lapsed' | 'left'> {
    this.#session = session;
    this.#id = session.identity.workerId;
    this.#announce();
    this.#options.log.info({ event: 'registered', worker_id: this.#id }, 'registered');
    const leave = async (): Promise<void> => {
      session.stopClaiming();
      if (this.#releasing) session.stopAttempts('released');
      await session.idle();
      session.end('left');
    };
    const onLeaving = (): void => {
      void leave();
    };
    if (this.#leaving.signal.aborted) onLeaving();
    else this.#leaving.signal.addEventListener('abort', onLeaving, { once: true });
    const end = await session.run();
    this.#leaving.signal.removeEventListener('abort', onLeaving);
    this.#session = null;
    if (end === 'left') {
      // Should this fail, the lease lapses by itself.
      await this.#client.deregister(session.identity).catch((error: unknown) => {
        this.#options.log.warn({ event: 'deregister_failed', error: String(error) }, 'leaving was not noted by the API');
      });
    }
    return end;
  }

  #isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  /** Registers, however long the API is away. Null: it refuses, or the worker is leaving. */
  async #register(workerId: string | undefined): Promise<components['schemas']['WorkerSession'] | null> {
    const { backendType, concurrency, problems, metadata, log } = this.#options;
    const { signal } = this.#leaving;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await this.#client.register({
          ...(workerId === undefined ? {} : { worker_id: workerId }),
          backend_type: backendType,
          capabilities: { max_parallel_tasks: concurrency, supported_problems: [...problems] },
          metadata: metadata ?? {},
        }, signal);
      } catch (error) {
        if (this.#isLeaving()) return null;
        if (error instanceof ApiError && !error.retryable) {
          log.error({ event: 'registration_refused', error: error.message }, 'the API refuses the registration');
          return null;
        }
        log.warn({ event: 'registration_failed', error: String(error) }, 'the API is away; trying again');
        const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        await sleep(Math.max(asked, backoffMs(RETRY, failures, Math.random())), undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }
}
