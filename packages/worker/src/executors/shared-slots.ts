/** Concurrency slots shared by several entries of a catalog, first come first served; each brings its own maximum. */
export class SharedSlots {
  #running = 0;
  readonly #waiting: { readonly max: number; readonly begin: () => void }[] = [];

  /** Whether nobody runs or waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Whether one that lets `max` run at once would have to wait. */
  isFull(max: number): boolean {
    return this.#running >= max || this.#waiting.length > 0;
  }

  /** Resolves with true when a slot is there, to be given back with `end`; with false where `signal` aborts before. */
  async begin(max: number, signal: AbortSignal): Promise<boolean> {
    if (!this.isFull(max)) {
      this.#running += 1;
      return true;
    }
    return new Promise((resolve) => {
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        this.#next();
        resolve(false);
      };
      const one = {
        max,
        begin: () => {
          signal.removeEventListener('abort', stop);
          resolve(true);
        },
      };
      if (signal.aborted) {
        resolve(false);
        return;
      }
      this.#waiting.push(one);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  end(): void {
    this.#running -= 1;
    this.#next();
  }

  #next(): void {
    for (let [first] = this.#waiting; first !== undefined && this.#running < first.max; [first] = this.#waiting) {
      this.#waiting.shift();
      this.#running += 1;
      first.begin();
    }
  }
}

/**
 * The slots of the entries of a catalog, by what runs now: an entry whose globs are among those of one that still runs, of the catalog
 * as it was read before, shares its slots.
 */
export class SlotsOfCatalog {
  readonly #byGlob = new Map<string, SharedSlots>();

  /** The slots of an entry of `globs`; each that runs asks for them and begins at once: idle ones may be split or joined the next time. */
  of(globs: readonly string[]): SharedSlots {
    for (const [glob, slots] of this.#byGlob) if (slots.isIdle) this.#byGlob.delete(glob);
    const slots = globs.map((glob) => this.#byGlob.get(glob)).find((known) => known !== undefined) ?? new SharedSlots();
    for (const glob of globs) if (!this.#byGlob.has(glob)) this.#byGlob.set(glob, slots);
    return slots;
  }
}
