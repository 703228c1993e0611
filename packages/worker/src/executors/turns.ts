/** Who of those that share a bound runs, and who waits for a turn, in their order. The bound is each one's own: it may change between them. */
export class Turns {
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

  /** Resolves with true when it is its turn, to be given back with `end`; with false where `signal` aborts before. */
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
 * The turns of the entries of a catalog, by what runs now: an entry whose globs are among those of one that still runs, of the catalog
 * as it was read before, shares its turns.
 */
export class TurnsOfCatalog {
  readonly #byGlob = new Map<string, Turns>();

  /** To be asked for, and begun at once, by each that runs: what is idle is nobody's, and may be split or joined the next time. */
  of(globs: readonly string[]): Turns {
    for (const [glob, turns] of this.#byGlob) if (turns.isIdle) this.#byGlob.delete(glob);
    const turns = globs.map((glob) => this.#byGlob.get(glob)).find((known) => known !== undefined) ?? new Turns();
    for (const glob of globs) if (!this.#byGlob.has(glob)) this.#byGlob.set(glob, turns);
    return turns;
  }
}
