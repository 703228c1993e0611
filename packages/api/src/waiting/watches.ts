/**
 * Calls that hang until there is a directive for their worker: heartbeats, and claims of idle workers. Whoever changes what a worker
 * should be doing tells its id; a call on this replica is woken at once, those on others over NOTIFY. A lost hint costs the
 * rest of a heartbeat, and of a claim half a lease, at which a renewal shows what there is.
 */
import type { Listener } from '../db/listener.js';

const MAX_WATCHES = 20_000;
/** Ids in one hint: a payload holds at most 8,000 bytes. */
const IDS_PER_HINT = 200;

/** A waiter, or something that listens on behalf of one. */
export interface Watcher {
  wake(): void;
  dismiss(): void;
}

export class Watches {
  readonly #watches = new Map<string, Set<Watcher>>();
  readonly #listener: Listener;
  #size = 0;
  #stopped = false;

  constructor(listener: Listener) {
    this.#listener = listener;
    listener.on('workers', (payload) => {
      this.#wake(payload.split(','));
    });
  }

  /** Enters `watch`, to be given back with `leave`, and returns it; null: there are too many. */
  enter<Watch extends Watcher>(workerId: string, watch: Watch): Watch | null {
    if (this.#stopped || this.#size >= MAX_WATCHES) return null;
    const ofWorker = this.#watches.get(workerId) ?? new Set();
    this.#watches.set(workerId, ofWorker.add(watch));
    this.#size += 1;
    return watch;
  }

  leave(workerId: string, watch: Watcher): void {
    const ofWorker = this.#watches.get(workerId);
    if (ofWorker?.delete(watch) !== true) return;
    this.#size -= 1;
    if (ofWorker.size === 0) this.#watches.delete(workerId);
  }

  /** There may be a directive for each of `workerIds`. */
  tell(workerIds: readonly string[]): void {
    this.#wake(workerIds);
    for (let from = 0; from < workerIds.length; from += IDS_PER_HINT) {
      this.#listener.notify('workers', workerIds.slice(from, from + IDS_PER_HINT).join(','));
    }
  }

  /** Lets every call answer. Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const ofWorker of this.#watches.values()) for (const watch of ofWorker) watch.dismiss();
  }

  #wake(workerIds: readonly string[]): void {
    for (const id of workerIds) for (const watch of this.#watches.get(id) ?? []) watch.wake();
  }
}
