/**
 * Since when this process has been there for workers: running, and with a database that answers. A worker that could not be
 * heard because there was nobody to hear it is not a silent worker; the lapse of leases goes by this.
 */
const TICK_MS = 500;

export class Presence {
  readonly #maxGapMs: number;
  readonly #now: () => number;
  #since: number | null = null;
  #ticked: number;
  #timer: NodeJS.Timeout | null = null;

  /** A pause of the whole process of more than `maxGapMs` (it was stopped, its machine slept) is an absence. */
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
    if (now - this.#ticked > this.#maxGapMs) this.#since = null;
    this.#ticked = now;
  }

  /** The database has answered. */
  answered(): void {
    this.tick();
    this.#since ??= this.#now();
  }

  /** The database has not answered. */
  absent(): void {
    this.#since = null;
  }

  /** For how long this process has been there without a break, in seconds. */
  get seconds(): number {
    this.tick();
    return this.#since === null ? 0 : (this.#now() - this.#since) / 1000;
  }
}
