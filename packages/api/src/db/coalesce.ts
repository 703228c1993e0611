/**
 * Group commit: calls of one kind that come at the same time become one statement. An idle coalescer runs a call at once
 * (at the end of the event loop's turn, with whatever else arrived in it). While a batch is under way, the next one gathers: until it has
 * as many calls, or that one is done. So the window adapts to the load and adds no latency without it, and callers that come again as
 * soon as they are answered meet in a few even batches, not in many of one; a statement costs more than what it does for one call.
 *
 * Where answers need not come at once (heartbeats of a large fleet, which arrive one by one all the time), batches can be spaced:
 * then they are as many per second however many calls there are.
 *
 * A batch that fails is run again item by item, so that one bad item does not fail the others; `run` must therefore have
 * changed nothing, when it throws, for the items that it has not settled.
 */

/** Thrown by `add` where too many calls are waiting. */
export class CoalescerFull extends Error {}

/** Answers the n-th item of a batch before the batch is done. */
export type Settle<Result> = (n: number, result: Result) => void;

export interface CoalescerOptions<Item, Result> {
  /** The result of each item, in their order. Those that it has settled are answered by then, and stay so if it throws. */
  readonly run: (items: readonly Item[], settle: Settle<Result>) => Promise<readonly Result[]>;
  /** Whether a batch that failed with this error fails as a whole: running its items one by one would not help. */
  readonly failsAll: (error: unknown) => boolean;
  /** What an item counts for in a batch. */
  readonly weigh?: (item: Item) => number;
  /** What a batch may weigh; a single item may weigh more. */
  readonly maxWeight: number;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /** Batches that are not full begin `ms` apart, once `burst` of them have begun closer to each other. */
  readonly spacing?: { readonly ms: number; readonly burst: number };
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Coalescer<Item, Result> {
  readonly #options: CoalescerOptions<Item, Result>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #weight = 0;
  /** How many items each batch has that is under way, the latest one last. */
  readonly #running: number[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | null = null;
  /** How many batches may begin at once, as of `#creditAt`. */
  #credit: number;
  #creditAt = performance.now();

  constructor(options: CoalescerOptions<Item, Result>) {
    this.#options = options;
    this.#credit = options.spacing?.burst ?? Infinity;
  }

  /** The result of `item`. @throws CoalescerFull, or what running it throws */
  add(item: Item): Promise<Result> {
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.reject(new CoalescerFull('too many calls are waiting'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#weight += this.#weigh(item);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#running.length >= this.#options.maxRunning || this.#waiting.length === 0) return;
    const isFull = this.#weight >= this.#options.maxWeight;
    if (!isFull && this.#waiting.length < (this.#running.at(-1) ?? 0)) return;
    const delay = isFull ? 0 : this.#delay();
    if (delay > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#schedule();
      }, delay);
      // Whoever waits for an answer keeps the process up.
      this.#timer.unref();
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#credit = Math.max(0, this.#credit - 1);
      this.#running.push(batch.length);
      void this.#run(batch).finally(() => {
        this.#running.splice(this.#running.indexOf(batch.length), 1);
        this.#schedule();
      });
      this.#schedule();
    });
  }

  /** Milliseconds until a batch may begin. */
  #delay(): number {
    const { spacing } = this.#options;
    if (spacing === undefined) return 0;
    const now = performance.now();
    this.#credit = Math.min(spacing.burst, this.#credit + (now - this.#creditAt) / spacing.ms);
    this.#creditAt = now;
    // A timer may be early by a part of a millisecond.
    return this.#credit >= 1 ? 0 : Math.ceil((1 - this.#credit) * spacing.ms) + 1;
  }

  #weigh(item: Item): number {
    return this.#options.weigh?.(item) ?? 1;
  }

  /** The next batch: as many as may be together, and one at least. */
  #take(): Waiting<Item, Result>[] {
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }) => (weight += this.#weigh(item)) > this.#options.maxWeight);
    const batch = this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end));
    for (const { item } of batch) this.#weight -= this.#weigh(item);
    return batch;
  }

  async #run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const settled = new Set<number>();
    try {
      const results = await this.#options.run(batch.map(({ item }) => item), (n, result) => {
        settled.add(n);
        batch[n]?.resolve(result);
      });
      if (results.length !== batch.length) throw new Error(`a batch of ${batch.length} gave ${results.length} results`);
      batch.forEach(({ resolve }, n) => {
        resolve(results[n] as Result);
      });
    } catch (error) {
      const open = batch.filter((_one, n) => !settled.has(n));
      if (batch.length === 1 || this.#options.failsAll(error)) {
        for (const { reject } of open) reject(error);
        return;
      }
      for (const one of open) await this.#run([one]);
    }
  }
}
