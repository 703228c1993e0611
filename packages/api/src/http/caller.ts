/**
 * Whether the caller of a request is still there: its connection has not closed before the answer was sent. Lighter than an
 * AbortSignal, because a large fleet has ten thousand calls that hang.
 */
import type { Response } from 'express';
import type { Leaving } from '../waiting/waiter.js';

export class Caller implements Leaving {
  #gone: boolean;
  #tell: (() => void) | null = null;

  constructor(res: Response) {
    // A connection that has closed emits no further 'close'.
    this.#gone = res.req.socket.destroyed;
    res.on('close', () => {
      if (res.writableFinished) return;
      this.#gone = true;
      this.#tell?.();
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  whenGone(tell: (() => void) | null): void {
    this.#tell = tell;
  }
}
