/**
 * One session of a worker: heartbeats, claims and attempts from a registration to the session's end. It ends when the
 * API says so (409), when its lease has run out by this host's monotonic clock, or when the worker leaves. The loops are
 * separate, so that a claim that hangs never delays a heartbeat.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, backoffMs, type ApiClient, type WorkerIdentity, type components } from '@task-executor/shared';
import { Attempt, type StopReason } from './attempt.js';
import type { Catalog } from './catalog.js';
import type { WorkerLog } from './log.js';

type Registered = components['schemas']['WorkerSession'];

/** Why a session ended: fenced off for good, over and to be replaced, or left. */
export type SessionEnd = 'superseded' | 'lapsed' | 'left';

const CLAIM_WAIT_SECONDS = 20;
const RETRY = { initialMs: 200, maxMs: 10_000 };

export class Session {
  readonly identity: WorkerIdentity;
  readonly attempts = new Map<string, Attempt>();
  readonly #client: ApiClient;
  readonly #catalog: Catalog;
  readonly #concurrency: number;
  readonly #log: WorkerLog;
  readonly #over = new AbortController();
  readonly #claiming = new AbortController();
  #end: SessionEnd | null = null;
  #heartbeatMs: number;
  #leaseMs: number;
  #renewedAt: number;
  #changed: () => void = () => undefined;

  constructor(parts: {
    registered: Registered; registeredAt: number; client: ApiClient; catalog: Catalog; concurrency: number; log: WorkerLog;
  }) {
    this.identity = { workerId: parts.registered.id, session: parts.registered.session };
    this.#client = parts.client;
    this.#catalog = parts.catalog;
    this.#concurrency = parts.concurrency;
    this.#log = parts.log;
    this.#heartbeatMs = parts.registered.heartbeat_interval_seconds * 1000;
    this.#leaseMs = parts.registered.lease_seconds * 1000;
    this.#renewedAt = parts.registeredAt;
  }

  /** Runs until the session has ended and nothing of it runs any more. */
  async run(): Promise<SessionEnd> {
    await Promise.all([this.#heartbeats(), this.#claims()]);
    if (this.#end !== 'left') this.stopAttempts('fenced');
    await this.idle();
    return this.#end ?? 'left';
  }

  /** Claims nothing more. */
  stopClaiming(): void {
    this.#claiming.abort();
  }

  stopAttempts(reason: StopReason): void {
    for (const attempt of this.attempts.values()) attempt.stop(reason);
  }

  /** Resolves when no attempt runs. */
  async idle(): Promise<void> {
    while (this.attempts.size > 0) await Promise.all([...this.attempts.values()].map((attempt) => attempt.finished));
  }

  /** Ends the session; heartbeats and claims stop. */
  end(reason: SessionEnd): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#claiming.abort();
    this.#over.abort();
    this.#changed();
  }

  async #heartbeats(): Promise<void> {
    let failures = 0;
    while (!this.#over.signal.aborted) {
      const pause = failures === 0 ? this.#heartbeatMs * (0.8 + 0.2 * Math.random()) : Math.min(this.#heartbeatMs, backoffMs(RETRY, failures, Math.random()));
      await sleep(pause, undefined, { signal: this.#over.signal }).catch(() => undefined);
      if (this.#isOver()) return;
      failures = (await this.#heartbeat()) ? 0 : failures + 1;
      if (performance.now() - this.#renewedAt > this.#leaseMs) {
        this.#log.warn({ event: 'lease_run_out', worker_id: this.identity.workerId }, 'the lease has run out; what runs is stopped');
        this.end('lapsed');
      }
    }
  }

  /** One heartbeat, bounded by what is left of the lease. Whether it was answered. */
  async #heartbeat(): Promise<boolean> {
    // The lease counts from before the call: the API may have renewed it at any moment since.
    const began = performance.now();
    const left = Math.ceil(Math.max(100, this.#renewedAt + this.#leaseMs - began));
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(left)]);
    const attempts = [...this.attempts.values()].map(({ task }) => ({ task_id: task.id, attempt: task.attempt }));
    try {
      const answer = await this.#client.heartbeat(this.identity, { status: attempts.length > 0 ? 'busy' : 'idle', attempts }, signal);
      this.#renewedAt = began;
      this.#leaseMs = answer.lease_seconds * 1000;
      this.#heartbeatMs = answer.heartbeat_interval_seconds * 1000;
      this.#obey(answer.directives);
      return true;
    } catch (error) {
      if (!this.#endedBy(error) && !this.#over.signal.aborted) {
        this.#log.warn({ event: 'heartbeat_failed', error: String(error) }, 'a heartbeat was not answered');
      }
      return false;
    }
  }

  #obey(directives: components['schemas']['Directives']): void {
    for (const [kind, list] of [['cancelled', directives.cancel], ['lost', directives.lost]] as const) {
      for (const { task_id: taskId, attempt } of list) {
        const running = this.attempts.get(taskId);
        if (running !== undefined && (attempt === null || attempt === running.task.attempt)) running.stop(kind);
      }
    }
    if (directives.drain) this.stopClaiming();
  }

  async #claims(): Promise<void> {
    let failures = 0;
    let requestId = randomUUID();
    const stop = AbortSignal.any([this.#claiming.signal, this.#over.signal]);
    while (!stop.aborted) {
      if (this.attempts.size >= this.#concurrency) {
        await this.#change(stop);
        continue;
      }
      try {
        const task = await this.#client.claim(this.identity, { wait_seconds: CLAIM_WAIT_SECONDS, request_id: requestId }, stop);
        failures = 0;
        // The same id until an answer came: a claim whose answer was lost gets its task again.
        requestId = randomUUID();
        if (task !== null && !this.#over.signal.aborted) this.#begin(new Attempt({
          task, client: this.#client, worker: this.identity, catalog: this.#catalog, log: this.#log,
        }));
      } catch (error) {
        if (this.#endedBy(error) || this.#isOver() || this.#claiming.signal.aborted) return;
        failures += 1;
        this.#log.warn({ event: 'claim_failed', error: String(error) }, 'a claim was not answered');
        const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        await sleep(Math.max(asked, backoffMs(RETRY, failures, Math.random())), undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #begin(attempt: Attempt): void {
    this.attempts.set(attempt.task.id, attempt);
    void attempt.finished.then(() => {
      this.attempts.delete(attempt.task.id);
      this.#changed();
    });
  }

  /** Resolves when an attempt finished or `stop` aborted. */
  #change(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
      stop.addEventListener('abort', () => {
        resolve();
      }, { once: true });
      if (stop.aborted || this.attempts.size < this.#concurrency) resolve();
    });
  }

  /** Whether the API said that this session is over. */
  #endedBy(error: unknown): boolean {
    if (!(error instanceof ApiError)) return false;
    if (error.code === 'session_superseded') this.end('superseded');
    else if (error.code === 'session_ended' || error.code === 'worker_not_found') this.end('lapsed');
    else return false;
    return true;
  }
}
