/**
 * Whether this worker is fit to run tasks: by what its health check says, and by attempts that found it unfit. While it is
 * not, it claims nothing, and is checked again with growing pauses. An attempt that ends as it should makes it trusted again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, bounded, LIMITS } from '@task-executor/shared';
import { pause } from './calls/retry.js';
import { storableText } from './calls/storable.js';
import { Change } from './change.js';
import type { WorkerLog } from './log.js';

/** Resolves with what keeps the worker from running tasks, or null. */
export type HealthCheck = () => Promise<string | null>;

/** How often a fit worker is checked, and how long a check may take. */
const CHECK_MS = 30_000;
const CHECK_TIMEOUT_MS = 30_000;
const BACKOFF = { initialMs: 1_000, maxMs: 120_000 };
/** It is told to the API, and with each task that is handed back because of it. */
const MAX_REASON_CHARS = Math.min(LIMITS.maxUnfitChars, LIMITS.maxReleaseReasonChars);

export class Fitness {
  readonly changed = new Change();
  readonly #check: HealthCheck;
  readonly #log: WorkerLog;
  readonly #over = new AbortController();
  /** Not known to be fit before the first check. */
  #reason: string | null = 'not yet checked';
  /** Attempts in a row that found it unfit. */
  #suspicions = 0;
  readonly #suspected = new Change();
  /** How often it was asked to look again. */
  #requests = 0;
  readonly #requested = new Change();
  /** Resolves when the first check has ended. */
  readonly known: Promise<void>;
  #tellKnown: () => void = () => undefined;

  constructor(check: HealthCheck, log: WorkerLog) {
    this.#check = check;
    this.#log = log;
    this.known = new Promise((resolve) => {
      this.#tellKnown = resolve;
    });
    void this.#run();
  }

  /** Why the worker may not take tasks, in words that the API takes; or null. */
  get reason(): string | null {
    return this.#reason;
  }

  /** An attempt found the worker unfit. */
  suspect(reason: string): void {
    this.#suspicions += 1;
    this.#set(reason);
    this.#suspected.tell();
  }

  /** An attempt ran as it should. */
  trust(): void {
    this.#suspicions = 0;
  }

  /** What is looked at has changed: looks again without a pause. */
  lookAgain(): void {
    this.#requests += 1;
    this.#requested.tell();
  }

  stop(): void {
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    let failures = 0;
    while (!signal.aborted) {
      const suspicions = this.#suspicions;
      const requests = this.#requests;
      const rest = (ms: number, until?: Change): Promise<void> => this.#rest(ms, requests, until);
      const reason = await this.#ask();
      this.#tellKnown();
      if (signal.aborted) return;
      if (this.#suspicions > suspicions) {
        // What was asked before the suspicion does not count. A check that passes in spite of it may be wrong.
        await rest(backoffMs(BACKOFF, this.#suspicions, Math.random()));
        continue;
      }
      this.#set(reason);
      failures = reason === null ? 0 : failures + 1;
      if (reason !== null) {
        await rest(backoffMs(BACKOFF, failures, Math.random()));
      } else {
        await rest(CHECK_MS, this.#suspected);
        if (this.#suspicions > suspicions) await rest(backoffMs(BACKOFF, this.#suspicions, Math.random()));
      }
    }
  }

  /** Waits for `ms`, at most until `until` tells; not at all where it was asked to look again since it had been asked `requests` times. */
  async #rest(ms: number, requests: number, until: Change = this.#requested): Promise<void> {
    if (this.#requests > requests) return;
    const waiting = new AbortController();
    await bounded({ signals: [this.#over.signal, waiting.signal] }, async (stop) => {
      await Promise.race([pause(ms, stop), this.#requested.next(stop), until.next(stop)]);
      waiting.abort();
    });
  }

  async #ask(): Promise<string | null> {
    const bound = new AbortController();
    try {
      return await Promise.race([
        this.#check(),
        sleep(CHECK_TIMEOUT_MS, `the health check took more than ${CHECK_TIMEOUT_MS / 1000} seconds`, { signal: bound.signal, ref: false }),
      ]);
    } catch (error) {
      return `the health check failed: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      bound.abort();
    }
  }

  #set(given: string | null): void {
    const before = this.#reason;
    const reason = given === null ? null : storableText(given, MAX_REASON_CHARS) || 'no reason given';
    this.#reason = reason;
    if (before === reason) return;
    if (reason !== null) this.#log.error({ event: 'unfit', reason }, 'this worker is not fit to run tasks; it claims none');
    else this.#log.info({ event: 'fit' }, 'this worker is fit to run tasks');
    this.changed.tell();
  }
}
