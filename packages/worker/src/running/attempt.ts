/**
 * One attempt: run the executor, take its log, report how it went. Why an attempt is stopped decides what is said about it: a
 * released one is handed back, a timed-out one has failed, and of one that is not ours any more nothing is said. Once its executor has
 * said how it went, that is what is reported, whatever happens during cleanup.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@task-executor/shared';
import { storableText } from '../calls/storable.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Execution, Failed, Task } from '../executors/executor.js';
import type { WorkerLog } from '../log.js';
import type { Outbox } from '../reporting/outbox.js';
import type { Report } from '../reporting/report.js';
import { execute, type AttemptChannel } from './execution.js';

/** Why an attempt was stopped from outside. */
export type StopReason = 'cancelled' | 'lost' | 'fenced' | 'released' | 'timeout';

export interface AttemptParts {
  readonly task: Task;
  readonly outbox: Outbox;
  readonly channel: Pick<AttemptChannel, 'putProgress' | 'readTask'>;
  readonly catalog: Catalog;
  readonly log: WorkerLog;
}

/** How an attempt ended, as this worker sees it. */
export interface AttemptEnd {
  readonly kind: StopReason | Execution['kind'] | 'broken';
  /** Why this host should take no other task for now, or null. */
  readonly unfit: string | null;
}

/** The API ends attempts by its own clock; this one only frees the worker should the API be slow to say so. */
const TIMEOUT_MARGIN_MS = 2_000;
/**
 * How long the API then has to say it still, before the task is called failed: only the API can end it as `timeout`, and while the
 * log of a task that writes without a pause is stored, its sweep passes the task by.
 */
const VERDICT_MS = 10_000;
/** How long a worker that leaves waits until its lines are taken, and for the answer to a report. What the spool has is not lost then. */
const LAST_WORDS_MS = 10_000;
/**
 * How long a result may be as JSON: below what a body may have (LIMITS.maxBodyBytes). One that has more bytes for its characters is
 * refused by the API, which fails the task, too.
 */
const MAX_RESULT_CHARS = 900 * 1024;

export class Attempt {
  readonly task: Task;
  /** Resolves when nothing of the attempt runs, and everything is said or is the outbox's own affair; never rejects. */
  readonly finished: Promise<AttemptEnd>;
  /** Resolves when the outbox has nothing of it any more; never rejects. */
  readonly said: Promise<void>;
  /** Aborts the executor. */
  readonly #running = new AbortController();
  readonly #outbox: Outbox;
  readonly #log: WorkerLog;
  #ended = false;
  /** What is to be reported, once its executor has said how it went: no stop changes that any more. */
  #decided: Report | null = null;
  #stopReason: StopReason | null = null;
  #isHurried = false;
  /** Resolves when no answer of the API is waited for any more, by `#endWait`. */
  readonly #waitOver: Promise<void>;
  #endWait: () => void = () => undefined;

  constructor(parts: AttemptParts) {
    this.task = parts.task;
    this.#outbox = parts.outbox;
    this.#log = parts.log;
    this.#waitOver = new Promise((resolve) => {
      this.#endWait = resolve;
    });
    let endSaid: () => void = () => undefined;
    this.said = new Promise((resolve) => {
      endSaid = resolve;
    });
    this.finished = this.#run(parts.catalog, parts.channel, endSaid).catch((error: unknown) => {
      endSaid();
      const about = { event: 'attempt_broken', task_id: this.task.id, error: String(error) };
      this.#log.error(about, 'an attempt ended by a mistake of the worker');
      return { kind: 'broken', unfit: null };
    });
  }

  /** Whether nothing of the attempt runs any more, though not all is said. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Stops the attempt, for the first reason that is given; that it is not ours any more outweighs any other. */
  stop(reason: StopReason): void {
    const disowning = isDisowning(reason);
    if (disowning) this.#endWait();
    if (reason === 'released') void this.#hurry();
    if (this.#decided !== null || this.#ended) return;
    if (this.#stopReason === null || disowning) this.#stopReason = reason;
    if (disowning) this.#outbox.abandon();
    this.#running.abort();
  }

  async #run(catalog: Catalog, channel: AttemptParts['channel'], endSaid: () => void): Promise<AttemptEnd> {
    const about = { task_id: this.task.id, attempt: this.task.attempt };
    this.#log.info({ event: 'attempt_started', ...about, problem_id: this.task.problem_id }, 'an attempt started');
    const timer = setTimeout(() => {
      this.stop('timeout');
    }, this.task.timeout_seconds * 1000 + TIMEOUT_MARGIN_MS);
    const { execution, artifacts } = await execute(catalog.find(this.task.problem_id), this.task, {
      ...channel, log: (level, message, context) => this.#outbox.log(level, message, context),
      decide: (one) => this.#decide(one),
      progressRefused: (error) => {
        const refused = { event: 'progress_refused', ...about, error: error.message };
        this.#log.debug(refused, 'the API takes no progress of this attempt; none is sent any more');
      },
    }, { stop: this.#running.signal, isDisowned: () => this.#outbox.isAbandoned, disowned: () => this.#outbox.abandoned });
    clearTimeout(timer);
    if (this.#stopReason === 'timeout' && execution.kind !== 'completed') await this.#awaitVerdict();
    this.#ended = true;
    const end = this.#endOf(execution);
    if (this.#outbox.isAbandoned) {
      if (artifacts !== null) await this.#outbox.removeArtifacts(artifacts);
      endSaid();
    } else {
      if (this.#isHurried) void this.#boundAnswer();
      // A full disk shows only after cleanup, so 'unfit' overrides what was decided.
      const report = this.#decided === null || execution.kind === 'unfit' ? this.#reportOf(execution) : this.#decided;
      await Promise.race([this.#outbox.report(report, artifacts).finally(endSaid), this.#waitOver]);
    }
    this.#log.info({ event: 'attempt_ended', ...about, outcome: end.kind }, 'an attempt ended');
    return end;
  }

  /** Keeps how the attempt went, unless it was broken off: what is said then depends on why, which may yet change. */
  async #decide(execution: Execution): Promise<void> {
    const isBrokenOff = this.#stopReason !== null && execution.kind !== 'completed';
    if (isBrokenOff || this.#outbox.isAbandoned) return;
    this.#decided = this.#reportOf(execution);
    await this.#outbox.keep(this.#decided);
  }

  /** Until the attempt is taken from us, or the API has had VERDICT_MS to end it. */
  async #awaitVerdict(): Promise<void> {
    const over = new AbortController();
    await Promise.race([sleep(VERDICT_MS, undefined, { signal: over.signal }).catch(() => undefined), this.#waitOver]);
    over.abort();
  }

  /** Nothing waits for the API for long from now on. */
  async #hurry(): Promise<void> {
    if (this.#isHurried) return;
    this.#isHurried = true;
    if (this.#ended) void this.#boundAnswer();
    await sleep(LAST_WORDS_MS, undefined, { ref: false });
    this.#outbox.hurry();
  }

  async #boundAnswer(): Promise<void> {
    await sleep(LAST_WORDS_MS, undefined, { ref: false });
    this.#endWait();
  }

  #endOf(execution: Execution): AttemptEnd {
    const unfit = execution.kind === 'unfit' ? execution.reason : (execution.unfit ?? null);
    // What was finished before the stop arrived is finished.
    const isStopped = this.#stopReason !== null && (this.#outbox.isAbandoned || execution.kind !== 'completed');
    return { kind: isStopped && this.#stopReason !== null ? this.#stopReason : execution.kind, unfit };
  }

  #reportOf(execution: Execution): Report {
    if (execution.kind === 'completed') {
      if (JSON.stringify(execution.result).length > MAX_RESULT_CHARS) {
        return fail({ error: `the result is larger than ${MAX_RESULT_CHARS} characters` });
      }
      return { verb: 'complete', body: execution.result };
    }
    if (this.#stopReason === 'released') return release('the worker is leaving');
    if (execution.kind === 'unfit') return release(`this worker is not fit: ${execution.reason}`);
    if (this.#stopReason === 'timeout') return fail({ error: `timed out after ${this.task.timeout_seconds} seconds` });
    return fail(execution);
  }
}

function fail({ error, retryable, retryAfterSeconds }: Omit<Failed, 'kind'>): Report {
  return {
    verb: 'fail',
    body: {
      error: storableText(error, LIMITS.maxErrorChars) || 'no reason given',
      ...(retryable !== undefined && { retryable }),
      ...(retryAfterSeconds !== undefined && { retry_after_seconds: Math.min(retryAfterSeconds, LIMITS.maxBackoffSeconds) }),
    },
  };
}

function release(reason: string): Report {
  return { verb: 'release', body: { reason: storableText(reason, LIMITS.maxReleaseReasonChars) } };
}

function isDisowning(reason: StopReason): boolean {
  return reason === 'cancelled' || reason === 'lost' || reason === 'fenced';
}
