/**
 * The line of waiting claims, grouped by appetite: to find one that fits a lane, each appetite is compared with it once, however
 * many wait and however often it is asked. Of all that fit, the one that waits longest is woken.
 */
import { fits, keyOf, type Appetite, type Lane } from './appetite.js';
import { Heap, type Placed } from './heap.js';
import type { Stretch } from './stretch.js';
import { Waiter } from './waiter.js';

/** The waiters of equal appetite, at the place of the first of them that can be woken. */
class Peers implements Placed {
  place = 0;
  slot = -1;
  readonly key: string;
  readonly appetite: Appetite;
  /** The waiters among them that can be woken. */
  readonly sleepers = new Heap<ClaimWaiter>();
  size = 0;
  #lane: Lane | null = null;
  #fits = false;

  constructor(key: string, appetite: Appetite) {
    this.key = key;
    this.appetite = appetite;
  }

  /** Whether this very lane is the last that they were compared with. */
  know(lane: Lane): boolean {
    return this.#lane === lane;
  }

  fit(lane: Lane): boolean {
    if (!this.know(lane)) {
      this.#fits = fits(this.appetite, lane);
      this.#lane = lane;
    }
    return this.#fits;
  }
}

/** One waiting claim. */
export class ClaimWaiter extends Waiter implements Placed {
  place = 0;
  slot = -1;
  /** Null: not in the line. */
  peers: Peers | null = null;
  /** The worker whose lack of room it waits out; null: there is room, for all that is known. */
  fullWorker: string | null = null;
  /** The lane that it was woken for since `takeLane`; null: none in particular. */
  lane: Lane | null = null;
  readonly #line: ClaimLine;
  #appetite: Appetite;

  constructor(line: ClaimLine, appetite: Appetite) {
    super();
    this.#line = line;
    this.#appetite = appetite;
  }

  get appetite(): Appetite {
    return this.#appetite;
  }

  /** The lane that it was woken for, for whoever looks there now. */
  takeLane(): Lane | null {
    const { lane } = this;
    this.lane = null;
    return lane;
  }

  /** May change while it waits. */
  set appetite(appetite: Appetite) {
    this.#appetite = appetite;
    this.#line.regroup(this);
  }

  protected override turned(): void {
    this.#line.sort(this);
  }
}

export class ClaimLine {
  readonly #peers = new Map<string, Peers>();
  /** The peers with somebody who can be woken. */
  readonly #asleep = new Heap<Peers>();
  readonly #waiters = new Set<ClaimWaiter>();
  /** Waiters that need room first, by their worker; none of them is woken for a task. */
  readonly #full = new Map<string, Set<ClaimWaiter>>();
  #lastPlace = 0;

  get size(): number {
    return this.#waiters.size;
  }

  enter(appetite: Appetite): ClaimWaiter {
    const waiter = new ClaimWaiter(this, appetite);
    waiter.place = ++this.#lastPlace;
    this.#waiters.add(waiter);
    this.#join(waiter);
    return waiter;
  }

  leave(waiter: ClaimWaiter): void {
    this.hasRoom(waiter);
    if (this.#waiters.delete(waiter)) this.#part(waiter);
  }

  /** `waiter` is woken for no task until its worker is `freed`, or it has room. */
  isFull(waiter: ClaimWaiter, workerId: string): void {
    if (waiter.fullWorker === workerId) return;
    this.hasRoom(waiter);
    waiter.fullWorker = workerId;
    const full = this.#full.get(workerId);
    if (full === undefined) this.#full.set(workerId, new Set([waiter]));
    else full.add(waiter);
    this.sort(waiter);
  }

  hasRoom(waiter: ClaimWaiter): void {
    const { fullWorker } = waiter;
    if (fullWorker === null) return;
    waiter.fullWorker = null;
    const full = this.#full.get(fullWorker);
    full?.delete(waiter);
    if (full?.size === 0) this.#full.delete(fullWorker);
    this.sort(waiter);
  }

  /** Wakes the worker's waiters that need room. */
  freed(workerId: string): void {
    for (const waiter of this.#full.get(workerId) ?? []) {
      this.hasRoom(waiter);
      waiter.wake();
    }
  }

  dismissAll(): void {
    for (const waiter of this.#waiters) waiter.dismiss();
  }

  /** Whether `appetite`, of key `key`, takes `lane`. */
  fits(key: string, appetite: Appetite, lane: Lane): boolean {
    return this.#peers.get(key)?.fit(lane) ?? fits(appetite, lane);
  }

  /**
   * Wakes the first in the line that fits `lane` and is not woken yet, and sends it to the back. False: there is none. Null: the
   * stretch was over before that was known; called again after a rest, with the same object as its lane, it goes on from there.
   */
  wakeFirst(lane: Lane, stretch: Stretch): boolean | null {
    let isCut = stretch.isOver;
    const peers = this.#asleep.firstThat((some) => {
      stretch.did(1);
      if (!some.know(lane)) {
        isCut ||= stretch.isOver;
        // Nothing behind it matters then, so that the search ends soon.
        if (isCut) return true;
        stretch.did(some.appetite.globs.length);
      }
      return some.fit(lane);
    });
    if (isCut) return null;
    const first = peers?.sleepers.first;
    if (first === undefined) return false;
    first.lane = lane;
    first.wake();
    // So that hints go round.
    first.place = ++this.#lastPlace;
    return true;
  }

  /** Puts a waiter where it belongs after its appetite has changed; it keeps its place. */
  regroup(waiter: ClaimWaiter): void {
    if (waiter.peers === null) return;
    this.#part(waiter);
    this.#join(waiter);
  }

  /** Puts a waiter where it belongs after it was woken, or waits again, or knows of its room. */
  sort(waiter: ClaimWaiter): void {
    const isAsleep = waiter.slot >= 0;
    const canBeWoken = !waiter.woken && waiter.fullWorker === null;
    if (waiter.peers === null || isAsleep === canBeWoken) return;
    if (isAsleep) waiter.peers.sleepers.delete(waiter);
    else waiter.peers.sleepers.add(waiter);
    this.#settle(waiter.peers);
  }

  /** Puts `peers` where they belong after one of them was woken, or waits again. */
  #settle(peers: Peers): void {
    const { first } = peers.sleepers;
    if (peers.slot >= 0) {
      if (first?.place === peers.place) return;
      this.#asleep.delete(peers);
    }
    if (first === undefined) return;
    peers.place = first.place;
    this.#asleep.add(peers);
  }

  #join(waiter: ClaimWaiter): void {
    const key = keyOf(waiter.appetite);
    let peers = this.#peers.get(key);
    if (peers === undefined) {
      peers = new Peers(key, waiter.appetite);
      this.#peers.set(key, peers);
    }
    peers.size += 1;
    waiter.peers = peers;
    this.sort(waiter);
  }

  #part(waiter: ClaimWaiter): void {
    const { peers } = waiter;
    if (peers === null) return;
    if (waiter.slot >= 0) {
      peers.sleepers.delete(waiter);
      this.#settle(peers);
    }
    waiter.peers = null;
    peers.size -= 1;
    if (peers.size === 0) this.#peers.delete(peers.key);
  }
}
