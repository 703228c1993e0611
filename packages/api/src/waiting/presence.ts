/**
 * Since when this process has been there for workers: running, and with a database that answers and takes what workers say. A worker that
 * could not be heard because there was nobody to hear it is not a silent worker; the lapse of leases goes by this.
 */
import { isDatabaseUnavailable, isDeadlock } from '../db/errors.js';

const TICK_MS = 500;

export class Presence {
  readonly #maxGapMs: number;
  readonly #now: () => number;
  /** When the writes began that are under way, the longest first. */
  readonly #writing = new Set<{ readonly beganAt: number }>();
  #since: number | null = null;
  #ticked: number;
  #timer: NodeJS.Timeout | null = null;

  /** A pause of the whole process of more than `maxGapMs` (it was stopped, its machine slept) is an absence, and so is a write that takes longer. */
  constructor({ maxGapMs, now = () => performance.now() }: { maxGapMs: number; now?: () => number }) {
    this.#maxGapMs = maxGapMs;
    this.#now = now;
    this.#ticked = now();
  }

  start(): void {
    this.#ticked = this.#now();
    this.#timer = setInterval(() => {
      this.tick();
    }, Math.min(TICK_MS, this.#maxGapMs / 2));
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** To be called often; the time between two calls shows whether the process ran. */
  tick(): void {
    const now = this.#now();
    const [longest] = this.#writing;
    if (now - Math.min(this.#ticked, longest?.beganAt ?? now) > this.#maxGapMs) this.#since = null;
    this.#ticked = now;
  }

  /** Does `work`, which writes leases: while the database can be read and not written, or is locked, nobody is heard. */
  async writing<T>(work: () => Promise<T>): Promise<T> {
    const write = { beganAt: this.#now() };
    this.#writing.add(write);
    try {
      return await work();
    } catch (error) {
      if (isDatabaseUnavailable(error) && !isDeadlock(error)) this.absent();
      throw error;
    } finally {
      this.tick();
      this.#writing.delete(write);
    }
  }

  /** The database has answered. */
  answered(): void {
    this.tick();
    this.#since ??= this.#now();
  }

  /** The database has not answered, or has refused what keeps leases. */
  absent(): void {
    this.#since = null;
  }

  get maxGapSeconds(): number {
    return this.#maxGapMs / 1000;
  }

  /** For how long this process has been there without a break, in seconds. */
  get seconds(): number {
    this.tick();
    return this.#since === null ? 0 : (this.#now() - this.#since) / 1000;
  }
}
