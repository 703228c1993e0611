/**
 * Long polls in memory. A waiting claim costs no query: it is woken when a task arrives that it fits, exactly one waiter
 * per task. Other replicas hear of a task over NOTIFY where no waiter here fits it, in batches and at most every
 * HINT_INTERVAL_MS. What is lost is found by one poll per replica, which runs only while somebody waits.
 *
 * Waiters are woken in rounds, each for all that was heard of since the last one began: so a batch of tasks is compared once for
 * each of its lanes, and nothing else stands still for longer than MAX_STRETCH_MS.
 *
 * A waiter enters before its first claim, so that a task which arrives between that claim and the wait is not missed. Where a
 * claim of equal appetite has just found nothing and nothing was heard of since, a waiter need not claim at first: see `isDry`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LIMITS } from '@task-executor/shared';
import type { Logger } from 'pino';
import type { Database } from '../db/database.js';
import type { Listener } from '../db/listener.js';
import { Ration } from '../db/ration.js';
import { pendingLanes } from '../queue/lanes.js';
import { laneKey, type Appetite, type Lane } from './appetite.js';
import { ClaimLine, type ClaimWaiter } from './claim-line.js';
import { DryAppetites } from './dry-appetites.js';
import { Polls } from './polls.js';
import { Stretch } from './stretch.js';

export type { Appetite, Lane } from './appetite.js';
export type { ClaimWaiter } from './claim-line.js';

const HINT_INTERVAL_MS = 20;
const POLL_INTERVAL_MS = 2_000;
/** Share of the time that polls may take. */
const POLL_SHARE = 0.02;
const MAX_WAITERS = 20_000;
/** Lanes that a poll finds, and that are hinted at together. */
const MAX_LANES = 1_000;
/** Lanes one round handles; what comes beyond is left to the next poll. */
const MAX_CALLS = 10_000;
const MAX_STRETCH_MS = 10;
/** The least pause between two polls, however often one is asked for. */
const LEAST_PAUSE_MS = 10;
/** An appetite for which nothing was found is claimed for again after this time, whatever was heard. */
const DRY_MS = 10_000;
/** That time where nothing is heard of what other replicas do. */
const DEAF_DRY_MS = POLL_INTERVAL_MS;
/** The hint to poll now. */
const LOOK = 'look';

/** Waiters to be woken for a lane. */
interface WakeCall {
  readonly lane: Lane;
  wanted: number;
  /** How many of the wanted are for tasks that other replicas hear of where nobody here fits. */
  ours: number;
  /** How much news of the lane came with it. */
  heard: number;
}

export class Wakeups {
  readonly #line = new ClaimLine();
  #calls = new Map<string, WakeCall>();
  /** The round that will answer the calls, with the milliseconds that it takes; null: there are none. */
  #nextRound: Promise<number> | null = null;
  /** Settles when the last round that is planned has ended. */
  #rounds: Promise<unknown> = Promise.resolve();
  /** Hints to be sent, by the key of their lane: problem, backend, tasks. */
  readonly #hints = new Map<string, [string, string, number]>();
  readonly #db: Database;
  readonly #listener: Listener;
  readonly #log: Logger;
  #hintTimer: NodeJS.Timeout | null = null;
  readonly #ration = new Ration(POLL_SHARE);
  readonly #polls = new Polls({
    poll: () => this.#poll(),
    pauseMs: () => Math.max(POLL_INTERVAL_MS, this.#ration.dueInMs),
    leastPauseMs: LEAST_PAUSE_MS,
  });
  #stopped = false;
  /** How often something was heard of: a new task, or tasks that may have become claimable. */
  #news = 0;
  /** How much of the news no round has yet told to `#dry`. */
  #untold = 0;
  readonly #dry = new DryAppetites();

  constructor(db: Database, listener: Listener, log: Logger) {
    this.#db = db;
    this.#log = log;
    this.#listener = listener;
    listener.on('work', (payload) => {
      this.#heard(payload);
    });
  }

  get waiting(): number {
    return this.#line.size;
  }

  start(): void {
    this.#polls.start();
  }

  /** Dismisses every waiter, so that its call ends, and stops. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#hintTimer !== null) clearTimeout(this.#hintTimer);
    this.#line.dismissAll();
    await this.#polls.stop();
    await this.#rounds;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** A place in the line, or null where it is full or closed. To be given back with `leave`. */
  enter(appetite: Appetite): ClaimWaiter | null {
    if (this.#stopped || this.#line.size >= MAX_WAITERS) return null;
    return this.#line.enter(appetite);
  }

  leave(waiter: ClaimWaiter): void {
    this.#line.leave(waiter);
  }

  /** The task of `lane` that a waiter was woken for, and could not take, is for the next that fits, here or elsewhere. */
  handOn(lane: Lane | null): void {
    if (lane !== null) this.#call(lane, { wanted: 1, ours: 1, heard: 0 });
  }

  /** The worker of `waiter` has no room for a task: it is woken for none until that changes. */
  isFull(waiter: ClaimWaiter, workerId: string): void {
    this.#line.isFull(waiter, workerId);
  }

  hasRoom(waiter: ClaimWaiter): void {
    this.#line.hasRoom(waiter);
  }

  /** These workers may have room again. */
  freed(workerIds: readonly string[]): void {
    for (const id of workerIds) this.#line.freed(id);
  }

  get news(): number {
    return this.#news;
  }

  /** A claim that was sent at `news`, with room for a task, found that there is none for `appetite`. */
  foundNothing(appetite: Appetite, news: number): void {
    // The claim may not have seen what came meanwhile.
    if (news === this.#news) this.#dry.add(appetite);
  }

  /** Whether a claim would find nothing, for all that this replica has heard. */
  isDry(appetite: Appetite): boolean {
    return this.#untold === 0 && this.#dry.has(appetite, this.#listener.hears ? DRY_MS : DEAF_DRY_MS);
  }

  /** There is a new pending task in `lane`. */
  announce(lane: Lane): void {
    this.#news += 1;
    this.#call(lane, { wanted: 1, ours: 1, heard: 1 });
  }

  /** Wakes one more waiter here, where one fits: `lane` may hold further tasks. */
  passOn(lane: Lane): void {
    this.#call(lane, { wanted: 1, ours: 0, heard: 0 });
  }

  /** Pending tasks of any lane may have become claimable (a limit, a pause, a drain): looks for them now, on every replica. */
  lookSoon(): void {
    this.#look();
    if (!this.#stopped) this.#listener.notify('work', LOOK);
  }

  #look(): void {
    this.#news += 1;
    this.#dry.clear();
    this.#polls.soon();
  }

  /** Has the next round wake waiters for `lane`. */
  #call(lane: Lane, { wanted, ours, heard }: Omit<WakeCall, 'lane'>): void {
    if (this.#stopped) return;
    const key = laneKey(lane);
    let call = this.#calls.get(key);
    if (call === undefined) {
      if (this.#calls.size >= MAX_CALLS) {
        this.#dry.clear();
        return;
      }
      call = { lane, wanted: 0, ours: 0, heard: 0 };
      this.#calls.set(key, call);
    }
    call.wanted += wanted;
    call.ours += ours;
    call.heard += heard;
    this.#untold += heard;
    if (this.#nextRound !== null) return;
    // What else comes in this turn goes with it.
    this.#nextRound = this.#rounds.then(() => nextTurn()).then(() => this.#round());
    this.#rounds = this.#nextRound;
  }

  /** Answers all calls that there are. Returns the milliseconds that it took, without the turns of others. */
  async #round(): Promise<number> {
    const calls = this.#calls;
    this.#calls = new Map();
    this.#nextRound = null;
    const stretch = new Stretch(MAX_STRETCH_MS);
    for (const call of calls.values()) {
      if (call.heard > 0) await this.#dry.tell(call.lane, this.#line, stretch);
      this.#untold -= call.heard;
      const unmet = call.wanted - await this.#wake(call, stretch);
      if (this.#stopped) break;
      if (Math.min(unmet, call.ours) > 0) this.#hint(call.lane, Math.min(unmet, call.ours));
    }
    return stretch.workedMs;
  }

  /** Wakes up to as many waiters as are wanted, and returns how many it woke. */
  async #wake({ lane, wanted }: WakeCall, stretch: Stretch): Promise<number> {
    let woken = 0;
    while (woken < wanted && !this.#stopped) {
      const isOneWoken = this.#line.wakeFirst(lane, stretch);
      if (isOneWoken === null) await stretch.rest();
      else if (isOneWoken) woken += 1;
      else break;
    }
    return woken;
  }

  /** Tells other replicas that there are so many tasks in `lane`. */
  #hint(lane: Lane, tasks: number): void {
    const key = laneKey(lane);
    const hint = this.#hints.get(key);
    if (hint !== undefined) hint[2] += tasks;
    else if (this.#hints.size < MAX_LANES) this.#hints.set(key, [lane.problem_id, lane.backend_type, tasks]);
    this.#hintTimer ??= setTimeout(() => {
      this.#hintTimer = null;
      for (const one of this.#hints.values()) this.#listener.notify('work', JSON.stringify(one));
      this.#hints.clear();
    }, HINT_INTERVAL_MS);
  }

  #heard(payload: string): void {
    if (payload === LOOK) {
      this.#look();
      return;
    }
    let hint: unknown;
    try {
      hint = JSON.parse(payload);
    } catch {
      return;
    }
    if (!Array.isArray(hint)) return;
    const [problem, backend, count] = hint as unknown[];
    if (typeof problem !== 'string' || typeof backend !== 'string' || typeof count !== 'number') return;
    this.#news += 1;
    this.#call({ problem_id: problem, backend_type: backend }, { wanted: Math.min(count, LIMITS.maxParallelTasks), ours: 0, heard: 1 });
  }

  async #poll(): Promise<void> {
    if (this.#line.size === 0) return;
    const began = performance.now();
    try {
      const lanes = await pendingLanes(this.#db, MAX_LANES);
      const queryMs = performance.now() - began;
      this.#news += lanes.length;
      for (const lane of lanes) this.#call(lane, { wanted: 1, ours: 0, heard: 1 });
      // That round also answers what others have called for meanwhile: the more there is to do, the fewer polls.
      this.#ration.spent(queryMs + (await this.#nextRound ?? 0));
    } catch (error) {
      this.#log.debug({ event: 'poll_failed', error: String(error) }, 'looking for pending tasks failed');
    }
  }
}
