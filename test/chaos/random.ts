/** Random numbers from a seed: the same seed gives the same sequence on every machine. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A generator of its own, which does not depend on how much this one has been used since. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const [one] = from.slice(this.whole(0, from.length - 1));
    if (one === undefined) throw new Error('there is nothing to pick from');
    return one;
  }

  shuffled<T>(from: readonly T[]): T[] {
    return from.map((one) => ({ one, key: this.next() })).sort((a, b) => a.key - b.key).map(({ one }) => one);
  }
}
