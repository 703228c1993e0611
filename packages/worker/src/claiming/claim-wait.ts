/**
 * How long the claims of a worker that runs nothing wait: as long as the API proposes, so that a large fleet costs little, but no
 * longer than the way to it lets a connection be silent. That shows when a longer claim is cut.
 */

/** How long no claim waits longer than usual after the first cut; each further one in a row doubles it. */
const FIRST_CAUTION_MS = 10 * 60 * 1000;
const MOST_CAUTION_MS = 24 * 3600 * 1000;

export class ClaimWait {
  readonly #usual: number;
  readonly #now: () => number;
  #proposed: number | null = null;
  #cuts = 0;
  /** Until when no claim waits longer than usual. */
  #cautiousUntil = -Infinity;

  /** `usualSeconds`: what every connection bears. */
  constructor(usualSeconds: number, now: () => number = () => performance.now()) {
    this.#usual = usualSeconds;
    this.#now = now;
  }

  /** What the next claim should wait. */
  get seconds(): number {
    return this.#proposed === null || this.#now() < this.#cautiousUntil ? this.#usual : Math.max(this.#usual, this.#proposed);
  }

  /** A claim that wanted to wait `seconds` was answered after `tookMs`, with the API's proposal for the next, or null. */
  answered({ tookMs, proposed }: { tookMs: number; proposed: number | null }): void {
    this.#proposed = proposed;
    if (tookMs > this.#usual * 1000) this.#cuts = 0;
  }

  /** A claim was not answered; it was cut, or the answer was not the API's, after `tookMs`. */
  failed({ tookMs }: { tookMs: number }): void {
    // What ends sooner, usual waits do not escape either.
    if (tookMs <= this.#usual * 1000) return;
    this.#cautiousUntil = this.#now() + Math.min(MOST_CAUTION_MS, FIRST_CAUTION_MS * 2 ** this.#cuts);
    this.#cuts += 1;
  }
}
