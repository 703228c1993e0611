/**
 * Renews leases at a fixed interval for as long as their holders' calls hang. One timer for all: ten thousand of their own would cost more
 * than what they are for.
 */
const MOST_TICK_MS = 1_000;
const TICKS_PER_INTERVAL = 10;

/** Somebody who has a lease to renew, and handles what comes of it. */
export interface LeaseHolder {
  renewLease(): void;
}

export class LeaseRounds {
  readonly #intervalMs: number;
  /** When each holder is due, by performance.now; the next comes first, since all have the same interval. */
  readonly #dueAt = new Map<LeaseHolder, number>();
  #timer: NodeJS.Timeout | null = null;

  /** Each holder has a turn every `intervalMs` milliseconds, late by a tenth of that or a second at most. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#tick();
    }, Math.min(MOST_TICK_MS, this.#intervalMs / TICKS_PER_INTERVAL)).unref();
  }

  /** Idempotent. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  enter(holder: LeaseHolder): void {
    this.#dueAt.set(holder, performance.now() + this.#intervalMs);
  }

  leave(holder: LeaseHolder): void {
    this.#dueAt.delete(holder);
  }

  #tick(): void {
    const now = performance.now();
    for (const [holder, dueAt] of this.#dueAt) {
      if (dueAt > now) return;
      this.#dueAt.delete(holder);
      this.enter(holder);
      holder.renewLease();
    }
  }
}
