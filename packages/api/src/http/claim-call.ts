/**
 * A call that claims, for as long as it hangs: it looks, waits in the line until it is woken, and looks again, until it has a task, its
 * time is over or its caller has gone.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SessionFacts } from '../fleet/sessions.js';
import type { FoundTasks } from '../queue/claim.js';
import type { ClaimRequest } from '../queue/claim-parts.js';
import type { Appetite, ClaimWaiter, Lane } from '../waiting/wakeups.js';
import type { Caller } from './caller.js';
import { IdleClaim, wakeIfTasksShow } from './idle-claims.js';
import { Problem } from './problem.js';
import type { Services } from './services.js';
import { sessionProblem } from './session-problem.js';

/** A worker without room is looked at again after so long: another replica may have freed it. */
const FULL_AGAIN_MS = 10_000;

/** What was claimed, and by which request: its session may be another one than at first where the caller names none. */
export interface Claimed extends Pick<FoundTasks, 'tasks' | 'isFull'> {
  readonly request: ClaimRequest;
}

export interface ClaimCallOptions {
  /** The session as it was read last. */
  readonly session: SessionFacts;
  /** Whether the caller names no session, so that this is the current one until a claim has found it live. */
  readonly isGuess: boolean;
  readonly request: ClaimRequest;
  /** 0: it does not wait. */
  readonly waitMs: number;
  /** Whether the worker says that it is idle. */
  readonly isIdle: boolean;
  readonly caller: Caller;
}

export class ClaimCall {
  /** Null: the worker does not say that it is idle. */
  readonly idle: IdleClaim | null;
  readonly #services: Services;
  readonly #caller: Caller;
  /** Null: it does not wait. */
  readonly #waiter: ClaimWaiter | null;
  readonly #deadline: number;
  #session: SessionFacts;
  #isGuess: boolean;
  #request: ClaimRequest;
  /** The lane of the task that it was woken for and has not looked for yet. */
  #lane: Lane | null = null;

  /** Enters the line; `run` leaves it. @throws Problem where there is no place in it */
  constructor(services: Services, { session, isGuess, request, waitMs, isIdle, caller }: ClaimCallOptions) {
    const { wakeups } = services;
    this.#services = services;
    this.#caller = caller;
    this.#session = session;
    this.#isGuess = isGuess;
    this.#request = request;
    this.#deadline = performance.now() + waitMs;
    this.#waiter = waitMs > 0 ? wakeups.enter(appetiteOf(session)) : null;
    if (waitMs > 0 && this.#waiter === null) throw new Problem(wakeups.stopped ? 'shutting_down' : 'too_many_requests');
    this.idle = isIdle ? new IdleClaim(services, request, this.#waiter, caller) : null;
  }

  /** Claims, and waits while there is nothing. To be called once. @throws Problem where the session does not live */
  async run(): Promise<Claimed> {
    const { wakeups } = this.#services;
    const waiter = this.#waiter;
    try {
      return waiter === null ? this.#claimed(await this.#look()) : await this.#lookAndWait(waiter);
    } finally {
      this.idle?.end();
      if (waiter !== null) {
        wakeups.leave(waiter);
        // It may have been woken again while it looked.
        wakeups.handOn(waiter.takeLane());
      }
    }
  }

  async #lookAndWait(waiter: ClaimWaiter): Promise<Claimed> {
    const { wakeups, groups } = this.#services;
    if (wakeups.isDry(waiter.appetite)) {
      wakeIfTasksShow(this.idle?.renew() ?? groups.beats.add(this.#request), waiter);
      if ((await this.#wokenWithin(Infinity, waiter)) !== true) return this.#nothing();
    }
    for (;;) {
      const looked = await this.#look();
      if (looked.tasks.length > 0 || this.#isOver) return this.#claimed(looked);
      let { againMs } = looked;
      if (looked.isFull) {
        const isKnown = waiter.fullWorker !== null;
        wakeups.isFull(waiter, this.#request.workerId);
        // Nobody has told it of what was freed before it was known to be full.
        if (!isKnown) continue;
        againMs = FULL_AGAIN_MS;
      } else {
        wakeups.hasRoom(waiter);
      }
      this.idle?.listen();
      const isWoken = await this.#wokenWithin(againMs ?? Infinity, waiter);
      // One last look at the end of the wait would cost a query per idle worker and poll.
      if (isWoken === null || (!isWoken && againMs === undefined)) return this.#nothing();
    }
  }

  get #isOver(): boolean {
    return this.#caller.gone || this.#waiter?.dismissed === true || performance.now() >= this.#deadline;
  }

  #claimed({ tasks, isFull }: FoundTasks): Claimed {
    return { request: this.#request, tasks, isFull };
  }

  #nothing(): Claimed {
    return { request: this.#request, tasks: [], isFull: false };
  }

  /** Whether it was woken within `ms`. Null: it is over; what it was woken for at the last moment is for the next that fits. */
  async #wokenWithin(ms: number, waiter: ClaimWaiter): Promise<boolean | null> {
    const isWoken = await waiter.wait(Math.min(ms, this.#deadline - performance.now()), this.#caller);
    this.#lane = waiter.takeLane();
    if (!this.#isOver) return isWoken;
    this.#services.wakeups.handOn(this.#lane);
    return null;
  }

  /** Claims once, for the session as it is. */
  async #look(): Promise<FoundTasks> {
    const { wakeups, groups } = this.#services;
    const waiter = this.#waiter;
    for (;;) {
      const { news } = wakeups;
      const sentAt = performance.now();
      // A look of our own at a worker that has no room is no sign of its life.
      const renewing = waiter === null || waiter.fullWorker === null;
      const result = await groups.claimsOf(this.#session).add(renewing ? this.#request : { ...this.#request, leaseSeconds: 0 });
      if (result.kind === 'no_session') {
        await this.#takeSessionAsItIs();
        continue;
      }
      this.#isGuess = false;
      if (result.isRenewed && renewing) this.idle?.renewed(sentAt);
      if (result.isDry && waiter !== null) wakeups.foundNothing(waiter.appetite, news);
      if (result.isFull && result.tasks.length === 0) wakeups.handOn(this.#lane);
      this.#lane = null;
      return result;
    }
  }

  /**
   * Takes the session as it is now, which supports other problems than was known, or is another than was guessed.
   * @throws Problem where it does not live
   */
  async #takeSessionAsItIs(): Promise<void> {
    const { sessions, databases, wakeups } = this.#services;
    const { workerId } = this.#request;
    const known = this.#session;
    try {
      sessions.forget(workerId, known.sessionId);
      const now = await sessions.find(workerId, this.#isGuess ? null : known.sessionId);
      if (now === null || isDeepStrictEqual(now, known)) throw await sessionProblem(databases.lease, workerId, known.sessionId);
      this.#session = now;
    } catch (error) {
      wakeups.handOn(this.#lane);
      throw error;
    }
    this.#request = { ...this.#request, sessionId: this.#session.sessionId };
    if (this.idle !== null) this.idle.request = this.#request;
    if (this.#waiter !== null) this.#waiter.appetite = appetiteOf(this.#session);
  }
}

function appetiteOf({ supportedProblems, backendType }: SessionFacts): Appetite {
  return { globs: supportedProblems, backendType };
}
