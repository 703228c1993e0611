/**
 * Keeps the server running: one that has ended by itself (it was killed, or its write-ahead log found no place) is started again on its
 * port. The pause before each further start grows, also where it starts and soon ends again. The first may fail after a kill: PostgreSQL
 * refuses to start while what is left of its last life holds its memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@task-executor/shared';
import { reason } from './error.js';
import { lastComplaint } from './log-file.js';
import type { Postmaster } from './postmaster.js';
import { isPostmasterOf } from './processes.js';

const LOOK_MS = 500;
const PAUSE = { initialMs: 500, maxMs: 30_000 };
/** A server that was up for so long begins with short pauses again. */
const LONG_LIFE_MS = 60_000;

export interface KeeperParts {
  readonly server: Postmaster;
  readonly cluster: string;
  readonly logFile: string;
  /** Starts the server on the port that it had. */
  readonly start: (stopping: AbortSignal) => Promise<Postmaster>;
  readonly log: (line: string) => void;
}

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #stopping = new AbortController();
  #server: Postmaster;
  #kept: Promise<void> | null = null;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#server = parts.server;
  }

  start(): void {
    this.#kept ??= this.#keep();
  }

  /** Leaves the server as it is from now on, and returns the one that was there last. */
  async stop(): Promise<Postmaster> {
    this.#stopping.abort();
    await this.#kept;
    return this.#server;
  }

  async #keep(): Promise<void> {
    const { cluster, logFile, log } = this.#parts;
    for (let starts = 0; ;) {
      const upAt = performance.now();
      while (await isPostmasterOf(this.#server.pid, cluster)) if (!(await this.#pause(LOOK_MS))) return;
      if (this.#stopping.signal.aborted) return;
      const complaint = (await lastComplaint(logFile)).trim();
      log(`the embedded PostgreSQL (process ${String(this.#server.pid)}) has ended by itself and is started again; the last complaint in its `
        + `log: ${complaint || 'none'}`);
      if (performance.now() - upAt > LONG_LIFE_MS) starts = 0;
      do {
        if (starts > 0 && !(await this.#pause(backoffMs(PAUSE, starts, Math.random())))) return;
        starts += 1;
      } while (!(await this.#isStarted()));
    }
  }

  async #isStarted(): Promise<boolean> {
    const { start, log } = this.#parts;
    const { signal } = this.#stopping;
    try {
      this.#server = await start(signal);
      log(`the embedded PostgreSQL is up again (process ${String(this.#server.pid)})`);
      return true;
    } catch (error) {
      if (!signal.aborted) log(reason(error));
      return false;
    }
  }

  /** Waits, without keeping the process alive. False: the keeper is stopping. */
  #pause(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.#stopping.signal, ref: false }).catch(() => false);
  }
}
