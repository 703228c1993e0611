/**
 * The memory that callers make the server hold: bodies from their first byte until the answer, and large answers until they are sent.
 * Each is bounded by itself, and a thousand at once must be too. What workers say of their tasks may fill all of it, so that
 * submissions and lists, which have half, cannot keep them out.
 */
import type { ServerResponse } from 'node:http';
import { getHeapStatistics } from 'node:v8';

const MOST_BYTES = 256 * 1024 * 1024;
/** Share of the heap; a parsed body takes several times as much as its text. */
const HEAP_SHARE = 1 / 16;
/** For calls that hold less than this the bound on connections is enough. */
const SMALL_BYTES = 16 * 1024;

/** Calls of workers: heartbeats, claims, reports, logs. */
const LEASE_PATH = /^\/api\/v1\/workers\/[^/]+\/./;

export class HeldBytes {
  readonly #most: number;
  #bytes = 0;

  constructor(most = Math.min(MOST_BYTES, getHeapStatistics().heap_size_limit * HEAP_SHARE)) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is no room for more bytes of calls to `path`. */
  isFull(path: string): boolean {
    return this.#bytes > (LEASE_PATH.test(path) ? this.#most : this.#most / 2);
  }

  /** A function that counts the bytes it is called with until `res` has closed; what is given back before is negative. */
  counter(res: ServerResponse): (bytes: number) => void {
    let total = 0;
    let counted = 0;
    let isCounting = false;
    return (bytes) => {
      total += bytes;
      // A connection that has closed keeps nothing, and emits no further 'close' at which to subtract.
      if ((total < SMALL_BYTES && !isCounting) || res.req.socket.destroyed) return;
      if (!isCounting) {
        isCounting = true;
        res.once('close', () => {
          this.#bytes -= counted;
        });
      }
      this.#bytes += total - counted;
      counted = total;
    };
  }
}
