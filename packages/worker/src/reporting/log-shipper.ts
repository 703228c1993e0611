/**
 * Ships the log lines of one attempt: in order, in batches, each line once (the batch's offset makes repeating it safe).
 * The buffer is bounded; a writer that is faster than the API waits. While the API is away, batches are put aside into a
 * store, and the writer goes on until that is full, too. Text that the API would refuse is mended here. A batch that makes the API
 * fail again and again, or is refused, is given up, and the log says so: the report comes after the log, and must not wait for ever.
 */
import { ApiError, bounded, LIMITS, type LogLevel } from '@task-executor/shared';
import { isDefinite, isStuck } from '../calls/answer.js';
import { pause, RETRY, retryDelayMs } from '../calls/retry.js';
import { storableText } from '../calls/storable.js';
import { LineRoom } from './line-room.js';
import { cutBatch, waiting, type Batch, type BatchStore, type LogLine, type WaitingLine } from './log-batch.js';

/** Sends a batch that follows `offset` lines; resolves with the number of lines then stored. */
export type SendBatch = (offset: number, entries: LogLine[]) => Promise<number>;

export interface LogShipperParts {
  readonly send: SendBatch;
  /** Aborts when the attempt is not this worker's any more: what is there is dropped. */
  readonly stop: AbortSignal;
  /** Where batches wait while the API is away; without it they wait in memory alone. */
  readonly store?: BatchStore | null;
  /** Batches that an earlier process left in the store, the first of which follows `offset` lines. */
  readonly leftover?: { readonly offset: number; readonly sequences: readonly number[] } | undefined;
  /**
   * Told of an answer that settles nothing, though the API is not away. `isBlocked`: nothing gets through to the log, whatever it is,
   * which is no mistake of the API.
   */
  readonly onStuck?: (error: ApiError, isBlocked: boolean) => void;
}

/**
 * `open`: takes lines. `closed`: takes no more, and ships what it has. `abandoned`: the attempt takes no lines any more, all are dropped.
 * `halted`: the process ends, and what is in the store stays there.
 */
type Phase = 'open' | 'closed' | 'abandoned' | 'halted';

/** What becomes of a batch that was not taken: it is sent again, or given up; `over`: nothing is shipped any more. */
type Verdict = 'retry' | 'drop' | 'over';

const GATHER_MS = 100;
/** Last batches that take longer than this are put into the store meanwhile. */
const SLOW_MS = 500;
/** So many answers that settle nothing, though the API is not away, are borne until a batch succeeds, or in all once the log is closed. */
const MAX_STUCK_ANSWERS = 8;
const TRUNCATED = ' [truncated]';
const FULL = `the log ends here: at most ${LIMITS.maxLogLinesPerAttempt} lines are kept`;
const CUT = 'the log is cut here: the worker was told to leave, and the API took no more lines in time';

/** `text` as the API takes it for a line. */
function messageOf(text: string): string {
  return storableText(text, LIMITS.maxLogMessageChars, TRUNCATED);
}

function gapOf(error: unknown): number | null {
  return error instanceof ApiError && error.code === 'log_gap' ? error.expectedOffset : null;
}

export class LogShipper {
  /** Oldest first; the first may be on its way. */
  readonly #batches: Batch[] = [];
  /** The lines after those of the batches. */
  readonly #buffer: WaitingLine[] = [];
  readonly #before: number;
  #accepted = 0;
  /** How many lines the API has. */
  #offset: number;
  #sequence: number;
  #failures = 0;
  #stuckAnswers = 0;
  /** How many lines were given up that the log does not tell of yet. */
  #untold = 0;
  #phase: Phase = 'open';
  /** Whether no line may wait for room any more. */
  #hurried = false;
  /** Whether a line was left out for want of room. */
  #cutOff = false;
  #slow: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  readonly #room = new LineRoom();
  readonly #send: SendBatch;
  readonly #stop: AbortSignal;
  readonly #store: BatchStore | null;
  readonly #onStuck: (error: ApiError, isBlocked: boolean) => void;
  readonly #done: Promise<void>;

  constructor({ send, stop, store = null, leftover = { offset: 0, sequences: [] }, onStuck = () => undefined }: LogShipperParts) {
    this.#send = send;
    this.#stop = stop;
    this.#store = store;
    this.#onStuck = onStuck;
    this.#before = leftover.offset;
    this.#offset = leftover.offset;
    for (const sequence of leftover.sequences) {
      this.#batches.push({ sequence, lines: 0, bytes: 0, entries: null, stored: Promise.resolve(true) });
    }
    this.#sequence = Math.max(0, ...leftover.sequences);
    stop.addEventListener('abort', () => {
      this.#abandon();
    }, { once: true });
    if (stop.aborted) this.#abandon();
    this.#done = this.#run();
  }

  /** How many lines it was given, and those that an earlier process had sent. */
  get lines(): number {
    return this.#before + this.#accepted;
  }

  /** Takes one line; resolves when there is room for the next. */
  async log(level: LogLevel, message: string, context?: Record<string, unknown>): Promise<void> {
    if (this.#phase !== 'open' || this.#cutOff || this.#accepted >= LIMITS.maxLogLinesPerAttempt) return;
    this.#accepted += 1;
    this.#cutOff = this.#hurried && this.#room.isFull;
    const mark = this.#accepted === LIMITS.maxLogLinesPerAttempt ? FULL : this.#cutOff ? CUT : null;
    const one = waiting({
      level: mark === null ? level : 'warning',
      message: mark ?? messageOf(message),
      ...(context === undefined || mark !== null ? {} : { context }),
      timestamp: new Date().toISOString(),
    });
    this.#buffer.push(one);
    this.#room.take({ lines: 1, bytes: one.bytes });
    this.#wake();
    if (!this.#hurried) await this.#room.untilThereIsSome();
  }

  /** Lets no line wait any more: the first that finds no room becomes a mark, and what follows it is left out. */
  hurry(): void {
    this.#hurried = true;
    this.#room.letGo();
  }

  /** To be called at the end of the task: what is not sent soon after is put into the store, however long the close is in coming. */
  putAsideSoon(): void {
    clearTimeout(this.#slow);
    this.#slow = setTimeout(() => {
      void this.#putAside();
    }, SLOW_MS);
  }

  /** Takes no more lines, and resolves when all are with the API or given up. */
  async close(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'closed';
    this.#wake();
    this.putAsideSoon();
    await this.#done;
    clearTimeout(this.#slow);
  }

  /** Ends at once; what is in the store stays there. */
  halt(): void {
    this.#phase = 'halted';
    this.#letGo();
  }

  #isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Whether nothing is shipped any more. */
  #isOver(): boolean {
    return this.#phase === 'abandoned' || this.#phase === 'halted';
  }

  #abandon(): void {
    if (this.#phase !== 'halted') this.#phase = 'abandoned';
    this.#letGo();
  }

  /** Drops the lines that are in no batch yet; nobody waits any more. */
  #letGo(): void {
    this.#buffer.length = 0;
    this.#room.letGo();
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#isOver()) {
      const [next] = this.#batches;
      if (next !== undefined) {
        await this.#ship(next);
      } else if (this.#buffer.length > 0) {
        this.#cut();
      } else if (this.#phase === 'closed') {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        // Lines come in bursts: a moment's wait makes one call of them.
        if (this.#isOpen()) await pause(GATHER_MS, this.#stop);
      }
    }
    if (this.#phase === 'halted') return;
    for (const batch of this.#batches.splice(0)) await this.#forget(batch);
  }

  /** Makes a batch of what comes first in the buffer. */
  #cut(): void {
    this.#sequence += 1;
    this.#batches.push(cutBatch(this.#sequence, this.#buffer));
  }

  /** Sends the first batch once. */
  async #ship(batch: Batch): Promise<void> {
    const entries = batch.entries ?? (await this.#store?.get(batch.sequence)) ?? null;
    if (entries !== null && !this.#isOver()) {
      try {
        this.#offset = await this.#send(this.#offset, entries);
        this.#failures = 0;
        if (this.#isOpen()) this.#stuckAnswers = 0;
        if (this.#untold > 0) await this.#tell(0, 'see the log of the worker');
      } catch (error) {
        const verdict = await this.#verdictOn(error, entries.length);
        if (verdict === 'over') return;
        if (verdict === 'retry') {
          this.#failures += 1;
          await this.#away(retryDelayMs(error, this.#failures, RETRY));
          return;
        }
      }
    }
    this.#batches.shift();
    await this.#forget(batch);
  }

  /** Decides about a batch of `lines` lines that got `error`; where it is given up, the log tells of it in its place. */
  async #verdictOn(error: unknown, lines: number): Promise<Verdict> {
    const gap = gapOf(error);
    if (gap !== null) {
      this.#offset = gap;
      return 'retry';
    }
    let hopeless: string | null = null;
    if (isDefinite(error)) {
      if (error.settles === 'attempt') this.#abandon();
      hopeless = error.message;
    } else if (isStuck(error)) {
      this.#stuckAnswers += 1;
      this.#onStuck(error, false);
      if (this.#stuckAnswers >= MAX_STUCK_ANSWERS) hopeless = error.message;
    }
    if (this.#isOver()) return 'over';
    if (hopeless === null || !(await this.#tell(lines, hopeless))) return 'retry';
    return this.#isOver() ? 'over' : 'drop';
  }

  /**
   * Puts a line into the log in place of `lines` lines. Whether they are to be given up: not where this line does not get through,
   * either, and the API is not what fails.
   */
  async #tell(lines: number, reason: string): Promise<boolean> {
    try {
      const message = messageOf(`${this.#untold + lines} lines of the log were not taken, and are given up: ${reason}`);
      this.#offset = await this.#send(this.#offset, [{ level: 'error', message, timestamp: new Date().toISOString() }]);
      this.#untold = 0;
      return true;
    } catch (error) {
      if (isDefinite(error) && error.settles === 'attempt') this.#abandon();
      const isGivenUp = isDefinite(error) ? gapOf(error) === null : isStuck(error) && error.status === 500;
      if (isGivenUp) this.#untold += lines;
      else if (isStuck(error)) this.#onStuck(error, true);
      return isGivenUp;
    }
  }

  /** Waits out a time in which nothing can be sent. */
  async #away(ms: number): Promise<void> {
    const over = new AbortController();
    const until = bounded({ signals: [this.#stop, over.signal] }, (stop) => pause(ms, stop)).then(() => {
      over.abort();
    });
    await this.#putAside();
    while (!over.signal.aborted && !this.#isOver()) {
      await Promise.race([until, new Promise<void>((resolve) => {
        this.#wake = resolve;
      })]);
      if (this.#room.isFull || (this.#phase === 'closed' && this.#buffer.length > 0)) {
        await this.#putAside();
        // No room there either: nothing changes until the wait is over.
        if (this.#room.isFull && !this.#isOver()) await until;
      }
    }
    over.abort();
  }

  /** Puts what is in memory into the store, as far as it has room. */
  async #putAside(): Promise<void> {
    const store = this.#store;
    if (store === null || this.#isOver()) return;
    while (this.#buffer.length > 0) this.#cut();
    let offset = this.#offset;
    for (const batch of [...this.#batches]) {
      const { entries } = batch;
      const before = offset;
      offset += batch.lines;
      // Shipped meanwhile, or in the store already.
      if (entries === null || !this.#batches.includes(batch)) continue;
      batch.stored ??= store.put(batch.sequence, before, entries).then(() => true, () => false);
      if (!(await batch.stored)) {
        batch.stored = null;
        return;
      }
      // The first may be on its way at this moment.
      if (batch !== this.#batches[0] && batch.entries !== null) {
        batch.entries = null;
        this.#room.giveBack(batch);
      }
    }
  }

  async #forget(batch: Batch): Promise<void> {
    if (batch.entries !== null) this.#room.giveBack(batch);
    if (await batch.stored) await this.#store?.remove(batch.sequence);
  }
}
