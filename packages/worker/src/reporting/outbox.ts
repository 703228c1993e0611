/**
 * What one attempt has to say to the API: its log lines, its artifacts, then its final report. A report is kept in the spool from
 * the moment that it is known, before a cleanup is run and artifacts are stored, and is sent until there is a definite answer,
 * whatever becomes of the session meanwhile: a result that comes too late is kept by the API beside its attempt.
 */
import type { ApiError, LogLevel, WorkerIdentity } from '@task-executor/shared';
import { adviceOn, isDefinite, isStuck } from '../calls/answer.js';
import { pause, RETRY, retryDelayMs } from '../calls/retry.js';
import { removeFolder } from '../executors/removal.js';
import type { WorkerLog } from '../log.js';
import type { AttemptIdentity } from '../spool/parcel.js';
import type { Leftover, Spool } from '../spool/spool.js';
import { storeArtifacts } from './artifacts.js';
import type { Courier } from './courier.js';
import type { BatchStore } from './log-batch.js';
import { LogShipper } from './log-shipper.js';
import type { Report } from './report.js';

/** The waits where somebody has to do something first. */
const STUCK_RETRY = { initialMs: 200, maxMs: 30_000 };
/** After so many answers that settle nothing, though the API is not away, a report counts as stuck. */
const STUCK_ANSWERS = 3;

/** How much of a refused result its failure quotes: nothing else keeps it, and the log is closed by then. */
const MAX_QUOTED_CHARS = 4_000;

export interface OutboxParts {
  readonly identity: AttemptIdentity;
  readonly courier: Courier;
  readonly spool: Spool | null;
  readonly log: WorkerLog;
  /** Aborts when the process ends: what is in the spool stays there. */
  readonly halted: AbortSignal;
  /** Told whenever `waiting` may have changed. */
  readonly changed: () => void;
  readonly leftover?: Leftover;
}

export class Outbox {
  readonly identity: AttemptIdentity;
  readonly #courier: Courier;
  readonly #worker: WorkerIdentity;
  readonly #spool: Spool | null;
  readonly #log: WorkerLog;
  readonly #halted: AbortSignal;
  readonly #changed: () => void;
  readonly #abandoned = new AbortController();
  readonly #leftover: Leftover | undefined;
  /** Made with the first line, or for those that are left: many attempts say nothing but how they ended. */
  #shipper: LogShipper | null = null;
  #isAbandoned = false;
  #isHurried = false;
  /** What the spool has of the report. */
  #kept: { readonly report: Report; readonly artifacts: string | null; readonly lines: number } | null = null;
  #delivering = false;
  #stuckAnswers = 0;
  /** Whether the log, which comes before the report, does not get through until somebody does something. */
  #isBlocked = false;

  constructor({ identity, courier, spool, log, halted, changed, leftover }: OutboxParts) {
    this.identity = identity;
    this.#courier = courier;
    this.#worker = { workerId: identity.worker_id, session: identity.session };
    this.#spool = spool;
    this.#log = log;
    this.#halted = halted;
    this.#changed = changed;
    this.#leftover = leftover;
  }

  /** Whether there is a report that the API may yet take, if it only answers. */
  get waiting(): boolean {
    return this.#delivering && !this.#isBlocked && this.#stuckAnswers < STUCK_ANSWERS;
  }

  /** Takes one line; resolves when there is room for the next. */
  log(level: LogLevel, message: string, context?: Record<string, unknown>): Promise<void> {
    return this.#shipping().log(level, message, context);
  }

  /** Lets no line wait for room from now on; a mark says where lines are missing. */
  hurry(): void {
    this.#isHurried = true;
    this.#shipper?.hurry();
  }

  /** Says nothing more: the attempt is not this worker's, and has not ended by itself. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#abandoned.abort();
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Aborts at `abandon`. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** To be called when `halted` has aborted: what waits for its log ends, too. */
  halt(): void {
    this.#shipper?.halt();
  }

  /** Keeps what will be the last word of the attempt, in place of what was kept before; to be followed by `report`. */
  async keep(report: Report, artifacts: string | null = null): Promise<void> {
    const lines = this.#shipper?.lines ?? 0;
    if (this.#kept?.report === report && this.#kept.artifacts === artifacts && this.#kept.lines === lines) return;
    try {
      await this.#spool?.put(this.identity, null, { kind: 'report', report, lines, ...(artifacts !== null && { artifacts }) });
      this.#kept = { report, artifacts, lines };
    } catch (error) {
      const about = { event: 'report_not_kept', ...this.#about(), error: String(error) };
      this.#log.error(about, 'a report could not be kept on disk; it is sent from memory');
    }
  }

  /**
   * The last word of the attempt, after the files in the folder `artifacts`, which is removed then. Resolves when it has a
   * definite answer, or when it is halted.
   */
  async report(report: Report, artifacts: string | null = null): Promise<void> {
    this.#delivering = true;
    await this.keep(report, artifacts);
    await this.#deliver(report, artifacts);
  }

  /** Sends what an earlier process left, as `report` does. */
  async resume({ hasReport }: Leftover): Promise<void> {
    this.#delivering = true;
    const parcel = hasReport ? await this.#spool?.get(this.identity, null) : null;
    if (parcel?.kind === 'report') await this.#deliver(parcel.report, parcel.artifacts ?? null);
    else await this.#deliver(null, null);
  }

  async #deliver(report: Report | null, artifacts: string | null): Promise<void> {
    this.#shipper?.putAsideSoon();
    if (artifacts !== null) await this.#storeArtifacts(artifacts);
    if (this.#leftover !== undefined) this.#shipping();
    await this.#shipper?.close();
    this.#isBlocked = false;
    let refusal = report === null ? null : await this.#send(report);
    if (report?.verb === 'complete' && refusal?.settles === 'content') {
      // The result itself was refused; the task must not wait for its timeout because of it.
      const begin = JSON.stringify(report.body).slice(0, MAX_QUOTED_CHARS).toWellFormed();
      const failure: Report = { verb: 'fail', body: { error: `the result was not taken: ${refusal.message}; it begins ${begin}` } };
      await this.keep(failure, artifacts);
      refusal = await this.#send(failure);
    }
    if (refusal !== null) {
      this.#log.info({ event: 'report_refused', ...this.#about(), code: refusal.code }, 'the API did not take a report');
    }
    if (!this.#halted.aborted) {
      await this.#spool?.remove(this.identity, null);
      if (artifacts !== null) await this.removeArtifacts(artifacts);
    }
    this.#delivering = false;
    this.#changed();
  }

  #shipping(): LogShipper {
    this.#shipper ??= new LogShipper({
      send: (offset, entries) => this.#courier.logs(this.#worker, this.identity, { offset, entries }),
      stop: this.#abandoned.signal,
      store: this.#spool === null ? null : storeOf(this.#spool, this.identity),
      leftover: this.#leftover,
      onStuck: (error, isBlocked) => {
        this.#isBlocked ||= isBlocked;
        this.#stick('lines of a log', error);
      },
    });
    if (this.#halted.aborted) this.#shipper.halt();
    if (this.#isHurried) this.#shipper.hurry();
    return this.#shipper;
  }

  /** Removes a folder of artifacts that is wanted no more. Never rejects. */
  async removeArtifacts(folder: string): Promise<void> {
    const left = await removeFolder(folder);
    if (left === null) return;
    this.#log.warn({ event: 'artifacts_not_removed', ...this.#about(), folder, error: left }, 'a folder of artifacts cannot be removed');
  }

  /** Stores the files in `folder`; resolves when all are stored or given up, or when it is halted. */
  #storeArtifacts(folder: string): Promise<void> {
    return storeArtifacts(
      folder, async (upload, signal) => {
        try {
          await this.#courier.artifact(this.#worker, this.identity, upload, signal);
        } catch (error) {
          if (isStuck(error)) this.#stick('a file', error);
          throw error;
        }
      },
      (level, message) => this.log(level, message), this.#halted,
    );
  }

  /** Sends until there is a definite answer, which is returned where it is a refusal, or when it is halted. */
  async #send(report: Report): Promise<ApiError | null> {
    for (let failures = 1; !this.#halted.aborted; failures++) {
      try {
        await this.#courier.report(this.#worker, this.identity, report);
        return null;
      } catch (error) {
        if (isDefinite(error)) return error;
        if (isStuck(error)) {
          this.#stuckAnswers += 1;
          this.#stick('a report', error);
          await pause(retryDelayMs(error, this.#stuckAnswers, STUCK_RETRY), this.#halted);
        } else {
          this.#log.warn({ event: 'report_delayed', ...this.#about(), error: String(error) }, 'a report will be sent again');
          this.#changed();
          await pause(retryDelayMs(error, failures, RETRY), this.#halted);
        }
      }
    }
    return null;
  }

  /** Notes an answer that may come for ever, and says what to do about it. */
  #stick(what: string, error: ApiError): void {
    const about = { event: 'answer_stuck', ...this.#about(), error: error.message };
    this.#log.error(about, `${what} got an answer that settles nothing, and will be sent again; ${adviceOn(error)}`);
    this.#changed();
  }

  #about(): Record<string, unknown> {
    return { task_id: this.identity.task_id, attempt: this.identity.attempt };
  }
}

function storeOf(spool: Spool, identity: AttemptIdentity): BatchStore {
  return {
    put: (sequence, offset, entries) => spool.put(identity, sequence, { kind: 'logs', offset, entries }),
    get: async (sequence) => {
      const parcel = await spool.get(identity, sequence);
      return parcel?.kind === 'logs' ? [...parcel.entries] : null;
    },
    remove: (sequence) => spool.remove(identity, sequence),
  };
}
