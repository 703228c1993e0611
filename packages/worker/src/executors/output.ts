/** What a command writes to one of its streams, as lines of its task's log; read only as fast as they are taken. */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLevel } from '@task-executor/shared';
import type { ExecutionContext } from './executor.js';
import { linesOf } from './lines.js';

/** How long a stream may be silent, after its command's end, before it is taken for held open by a grandchild. */
const QUIET_MS = 1_000;
/** Somebody who goes on writing after so many of these is not the command. */
const MAX_QUIETS = 10;

export class Output {
  readonly ended: Promise<void>;
  readonly #stream: Readable;
  #lines = 0;
  #waiting = false;
  #lastLine = '';

  constructor(stream: Readable, level: LogLevel, maxLineChars: number, log: ExecutionContext['log']) {
    this.#stream = stream;
    this.ended = this.#ship(level, maxLineChars, log);
  }

  /** How many lines were taken. */
  get lines(): number {
    return this.#lines;
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

  async #ship(level: LogLevel, maxLineChars: number, log: ExecutionContext['log']): Promise<void> {
    try {
      for await (const line of linesOf(this.#stream, maxLineChars)) {
        if (line.trim() !== '') this.#lastLine = line;
        this.#waiting = true;
        await log(level, line);
        this.#waiting = false;
        this.#lines += 1;
      }
    } catch {
      // The stream was closed after the command's end.
    }
  }
}

/**
 * Resolves when everything that an ended command wrote is in the log: at the streams' ends, or once they are silent. An
 * API that is slow to take lines costs time here, not lines.
 */
export async function settle(outputs: readonly Output[]): Promise<void> {
  const ended = Promise.all(outputs.map((output) => output.ended)).then(() => true);
  for (let quiets = 0; quiets < MAX_QUIETS;) {
    const before = outputs.map((output) => output.lines);
    const timer = new AbortController();
    const done = await Promise.race([ended, sleep(QUIET_MS, false, { signal: timer.signal }).catch(() => false)]);
    timer.abort();
    if (done) return;
    if (outputs.some((output) => output.waiting)) continue;
    if (outputs.every((output, index) => output.lines === before[index])) break;
    quiets += 1;
  }
  for (const output of outputs) output.close();
  await ended;
}
