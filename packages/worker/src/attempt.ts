/**
 * One attempt: run the executor, ship its log, report how it went. Why an attempt is stopped decides what is said about
 * it: a released one is handed back, a timed-out one has failed, and of one that is not ours any more nothing is said.
 */
import { LIMITS, type ApiClient, type WorkerIdentity } from '@task-executor/shared';
import type { Catalog } from './catalog.js';
import { execute } from './execution.js';
import type { Execution, Failed, Task } from './executors/executor.js';
import type { WorkerLog } from './log.js';
import { LogShipper, storable } from './log-shipper.js';
import { deliver } from './report.js';

/** Why an attempt was stopped from outside. */
export type StopReason = 'cancelled' | 'lost' | 'fenced' | 'released' | 'timeout';

/** The API ends attempts by its own clock; this one only frees the worker should the API be slow to say so. */
const TIMEOUT_MARGIN_MS = 2_000;
const MAX_RESULT_CHARS = 900 * 1024;

export class Attempt {
  readonly task: Task;
  /** Resolves when nothing of it runs and everything is said; never rejects. */
  readonly finished: Promise<void>;
  /** Aborts the executor. */
  readonly #running = new AbortController();
  /** Aborts reports and log lines too: this worker does not hold the attempt. */
  readonly #disowned = new AbortController();
  readonly #client: ApiClient;
  readonly #worker: WorkerIdentity;
  readonly #log: WorkerLog;
  #stopReason: StopReason | null = null;
  #unfit: string | null = null;

  constructor(parts: { task: Task; client: ApiClient; worker: WorkerIdentity; catalog: Catalog; log: WorkerLog }) {
    this.task = parts.task;
    this.#client = parts.client;
    this.#worker = parts.worker;
    this.#log = parts.log;
    this.finished = this.#run(parts.catalog).catch((error: unknown) => {
      this.#log.error({ event: 'attempt_broken', task_id: this.task.id, error: String(error) }, 'an attempt ended by a mistake of the worker');
    });
  }

  /** Once it has finished: why this host should take no other task for now, or null. */
  get unfit(): string | null {
    return this.#unfit;
  }

  /** Stops it, for the first reason that is given; that it is not ours any more outweighs any other. */
  stop(reason: StopReason): void {
    const disowning = reason === 'cancelled' || reason === 'lost' || reason === 'fenced';
    if (this.#stopReason === null || disowning) this.#stopReason = reason;
    if (disowning) this.#disowned.abort();
    this.#running.abort();
  }

  async #run(catalog: Catalog): Promise<void> {
    const about = { task_id: this.task.id, attempt: this.task.attempt };
    this.#log.info({ event: 'attempt_started', ...about, problem_id: this.task.problem_id }, 'an attempt started');
    const shipper = new LogShipper(async (offset, entries) => {
      const { next_offset } = await this.#client.appendLogs(this.#worker, this.#identity(), { offset, entries });
      return next_offset;
    }, this.#disowned.signal);
    const timer = setTimeout(() => {
      this.stop('timeout');
    }, this.task.timeout_seconds * 1000 + TIMEOUT_MARGIN_MS);
    const execution = await execute(catalog.find(this.task.problem_id), this.task, {
      log: (level, message, context) => shipper.log(level, message, context),
      putProgress: (progress) => this.#client.putProgress(this.#worker, this.#identity(), progress),
      putArtifact: (upload, signal) => this.#client.putArtifact(this.#worker, this.#identity(), upload, signal),
    }, { stop: this.#running.signal, disowned: this.#disowned.signal });
    clearTimeout(timer);
    this.#unfit = execution.kind === 'unfit' ? execution.reason : (execution.unfit ?? null);
    await shipper.close();
    await this.#say(execution);
    this.#log.info({ event: 'attempt_ended', ...about, outcome: this.#stopReason ?? execution.kind }, 'an attempt ended');
  }

  #identity(): { task_id: string; attempt: number } {
    return { task_id: this.task.id, attempt: this.task.attempt };
  }

  async #say(execution: Execution): Promise<void> {
    if (this.#disowned.signal.aborted) return;
    const stop = this.#disowned.signal;
    const refusal = await deliver(this.#reportOf(execution), stop, this.#log, this.task.id);
    if (refusal === null || refusal.status === 409 || refusal.status === 404 || execution.kind === 'failed') return;
    // The result itself was refused; the task must not wait for its timeout because of it.
    const failed: Execution = { kind: 'failed', error: `the result was not taken: ${refusal.message}` };
    await deliver(this.#reportOf(failed), stop, this.#log, this.task.id);
  }

  #reportOf(execution: Execution): () => Promise<unknown> {
    const [client, worker, identity] = [this.#client, this.#worker, this.#identity()];
    const fail = ({ error, retryable, retryAfterSeconds }: Omit<Failed, 'kind'>): (() => Promise<unknown>) => () => client.fail(worker, identity, {
      error: storable(error).slice(0, LIMITS.maxErrorChars).toWellFormed() || 'no reason given',
      ...(retryable !== undefined && { retryable }),
      ...(retryAfterSeconds !== undefined && { retry_after_seconds: Math.min(retryAfterSeconds, LIMITS.maxBackoffSeconds) }),
    });
    const release = (reason: string): (() => Promise<unknown>) => () =>
      client.release(worker, identity, { reason: storable(reason).slice(0, LIMITS.maxReleaseReasonChars).toWellFormed() });
    // What was finished before the stop arrived is finished.
    if (execution.kind === 'completed') {
      if (JSON.stringify(execution.result).length > MAX_RESULT_CHARS) return fail({ error: `the result is larger than ${MAX_RESULT_CHARS} characters` });
      return () => client.complete(worker, identity, execution.result);
    }
    if (this.#stopReason === 'released') return release('the worker is leaving');
    if (execution.kind === 'unfit') return release(`this worker is not fit: ${execution.reason}`);
    if (this.#stopReason === 'timeout') return fail({ error: `timed out after ${this.task.timeout_seconds} seconds` });
    return fail(execution);
  }
}
