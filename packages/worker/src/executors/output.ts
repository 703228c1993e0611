/**
 * What a program writes to one of its streams, as lines of its task's log; read only as fast as they are taken. Beyond its
 * quota a program is still read, so that it can go on, but what it writes is thrown away: the log says where and how much,
 * and shows the end.
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLevel } from '@task-executor/shared';
import { BOUNDS } from './bounds.js';
import { LineSplitter } from './lines.js';

export interface OutputLimits {
  readonly lines: number;
  readonly mib: number;
}

/** Takes a line for the log; resolves when there is room for the next. */
export type TakeLine = (level: LogLevel, message: string) => Promise<void>;

/** How much a program may still write, over all its streams. */
export class OutputQuota {
  readonly #limits: OutputLimits;
  #lines: number;
  #bytes: number;
  #used = false;

  constructor(limits: OutputLimits) {
    this.#limits = limits;
    this.#lines = limits.lines;
    this.#bytes = limits.mib * 1024 * 1024;
  }

  get usedUp(): boolean {
    return this.#used;
  }

  /** Takes `line` off the quota. False: it is used up, from now on for good. */
  take(line: string): boolean {
    if (this.#used) return false;
    this.#lines -= 1;
    this.#bytes -= Buffer.byteLength(line) + 1;
    this.#used = this.#lines < 0 || this.#bytes < 0;
    return !this.#used;
  }

  get mark(): string {
    return `the output is cut here: at most ${this.#limits.lines} lines and ${this.#limits.mib} MiB of it are kept`;
  }
}

export class Output {
  readonly ended: Promise<void>;
  readonly #stream: Readable;
  readonly #level: LogLevel;
  readonly #quota: OutputQuota;
  readonly #take: TakeLine;
  readonly #splitter = new LineSplitter(BOUNDS.maxLineChars);
  #chunks = 0;
  #waiting = false;
  #lastLine = '';
  #droppedBytes = 0;
  #tail = Buffer.alloc(0);

  constructor(stream: Readable, level: LogLevel, quota: OutputQuota, take: TakeLine) {
    this.#stream = stream;
    this.#level = level;
    this.#quota = quota;
    this.#take = take;
    this.ended = this.#ship();
  }

  /** How many times something was read. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Whether a line waits for the log to take it. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** The last line that is not blank. */
  get lastLine(): string {
    return this.#lastLine;
  }

  close(): void {
    this.#stream.destroy();
  }

  async #ship(): Promise<void> {
    try {
      for await (const chunk of this.#stream as AsyncIterable<Buffer>) {
        this.#chunks += 1;
        if (this.#quota.usedUp) this.#dropAll(chunk);
        else for (const line of this.#splitter.push(chunk)) await this.#line(line);
      }
    } catch {
      // The stream was closed after the program's end.
    }
    for (const line of this.#splitter.end()) await this.#line(line);
    if (this.#droppedBytes > 0) await this.#showTail();
  }

  async #line(line: string): Promise<void> {
    const wasUsedUp = this.#quota.usedUp;
    if (this.#quota.take(line)) {
      if (line.trim() !== '') this.#lastLine = line;
      await this.#say(this.#level, line);
      return;
    }
    if (!wasUsedUp) await this.#say('warning', this.#quota.mark);
    this.#drop(Buffer.from(`${line}\n`));
  }

  /** Throws away what the splitter still has of earlier chunks, and `chunk`. */
  #dropAll(chunk: Buffer): void {
    for (const begun of this.#splitter.end()) this.#drop(Buffer.from(begun));
    this.#drop(chunk);
  }

  #drop(chunk: Buffer): void {
    this.#droppedBytes += chunk.length;
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-BOUNDS.maxTailBytes)]).subarray(-BOUNDS.maxTailBytes);
  }

  async #showTail(): Promise<void> {
    const splitter = new LineSplitter(BOUNDS.maxLineChars);
    const lines = [...splitter.push(this.#tail), ...splitter.end()].slice(-BOUNDS.maxTailLines);
    await this.#say('warning', `${this.#droppedBytes} bytes of output were left out; their last lines follow`);
    for (const line of lines) {
      if (line.trim() !== '') this.#lastLine = line;
      await this.#say(this.#level, line);
    }
  }

  async #say(level: LogLevel, line: string): Promise<void> {
    this.#waiting = true;
    await this.#take(level, line);
    this.#waiting = false;
  }
}

/**
 * Resolves when everything that an ended program wrote is in the log: at the streams' ends, or once they are silent. An API
 * that is slow to take lines costs time here, not lines.
 */
export async function drained(outputs: readonly Output[]): Promise<void> {
  const ended = Promise.all(outputs.map((output) => output.ended)).then(() => true);
  for (let quiets = 0; quiets < BOUNDS.maxQuiets;) {
    const before = outputs.map((output) => output.chunks);
    const timer = new AbortController();
    const done = await Promise.race([ended, sleep(BOUNDS.quietMs, false, { signal: timer.signal }).catch(() => false)]);
    timer.abort();
    if (done) return;
    if (outputs.some((output) => output.waiting)) continue;
    if (outputs.every((output, index) => output.chunks === before[index])) break;
    quiets += 1;
  }
  for (const output of outputs) output.close();
  await ended;
}
