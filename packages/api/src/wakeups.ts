/**
 * Long polls in memory. A waiting claim costs no query: it is woken when a task arrives that it fits, exactly one waiter
 * per task. Other replicas hear of a task over NOTIFY where no waiter here fits it, in batches and at most every
 * HINT_INTERVAL_MS. What is lost is found by one poll per replica, which runs only while somebody waits.
 *
 * A waiter enters before its first claim, so that a task which arrives between that claim and the wait is not missed. Where a
 * claim of equal appetite has just found nothing and nothing was heard of since, a waiter need not claim at first: see `isDry`.
 */
import { LIMITS, supportsProblem } from '@task-executor/shared';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from './db/database.js';
import type { Listener } from './db/listener.js';
import { Ration } from './db/ration.js';
import { Polls } from './polls.js';
import { Waiter } from './waiter.js';

const HINT_INTERVAL_MS = 20;
const POLL_INTERVAL_MS = 2_000;
/** Of the time. */
const POLL_SHARE = 0.02;
const MAX_WAITERS = 20_000;
const MAX_LANES = 1_000;
/** Between two polls, however often a look is asked for. */
const LEAST_PAUSE_MS = 10;
/** Each is compared with every new task. */
const MAX_DRY = 100;
/** What was found to be nothing is looked at again after this time, whatever was heard. */
const DRY_MS = 10_000;
/** The same where nothing is heard of what other replicas do. */
const DEAF_DRY_MS = POLL_INTERVAL_MS;
/** The hint to look at all lanes. */
const LOOK = 'look';

/** A problem and a backend ('' for any) that have pending tasks. */
export interface Lane {
  readonly problem_id: string;
  readonly backend_type: string;
}

export interface Appetite {
  readonly globs: readonly string[];
  readonly backendType: string;
}

function keyOf({ globs, backendType }: Appetite): string {
  return JSON.stringify([backendType, ...globs]);
}

function fits({ globs, backendType }: Appetite, lane: Lane): boolean {
  return (lane.backend_type === '' || lane.backend_type === backendType) && supportsProblem(globs, lane.problem_id);
}

/** One waiting claim. */
export class ClaimWaiter extends Waiter {
  /** May change while it waits. */
  appetite: Appetite;

  constructor(appetite: Appetite) {
    super();
    this.appetite = appetite;
  }

  fits(lane: Lane): boolean {
    return fits(this.appetite, lane);
  }
}

export class Wakeups {
  readonly #waiters = new Set<ClaimWaiter>();
  readonly #hints = new Map<string, [string, string, number]>();
  readonly #db: Database;
  readonly #listener: Listener;
  readonly #log: Logger;
  #hintTimer: NodeJS.Timeout | null = null;
  readonly #ration = new Ration(POLL_SHARE);
  readonly #polls = new Polls({
    poll: () => this.#poll(), pauseMs: () => Math.max(POLL_INTERVAL_MS, this.#ration.dueInMs), leastPauseMs: LEAST_PAUSE_MS,
  });
  #stopped = false;
  /** How often something was heard of: a new task, or tasks that may have become claimable. */
  #news = 0;
  /** Appetites for which a claim found nothing and that no news was about since, and when. */
  readonly #dry = new Map<string, { readonly appetite: Appetite; readonly at: number }>();

  constructor(db: Database, listener: Listener, log: Logger) {
    this.#db = db;
    this.#log = log;
    this.#listener = listener;
    listener.on('work', (payload) => {
      this.#heard(payload);
    });
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  start(): void {
    this.#polls.start();
  }

  /** Sends every waiter home, so that its call ends, and stops. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#hintTimer !== null) clearTimeout(this.#hintTimer);
    for (const waiter of this.#waiters) waiter.dismiss();
    await this.#polls.stop();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** A place in the line, or null where it is full or closed. To be given back with `leave`. */
  enter(appetite: Appetite): ClaimWaiter | null {
    if (this.#stopped || this.#waiters.size >= MAX_WAITERS) return null;
    const waiter = new ClaimWaiter(appetite);
    this.#waiters.add(waiter);
    return waiter;
  }

  leave(waiter: ClaimWaiter): void {
    this.#waiters.delete(waiter);
  }

  get news(): number {
    return this.#news;
  }

  /** A claim that was sent at `news`, with room for a task, found that there is none for `appetite`. */
  foundNothing(appetite: Appetite, news: number): void {
    // What came meanwhile, the claim may not have seen.
    if (news !== this.#news) return;
    if (this.#dry.size >= MAX_DRY) this.#dry.clear();
    this.#dry.set(keyOf(appetite), { appetite, at: performance.now() });
  }

  /** Whether a claim would find nothing, for all that this replica has heard. */
  isDry(appetite: Appetite): boolean {
    const dry = this.#dry.get(keyOf(appetite));
    return dry !== undefined && performance.now() - dry.at < (this.#listener.hears ? DRY_MS : DEAF_DRY_MS);
  }

  /** There may be something to claim: in `lane`, or anywhere. */
  #hear(lane: Lane | null): void {
    this.#news += 1;
    if (lane === null) this.#dry.clear();
    else for (const [key, { appetite }] of this.#dry) if (fits(appetite, lane)) this.#dry.delete(key);
  }

  /** There is a new pending task in `lane`. */
  announce(lane: Lane): void {
    this.#hear(lane);
    if (this.#wakeOne(lane) || this.#stopped) return;
    const key = `${lane.problem_id} ${lane.backend_type}`;
    const hint = this.#hints.get(key);
    if (hint !== undefined) hint[2] += 1;
    else if (this.#hints.size < MAX_LANES) this.#hints.set(key, [lane.problem_id, lane.backend_type, 1]);
    this.#hintTimer ??= setTimeout(() => {
      this.#hintTimer = null;
      for (const one of this.#hints.values()) this.#listener.notify('work', JSON.stringify(one));
      this.#hints.clear();
    }, HINT_INTERVAL_MS);
  }

  /** Wakes one more waiter here, where one fits: `lane` may hold further tasks. */
  passOn(lane: Lane): void {
    this.#wakeOne(lane);
  }

  /** Pending tasks of any lane may have become claimable (a limit, a pause, a drain): looks for them now, on every replica. */
  lookSoon(): void {
    this.#hear(null);
    if (this.#stopped) return;
    this.#listener.notify('work', LOOK);
    this.#polls.soon();
  }

  #wakeOne(lane: Lane): boolean {
    for (const waiter of this.#waiters) {
      if (!waiter.woken && waiter.fits(lane)) {
        // To the back of the line, so that hints go round.
        this.#waiters.delete(waiter);
        this.#waiters.add(waiter);
        waiter.wake();
        return true;
      }
    }
    return false;
  }

  #heard(payload: string): void {
    if (payload === LOOK) {
      this.#hear(null);
      this.#polls.soon();
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
    const lane = { problem_id: problem, backend_type: backend };
    this.#hear(lane);
    for (let n = 0; n < Math.min(count, LIMITS.maxParallelTasks); n++) {
      if (!this.#wakeOne(lane)) return;
    }
  }

  async #poll(): Promise<void> {
    if (this.#waiters.size === 0) return;
    const began = performance.now();
    try {
      const lanes = await pendingLanes(this.#db);
      this.#ration.spent(performance.now() - began);
      for (const lane of lanes) {
        this.#hear(lane);
        this.#wakeOne(lane);
      }
    } catch (error) {
      this.#log.debug({ event: 'poll_failed', error: String(error) }, 'looking for pending tasks failed');
    }
  }
}

/** The lanes that have pending tasks, at most MAX_LANES, each found by one step through the index. */
async function pendingLanes(db: Database): Promise<Lane[]> {
  const { rows } = await sql<Lane>`
    with recursive lanes as (
      (select problem_id, backend_type from queue where state = 'pending' order by problem_id, backend_type limit 1)
      union all
      select next.*
        from lanes l
       cross join lateral (
         select q.problem_id, q.backend_type from queue q
          where q.state = 'pending' and (q.problem_id, q.backend_type) > (l.problem_id, l.backend_type)
          order by q.problem_id, q.backend_type limit 1) as next
    )
    select * from lanes limit ${MAX_LANES}`.execute(db);
  return rows;
}
