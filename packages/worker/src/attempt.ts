/**
 * One attempt: run the executor, take its log, report how it went. Why an attempt is stopped decides what is said about it: a
 * released one is handed back, a timed-out one has failed, and of one that is not ours any more nothing is said. One that
 * has ended by itself is reported, whatever happens to it afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@task-executor/shared';
import { findEntry, type CatalogEntry } from './catalog.js';
import type { Execution, Task } from './executors/executor.js';
import type { WorkerLog } from './log.js';
import { storable } from './log-shipper.js';
import type { Outbox } from './outbox.js';
import type { Report } from './report.js';

/** Why an attempt was stopped from outside. */
export type StopReason = 'cancelled' | 'lost' | 'fenced' | 'released' | 'timeout';

/** How an attempt ended, as this worker sees it. */
export type AttemptEnd =
  | { readonly kind: StopReason | 'completed' | 'failed' | 'broken' }
  | { readonly kind: 'unfit'; readonly reason: string };

/** The API ends attempts by its own clock; this one only frees the worker should the API be slow to say so. */
const TIMEOUT_MARGIN_MS = 2_000;
/** How long a worker that leaves waits for the answer to a report. What the spool has is not lost then. */
const LAST_WORDS_MS = 10_000;
const MAX_RESULT_CHARS = 900 * 1024;

export class Attempt {
  readonly task: Task;
  /** Resolves when nothing of it runs, and everything is said or is the outbox's own affair; never rejects. */
  readonly finished: Promise<AttemptEnd>;
  /** Resolves when the outbox has nothing of it any more; never rejects. */
  readonly said: Promise<void>;
  /** Aborts the executor. */
  readonly #running = new AbortController();
  readonly #outbox: Outbox;
  readonly #log: WorkerLog;
  #ended = false;
  #stopReason: StopReason | null = null;
  /** Ends the wait for the API's answer. */
  #letGo: () => void = () => undefined;
  readonly #answered: Promise<void>;

  constructor(parts: { task: Task; outbox: Outbox; catalog: readonly CatalogEntry[]; log: WorkerLog }) {
    this.task = parts.task;
    this.#outbox = parts.outbox;
    this.#log = parts.log;
    this.#answered = new Promise((resolve) => {
      this.#letGo = resolve;
    });
    let endSaid: () => void = () => undefined;
    this.said = new Promise((resolve) => {
      endSaid = resolve;
    });
    this.finished = this.#run(parts.catalog, endSaid).catch((error: unknown) => {
      endSaid();
      this.#log.error({ event: 'attempt_broken', task_id: this.task.id, error: String(error) }, 'an attempt ended by a mistake of the worker');
      return { kind: 'broken' };
    });
  }

  /** Stops it, for the first reason that is given; that it is not ours any more outweighs any other. */
  stop(reason: StopReason): void {
    const disowning = isDisowning(reason);
    if (disowning) this.#letGo();
    if (this.#ended) {
      if (reason === 'released') void this.#hurry();
      return;
    }
    if (this.#stopReason === null || disowning) this.#stopReason = reason;
    if (disowning) this.#outbox.abandon();
    this.#running.abort();
  }

  async #run(catalog: readonly CatalogEntry[], endSaid: () => void): Promise<AttemptEnd> {
    const about = { task_id: this.task.id, attempt: this.task.attempt };
    this.#log.info({ event: 'attempt_started', ...about, problem_id: this.task.problem_id }, 'an attempt started');
    const timer = setTimeout(() => {
      this.stop('timeout');
    }, this.task.timeout_seconds * 1000 + TIMEOUT_MARGIN_MS);
    let execution: Execution;
    try {
      execution = await this.#execute(catalog);
    } finally {
      clearTimeout(timer);
    }
    this.#ended = true;
    const disowned = this.#stopReason !== null && isDisowning(this.#stopReason);
    const end = this.#endOf(execution, disowned);
    if (disowned) {
      endSaid();
    } else {
      if (this.#stopReason === 'released') void this.#hurry();
      await Promise.race([this.#outbox.report(this.#reportOf(execution)).finally(endSaid), this.#answered]);
    }
    this.#log.info({ event: 'attempt_ended', ...about, outcome: end.kind }, 'an attempt ended');
    return end;
  }

  async #execute(catalog: readonly CatalogEntry[]): Promise<Execution> {
    const entry = findEntry(catalog, this.task.problem_id);
    if (entry === null) return { kind: 'failed', error: `this worker has no executor for ${this.task.problem_id}` };
    try {
      return await entry.executor({
        task: this.task,
        signal: this.#running.signal,
        log: (level, message, context) => this.#outbox.log(level, message, context),
      });
    } catch (error) {
      return { kind: 'failed', error: `the executor broke: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  async #hurry(): Promise<void> {
    await sleep(LAST_WORDS_MS, undefined, { ref: false });
    this.#letGo();
  }

  #endOf(execution: Execution, disowned: boolean): AttemptEnd {
    // What was finished before the stop arrived is finished.
    if (this.#stopReason !== null && (disowned || execution.kind !== 'completed')) return { kind: this.#stopReason };
    return execution.kind === 'unfit' ? { kind: 'unfit', reason: execution.reason } : { kind: execution.kind };
  }

  #reportOf(execution: Execution): Report {
    const fail = (error: string): Report => ({ verb: 'fail', body: { error: storable(error).slice(0, LIMITS.maxErrorChars).toWellFormed() || 'no reason given' } });
    if (execution.kind === 'completed') {
      if (JSON.stringify(execution.result).length > MAX_RESULT_CHARS) return fail(`the result is larger than ${MAX_RESULT_CHARS} characters`);
      return { verb: 'complete', body: execution.result };
    }
    if (this.#stopReason === 'released') return { verb: 'release', body: { reason: 'the worker is leaving' } };
    if (this.#stopReason === 'timeout') return fail(`timed out after ${this.task.timeout_seconds} seconds`);
    if (execution.kind === 'unfit') return { verb: 'release', body: { reason: storable(execution.reason).slice(0, LIMITS.maxReleaseReasonChars).toWellFormed() } };
    return fail(execution.error);
  }
}

function isDisowning(reason: StopReason): boolean {
  return reason === 'cancelled' || reason === 'lost' || reason === 'fenced';
}
