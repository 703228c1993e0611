/**
 * A repeated query that can be asked for early: one runs at a time and one more may be queued. A request during a run is answered by the
 * next, since that run may have read too early.
 */

export class Polls {
  readonly #poll: () => Promise<void>;
  readonly #pauseMs: () => number;
  readonly #leastPauseMs: number;
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  #isWanted = false;
  /** The moment, by performance.now, before which none begins. */
  #notBefore = 0;
  #stopped = false;

  /**
   * `poll` does not fail. The next comes `pauseMs()` milliseconds after the last; one that is asked for early, after `leastPauseMs` or as
   * long as the last one took, so that they never take more than half of the time.
   */
  constructor({ poll, pauseMs, leastPauseMs }: { poll: () => Promise<void>; pauseMs: () => number; leastPauseMs: number }) {
    this.#poll = poll;
    this.#pauseMs = pauseMs;
    this.#leastPauseMs = leastPauseMs;
  }

  start(): void {
    if (this.#timer === null && this.#underWay === null) this.#schedule();
  }

  /** Asks for a poll that begins from now on. */
  soon(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    if (this.#underWay === null) this.#schedule();
  }

  /** Awaits the poll under way, and lets no other begin. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#underWay;
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#underWay = this.#run();
    }, this.#isWanted ? this.#notBefore - performance.now() : this.#pauseMs());
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#isWanted = false;
    const began = performance.now();
    await this.#poll();
    const ended = performance.now();
    this.#notBefore = ended + Math.max(this.#leastPauseMs, ended - began);
    this.#underWay = null;
    this.#schedule();
  }
}
