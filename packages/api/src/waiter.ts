/**
 * One call that hangs until there is something to say. A wake-up that comes before the wait is remembered, so that a caller
 * who enters, looks and then waits misses nothing.
 */
export class Waiter {
  #woken = false;
  #dismissed = false;
  #resume: (() => void) | null = null;

  /** Whether it has been woken and has not yet waited again. */
  get woken(): boolean {
    return this.#woken;
  }

  wake(): void {
    this.#woken = true;
    this.#resume?.();
  }

  /** Whether the server is going down: there is nothing to wait for any more. */
  get dismissed(): boolean {
    return this.#dismissed;
  }

  dismiss(): void {
    this.#dismissed = true;
    this.#resume?.();
  }

  /** Resolves when woken, after `ms` milliseconds or when `signal` aborts, whichever is first. True: it was woken. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#woken && !this.#dismissed && !signal.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        this.#resume = done;
        signal.addEventListener('abort', done);
      });
      this.#resume = null;
    }
    const woken = this.#woken;
    this.#woken = false;
    return woken;
  }
}
