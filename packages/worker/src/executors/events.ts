/**
 * What a program says beside plain text: one JSON object a line, appended to a file of its own (TASK_EVENTS_FILE), so that no
 * text that it prints is ever taken for an event. The file is the buffer: the program never waits for its reader. A line
 * that is no event becomes a warning, and nothing else comes of it.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOUNDS } from './bounds.js';
import type { ExecutionContext } from './executor.js';
import { parseEvent, type FailureEvent } from './event.js';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export class EventFile {
  readonly #path: string;
  readonly #context: Pick<ExecutionContext, 'log' | 'progress'>;
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #offset = 0;
  #rest = Buffer.alloc(0);
  /** Whether the line being read is too long to be one. */
  #skipping = false;
  #readBytes = 0;
  #garbage = 0;
  #failure: FailureEvent | null = null;

  /** Follows the file at `path`, which must be there. */
  constructor(path: string, context: Pick<ExecutionContext, 'log' | 'progress'>) {
    this.#path = path;
    this.#context = context;
    this.#done = this.#follow();
  }

  /** To be called when the program has ended: reads the rest. Resolves with how it says that it failed, or null. */
  async close(): Promise<FailureEvent | null> {
    this.#ending.abort();
    await this.#done;
    return this.#failure;
  }

  async #follow(): Promise<void> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.#path, 'r');
      for (let last = false; !last;) {
        last = this.#ending.signal.aborted;
        await this.#readOn(file);
        if (!last) await sleep(BOUNDS.eventsPollMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      }
      await this.#line(this.#rest);
      if (this.#garbage > BOUNDS.maxShownGarbage) await this.#warn(`${this.#garbage} lines in the events file were no events`);
    } catch (error) {
      await this.#warn(`the events file cannot be read: ${String(error)}`);
    } finally {
      await file?.close();
    }
  }

  async #readOn(file: FileHandle): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    while (this.#readBytes < BOUNDS.maxEventsBytes) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) {
        // Written anew instead of appended to.
        if ((await file.stat()).size >= this.#offset) return;
        this.#offset = 0;
        this.#rest = Buffer.alloc(0);
        continue;
      }
      this.#offset += bytesRead;
      this.#readBytes += bytesRead;
      await this.#take(chunk.subarray(0, bytesRead));
      if (this.#readBytes >= BOUNDS.maxEventsBytes) {
        this.#rest = Buffer.alloc(0);
        await this.#warn(`the events are cut here: at most ${BOUNDS.maxEventsBytes} bytes of them are read`);
      }
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([this.#rest, chunk.subarray(from, end)]);
      this.#rest = Buffer.alloc(0);
      from = end + 1;
      if (this.#skipping) this.#skipping = false;
      else await this.#line(line);
    }
    if (this.#skipping) return;
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(from)]);
    if (this.#rest.length > BOUNDS.maxEventBytes) {
      this.#skipping = true;
      await this.#line(this.#rest);
      this.#rest = Buffer.alloc(0);
    }
  }

  async #line(bytes: Buffer): Promise<void> {
    const event = bytes.length > BOUNDS.maxEventBytes ? null : parseEvent(bytes.toString('utf8'));
    if (event === 'blank') return;
    if (event === null) {
      this.#garbage += 1;
      if (this.#garbage > BOUNDS.maxShownGarbage) return;
      await this.#warn(`no event: ${bytes.toString('utf8', 0, BOUNDS.maxQuotedChars)}`);
    } else if (event.type === 'log') {
      await this.#context.log(event.level, event.message, event.context);
    } else if (event.type === 'progress') {
      this.#context.progress(event.update);
    } else {
      this.#failure = event;
    }
  }

  #warn(message: string): Promise<void> {
    return this.#context.log('warning', message);
  }
}
