/**
 * Who follows tasks: streams of events, and calls that wait for the end of a task. All of them together cost one statement
 * per replica and poll, whatever their number, and nothing where there are none; whoever changes a task says so, and those
 * who follow it here are told at once. Others hear of it over NOTIFY, if they have said that they follow the task, so that
 * tasks that nobody follows cost no hint. A lost hint costs the interval of a poll.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Database } from '../db/database.js';
import type { Listener } from '../db/listener.js';
import { readStandings, type Standing } from '../queue/standing.js';
import { Waiter } from './waiter.js';

const MAX_FOLLOWERS = 5_000;
const POLL_INTERVAL_MS = 2_000;
/** For so long changes gather, to be read and told to others together. */
const GATHER_MS = 25;
/** Ids in one hint: a payload holds at most 8,000 bytes. */
const IDS_PER_HINT = 180;
/** Tasks of which we know that other replicas follow them, and for how long that counts unless it is said again. */
const MAX_ELSEWHERE = 20_000;
const INTEREST_MS = 30_000;
const POLLS_PER_REMINDER = 5;

/** One who follows a task. Woken when `standing` has been read anew. */
export class Follower extends Waiter {
  standing: Standing;

  constructor(standing: Standing) {
    super();
    this.standing = standing;
  }
}

export class Follows {
  readonly #followers = new Map<string, Set<Follower>>();
  /** Tasks that the next gathering reads, tells other replicas to have changed, and tells them to be followed here. */
  readonly #due = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #entered = new Set<string>();
  /** Tasks that are followed on other replicas, and until when that counts. */
  readonly #elsewhere = new Map<string, number>();
  readonly #replica = randomUUID();
  readonly #db: Database;
  readonly #listener: Listener;
  readonly #log: Logger;
  #size = 0;
  #polls = 0;
  #forgetAt = 0;
  #gathering: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #stopped = false;

  constructor(db: Database, listener: Listener, log: Logger) {
    this.#db = db;
    this.#listener = listener;
    this.#log = log;
    listener.on('tasks', (payload) => {
      this.#here(payload.split(','));
    });
    listener.on('following', (payload) => {
      this.#heard(payload);
    });
  }

  get size(): number {
    return this.#size;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** A follower of the task that stood as `standing` a moment ago, to be given back with `leave`; null: there are too many. */
  enter(standing: Standing): Follower | null {
    if (this.#stopped || this.#size >= MAX_FOLLOWERS) return null;
    const follower = new Follower(standing);
    const ofTask = this.#followers.get(standing.id) ?? new Set();
    this.#followers.set(standing.id, ofTask.add(follower));
    this.#size += 1;
    // Read again at once: whatever changed since `standing` was read was told to nobody.
    this.#due.add(standing.id);
    this.#entered.add(standing.id);
    this.#gather();
    this.#poll ??= setInterval(() => {
      this.#pollAll();
    }, POLL_INTERVAL_MS);
    return follower;
  }

  leave(follower: Follower): void {
    const ofTask = this.#followers.get(follower.standing.id);
    if (ofTask?.delete(follower) !== true) return;
    this.#size -= 1;
    if (ofTask.size === 0) this.#followers.delete(follower.standing.id);
    if (this.#size === 0 && this.#poll !== null) {
      clearInterval(this.#poll);
      this.#poll = null;
    }
  }

  /** These tasks have changed. Costs next to nothing where nobody follows any. */
  changed(taskIds: readonly string[]): void {
    if (this.#size > 0) this.#here(taskIds);
    if (this.#elsewhere.size === 0) return;
    for (const id of taskIds) if (this.#elsewhere.has(id)) this.#changed.add(id);
    if (this.#changed.size > 0) this.#gather();
  }

  /** Dismisses every follower, so that its call ends, and stops. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    if (this.#poll !== null) clearInterval(this.#poll);
    for (const ofTask of this.#followers.values()) for (const follower of ofTask) follower.dismiss();
    await this.#reading;
  }

  #here(taskIds: readonly string[]): void {
    for (const id of taskIds) if (this.#followers.has(id)) this.#due.add(id);
    if (this.#due.size > 0) this.#gather();
  }

  #heard(payload: string): void {
    const [replica, ids = ''] = payload.split(' ');
    if (replica === this.#replica) return;
    const until = performance.now() + INTEREST_MS;
    for (const id of ids.split(',')) {
      if (this.#elsewhere.has(id) || this.#elsewhere.size < MAX_ELSEWHERE) this.#elsewhere.set(id, until);
    }
  }

  #gather(): void {
    if (this.#stopped) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#notify('following', this.#entered, `${this.#replica} `);
      this.#forgetOthers();
      this.#notify('tasks', this.#changed);
      this.#read();
    }, GATHER_MS);
  }

  #pollAll(): void {
    this.#polls += 1;
    for (const id of this.#followers.keys()) {
      this.#due.add(id);
      if (this.#polls % POLLS_PER_REMINDER === 0) this.#entered.add(id);
    }
    this.#gather();
  }

  #forgetOthers(): void {
    const now = performance.now();
    if (now < this.#forgetAt) return;
    this.#forgetAt = now + INTEREST_MS;
    for (const [id, until] of this.#elsewhere) if (until < now) this.#elsewhere.delete(id);
  }

  #notify(topic: 'tasks' | 'following', ids: Set<string>, prefix = ''): void {
    const all = [...ids];
    ids.clear();
    for (let from = 0; from < all.length; from += IDS_PER_HINT) {
      this.#listener.notify(topic, prefix + all.slice(from, from + IDS_PER_HINT).join(','));
    }
  }

  /** Reads what is due; one reading at a time, so that followers see a task's changes in their order. */
  #read(): void {
    if (this.#reading !== null || this.#stopped) return;
    const asked = [...this.#due].flatMap((id) => [...this.#followers.get(id) ?? []]);
    this.#due.clear();
    if (asked.length === 0) return;
    this.#reading = this.#tell(asked).catch((error: unknown) => {
      this.#log.debug({ event: 'follow_failed', error: String(error) }, 'reading followed tasks failed; the next poll tries again');
    }).finally(() => {
      this.#reading = null;
      if (this.#due.size > 0) this.#gather();
    });
  }

  async #tell(asked: readonly Follower[]): Promise<void> {
    const ids = [...new Set(asked.map(({ standing }) => standing.id))];
    const standings = new Map((await readStandings(this.#db, ids)).map((standing) => [standing.id, standing]));
    for (const follower of asked) {
      follower.standing = standings.get(follower.standing.id) ?? follower.standing;
      follower.wake();
    }
  }
}
