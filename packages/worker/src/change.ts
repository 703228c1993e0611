/** A condition variable: somebody waits for a change and looks again; whoever changes something tells. */
export class Change {
  #waiting = new Set<() => void>();

  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  /** Resolves at the next change, or as soon as `stop` aborts. */
  next(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      if (stop.aborted) {
        resolve();
        return;
      }
      this.#waiting.add(done);
      stop.addEventListener('abort', done);
    });
  }
}
