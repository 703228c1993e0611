/**
 * Calls that gather. While much comes and goes, a call that is made for each moment's few costs as much as one for many; so calls
 * of a kind begin some milliseconds apart. The first after a pause is not held up.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const MAX_GATHER_MS = 10;
const TASKS_PER_MS = 10;

/**
 * How long a worker that runs `concurrency` tasks at a time gathers, in milliseconds. In that time as many come as it has room
 * for only where it ends ten in each of them, so gathering does not bound how many it runs; a worker of few does not gather.
 */
export function gatherMsOf(concurrency: number): number {
  return Math.min(MAX_GATHER_MS, Math.floor(concurrency / TASKS_PER_MS));
}

export class Pace {
  readonly #ms: number;
  #notBefore = 0;

  /** Turns are at least `ms` milliseconds apart. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Resolves when the next call may begin, or `stop` aborts. */
  async turn(stop?: AbortSignal): Promise<void> {
    const wait = Math.ceil(this.#notBefore - performance.now());
    if (wait > 0) await sleep(wait, undefined, { ...(stop !== undefined && { signal: stop }) }).catch(() => undefined);
    this.#notBefore = performance.now() + this.#ms;
  }

  /** The next call may begin at once. */
  skip(): void {
    this.#notBefore = 0;
  }
}
