/**
 * Writes that go together: one file, synced once, for all that come while the last is being written, or shortly after it was begun
 * (see Pace).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pace } from '../calls/pace.js';

/** One text, kept under its name. */
export interface Entry {
  readonly name: string;
  readonly text: string;
}

interface Waiting extends Entry {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const MAX_ENTRIES = 1_000;
const MAX_CHARS = 4 * 1024 * 1024;

export class Bundler {
  readonly #write: (entries: readonly Entry[]) => Promise<void>;
  readonly #pace: Pace;
  readonly #waiting: Waiting[] = [];
  #running = false;

  /** `write` puts entries into one file; at least one of them, at most MAX_ENTRIES. */
  constructor(write: (entries: readonly Entry[]) => Promise<void>, pace: Pace) {
    this.#write = write;
    this.#pace = pace;
  }

  /** Resolves when it is written. @throws where that failed */
  add(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...entry, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // What comes in the same moment goes together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      await this.#pace.turn();
      const bundle = this.#next();
      try {
        await this.#write(bundle);
        for (const { resolve } of bundle) resolve();
      } catch (error) {
        for (const { reject } of bundle) reject(error);
      }
    }
    this.#running = false;
  }

  #next(): Waiting[] {
    let chars = 0;
    let count = 0;
    for (const { text } of this.#waiting) {
      chars += text.length;
      if (count > 0 && (count === MAX_ENTRIES || chars > MAX_CHARS)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
