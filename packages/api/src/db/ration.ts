/**
 * A ration of time for a statement that can wait and is cheap but for what is dead in the queue while a snapshot is held: it is then asked
 * so seldom that it takes its share of the time at most.
 */
const MOST_PAUSE_MS = 30_000;

export class Ration {
  readonly #share: number;
  /** By performance.now. */
  #nextAt = 0;

  /** `share`: above 0, at most 1. */
  constructor(share: number) {
    this.#share = share;
  }

  get isDue(): boolean {
    return performance.now() >= this.#nextAt;
  }

  /** Milliseconds until the next one is due. */
  get dueInMs(): number {
    return Math.max(0, this.#nextAt - performance.now());
  }

  /** One has taken `ms` milliseconds. */
  spent(ms: number): void {
    this.#nextAt = performance.now() + Math.min(ms / this.#share - ms, MOST_PAUSE_MS);
  }
}
