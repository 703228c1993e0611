/**
 * Looks that are had again and again, and can be asked for sooner: one is under way at a time and at most one more is wanted,
 * however often it was asked for. The one under way may have read before what the asking is about, so it answers nobody who asks
 * meanwhile: the next does.
 */

export class Polls {
  readonly #poll: () => Promise<void>;
  readonly #pauseMs: () => number;
  readonly #leastPauseMs: number;
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  #isWanted = false;
  /** By performance.now: before it, none begins. */
  #notBefore = 0;
  #stopped = false;

  /**
   * `poll` does not fail. After one comes the next in `pauseMs()` milliseconds; one that is wanted sooner, in `leastPauseMs`, or
   * as long as the last one took, so that they never have more than half of the time.
   */
  constructor({ poll, pauseMs, leastPauseMs }: { poll: () => Promise<void>; pauseMs: () => number; leastPauseMs: number }) {
    this.#poll = poll;
    this.#pauseMs = pauseMs;
    this.#leastPauseMs = leastPauseMs;
  }

  start(): void {
    if (this.#timer === null && this.#underWay === null) this.#schedule();
  }

  /** Asks for one that begins from now on. */
  soon(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    if (this.#underWay === null) this.#schedule();
  }

  /** Awaits the one under way, and lets no other begin. Idempotent. */
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
