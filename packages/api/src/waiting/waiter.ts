/**
 * One call that hangs until there is something to say. A wake-up that comes before the wait is remembered, so that a caller
 * who enters, looks and then waits misses nothing.
 */

/** Somebody who may leave while we wait for them. */
export interface Leaving {
  readonly gone: boolean;
  /** Calls `tell` when they leave, in place of what was to be called before; null: nothing. */
  whenGone(tell: (() => void) | null): void;
}

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
    this.turned();
    this.#resume?.();
  }

  /** Whether its wait has been ended, as where the server is going down. */
  get dismissed(): boolean {
    return this.#dismissed;
  }

  dismiss(): void {
    this.#dismissed = true;
    this.#resume?.();
  }

  /** Resolves when woken, after `ms` milliseconds or when `caller` leaves, whichever is first. True: it was woken. */
  async wait(ms: number, caller: Leaving): Promise<boolean> {
    if (!this.#woken && !this.#dismissed && !caller.gone && ms > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          caller.whenGone(null);
          resolve();
        };
        const timer = setTimeout(done, ms);
        this.#resume = done;
        caller.whenGone(done);
      });
      this.#resume = null;
    }
    const woken = this.#woken;
    this.#woken = false;
    this.turned();
    return woken;
  }

  /** Called where `woken` may have changed, for a subclass that keeps account of it. */
  protected turned(): void {
    // A waiter that stands alone keeps none.
  }
}
