/**
 * Ships the log lines of one attempt: in order, in batches, each line once (the batch's offset makes repeating it safe).
 * The buffer is bounded; a writer that is faster than the API waits. Text that the API would refuse is mended here.
 */
import { ApiError, backoffMs, LIMITS, type LogLevel } from '@task-executor/shared';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly context?: Record<string, unknown>;
  readonly timestamp: string;
}

/** Sends a batch that follows `offset` lines; resolves with the number of lines then stored. */
export type SendBatch = (offset: number, entries: LogLine[]) => Promise<number>;

const MAX_BATCH_LINES = 500;
/** Of JSON, where one character may take six bytes; a line of the greatest length always fits. */
const MAX_BATCH_BYTES = 512 * 1024;
const MAX_BUFFERED_LINES = 2_000;
const MAX_BUFFERED_CHARS = 2 * 1024 * 1024;
const GATHER_MS = 100;
const RETRY = { initialMs: 200, maxMs: 5_000 };
const TRUNCATED = ' [truncated]';

/** `text` as the API takes it: without NUL, well-formed, within the bound. */
export function storable(text: string): string {
  const mended = text.replaceAll('\u0000', '\uFFFD').toWellFormed();
  if (mended.length <= LIMITS.maxLogMessageChars) return mended;
  return `${mended.slice(0, LIMITS.maxLogMessageChars - TRUNCATED.length).toWellFormed()}${TRUNCATED}`;
}

export class LogShipper {
  readonly #buffer: LogLine[] = [];
  #bufferedChars = 0;
  #accepted = 0;
  #offset = 0;
  #closed = false;
  #abandoned = false;
  #wake: () => void = () => undefined;
  #room: (() => void)[] = [];
  readonly #send: SendBatch;
  readonly #stop: AbortSignal;
  readonly #done: Promise<void>;

  /** `stop` aborts when the attempt is not this worker's any more: what is buffered is dropped. */
  constructor(send: SendBatch, stop: AbortSignal) {
    this.#send = send;
    this.#stop = stop;
    stop.addEventListener('abort', () => {
      this.#abandon();
    }, { once: true });
    this.#done = this.#run();
  }

  /** Takes one line; resolves when there is room for the next. */
  async log(level: LogLevel, message: string, context?: Record<string, unknown>): Promise<void> {
    if (this.#closed || this.#abandoned || this.#accepted >= LIMITS.maxLogLinesPerAttempt) return;
    this.#accepted += 1;
    const last = this.#accepted === LIMITS.maxLogLinesPerAttempt;
    const line: LogLine = {
      level: last ? 'warning' : level,
      message: last ? `the log ends here: at most ${LIMITS.maxLogLinesPerAttempt} lines are kept` : storable(message),
      ...(context === undefined || last ? {} : { context }),
      timestamp: new Date().toISOString(),
    };
    this.#buffer.push(line);
    this.#bufferedChars += line.message.length;
    this.#wake();
    if (this.#full()) {
      await new Promise<void>((resolve) => {
        this.#room.push(resolve);
      });
    }
  }

  /** Takes no more lines, and resolves when all are stored or given up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#done;
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #full(): boolean {
    return !this.#abandoned && (this.#buffer.length >= MAX_BUFFERED_LINES || this.#bufferedChars >= MAX_BUFFERED_CHARS);
  }

  #abandon(): void {
    this.#abandoned = true;
    this.#buffer.length = 0;
    this.#bufferedChars = 0;
    this.#letIn();
    this.#wake();
  }

  #letIn(): void {
    if (this.#full()) return;
    for (const resolve of this.#room.splice(0)) resolve();
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#abandoned) return;
      if (this.#buffer.length === 0) {
        if (this.#closed) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        // Lines come in bursts: a moment's wait makes one call of them.
        if (!this.#isClosed()) await sleep(GATHER_MS, undefined, { signal: this.#stop }).catch(() => undefined);
        continue;
      }
      await this.#ship(this.#nextBatch());
    }
  }

  #nextBatch(): LogLine[] {
    let bytes = 0;
    let count = 0;
    for (const line of this.#buffer) {
      bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
      if (count > 0 && (count >= MAX_BATCH_LINES || bytes > MAX_BATCH_BYTES)) break;
      count += 1;
    }
    return this.#buffer.slice(0, count);
  }

  async #ship(batch: LogLine[]): Promise<void> {
    for (let failures = 1; !this.#abandoned; failures++) {
      try {
        this.#offset = await this.#send(this.#offset, batch);
        break;
      } catch (error) {
        if (error instanceof ApiError && error.code === 'log_gap' && error.expectedOffset !== null) {
          this.#offset = error.expectedOffset;
        } else if (error instanceof ApiError && error.status === 409) {
          this.#abandon();
          return;
        } else if (error instanceof ApiError && !error.retryable) {
          // Never to be taken: the lines are given up, their number is not.
          break;
        }
        const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        const wait = Math.max(asked, backoffMs(RETRY, failures, Math.random()));
        await sleep(wait, undefined, { signal: this.#stop }).catch(() => undefined);
      }
    }
    if (this.#abandoned) return;
    for (const line of this.#buffer.splice(0, batch.length)) this.#bufferedChars -= line.message.length;
    this.#letIn();
  }
}
