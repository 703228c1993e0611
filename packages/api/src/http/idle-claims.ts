/**
 * A claim of a worker that runs nothing stands for its heartbeats. While it hangs it keeps the lease, which it renews each half of one,
 * and hears over the watches, or by what a renewal shows, what a heartbeat would: a drain ends it, and attempts that the worker does not
 * know of shorten it. These may be on their way to it, or its report of them here: told at once, it would ask again at once.
 */
import type { components } from '@task-executor/shared';
import type { Renewed } from '../fleet/heartbeat.js';
import type { Unnamed } from '../queue/directives.js';
import type { ClaimRequest } from '../queue/claim-parts.js';
import { idleBeatWait, nextIdleWait } from '../waiting/waits.js';
import type { LeaseHolder } from '../waiting/lease-rounds.js';
import type { ClaimWaiter } from '../waiting/wakeups.js';
import type { Watcher } from '../waiting/watches.js';
import type { Caller } from './caller.js';
import type { Services } from './services.js';
import { sessionProblem } from './session-problem.js';

type Schemas = components['schemas'];

interface Told {
  readonly drain: boolean;
  readonly unnamed: readonly Unnamed[];
}

/** Lets `beat` stand for a claim: where it shows that one would find more than nothing, the waiter is woken for it. */
export function standIn(beat: Promise<Renewed | null>, waiter: ClaimWaiter): void {
  beat.then((renewed) => {
    if (renewed === null || renewed.claimed) waiter.wake();
  }, () => {
    waiter.wake();
  });
}

export class IdleClaim implements Watcher, LeaseHolder {
  /** Of a caller that names no session, the session may become another one. */
  request: ClaimRequest;
  readonly #services: Services;
  readonly #waiter: ClaimWaiter | null;
  readonly #caller: Caller;
  readonly #arrivedAt = performance.now();
  /** A moment before the last statement was sent that has renewed the lease; null: none has yet. */
  #renewedAt: number | null = null;
  /** Whether a directive counts by now. */
  #listens = false;
  /** The latest look at what there is to tell; null: there was no reason for one. */
  #told: Promise<Told> | null = null;
  #drains = false;
  #ended = false;
  #shortened: NodeJS.Timeout | null = null;

  /** To be ended with `end`. `waiter`: null where the claim does not wait. */
  constructor(services: Services, request: ClaimRequest, waiter: ClaimWaiter | null, caller: Caller) {
    this.#services = services;
    this.request = request;
    this.#waiter = waiter;
    this.#caller = caller;
    if (waiter === null) return;
    services.watches.enter(request.workerId, this);
    services.leaseRounds.enter(this);
  }

  end(): void {
    this.#ended = true;
    this.#services.leaseRounds.leave(this);
    if (this.#shortened !== null) clearTimeout(this.#shortened);
    this.#services.watches.leave(this.request.workerId, this);
  }

  /** Renews the lease without a claim. Null: no session is live. */
  async renew(): Promise<Renewed | null> {
    const sentAt = performance.now();
    // Of a claim without an id all that the session holds was taken by others; no id is empty.
    const renewed = await this.#services.groups.beats.add({ ...this.request, requestId: this.request.requestId ?? '' });
    if (renewed !== null) {
      this.renewed(sentAt);
      this.#listens = true;
      if (renewed.draining || renewed.holdsOthers) this.#look();
    }
    return renewed;
  }

  renewLease(): void {
    if (this.#waiter !== null && !this.#caller.gone) standIn(this.renew(), this.#waiter);
  }

  /** The lease was renewed by a statement that was sent after `sentAt`. */
  renewed(sentAt: number): void {
    this.#renewedAt = Math.max(this.#renewedAt ?? 0, sentAt);
  }

  /** A claim found nothing. From now on a directive counts; not sooner, since what a claim of this id has taken before goes first. */
  listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    this.#look();
  }

  wake(): void {
    if (this.#listens) this.#look();
  }

  dismiss(): void {
    this.#waiter?.dismiss();
  }

  /** What is answered beside the tasks. @throws Problem where there are none, and the session is not live */
  async answer(hasTasks: boolean): Promise<Omit<Schemas['ClaimedTasks'], 'tasks'>> {
    const { config, wakeups } = this.#services;
    const directives = hasTasks ? this.#directivesBesideTasks() : await this.#directivesAtEnd();
    // A claim that finds what another one took need not have renewed anything.
    if (this.#renewedAt === null && (await this.renew()) === null) throw await this.#sessionProblem();
    const nextWait = nextIdleWait(config, wakeups.waiting);
    return {
      waited_seconds: Math.floor((this.#renewedAt ?? this.#arrivedAt) - this.#arrivedAt) / 1000,
      ...(nextWait !== undefined && { next_wait_seconds: nextWait }),
      lease_seconds: config.leaseSeconds,
      heartbeat_interval_seconds: config.heartbeatIntervalSeconds,
      ...(directives !== null && { directives }),
    };
  }

  /** They do not wait for anything. */
  #directivesBesideTasks(): Schemas['Directives'] | null {
    return this.#drains ? { cancel: [], lost: [], drain: true } : null;
  }

  async #directivesAtEnd(): Promise<Schemas['Directives'] | null> {
    // Where it listens and has not looked, there was nothing.
    if (this.#listens && this.#told === null) return null;
    let { drain, unnamed } = await (this.#told ?? this.#read());
    if (!drain && unnamed.length > 0) ({ drain, unnamed } = await this.#read());
    return drain || unnamed.length > 0 ? { cancel: [], lost: [], ...(unnamed.length > 0 && { unnamed: [...unnamed] }), drain } : null;
  }

  #look(): void {
    if (this.#ended) return;
    this.#told = this.#read();
    this.#told.then(({ drain, unnamed }) => {
      if (drain) {
        this.#drains = true;
        this.dismiss();
      } else if (unnamed.length > 0) {
        this.#shorten();
      }
    }, () => {
      // The answer says why.
      this.dismiss();
    });
  }

  #shorten(): void {
    if (this.#ended || this.#shortened !== null) return;
    const leftMs = this.#arrivedAt + idleBeatWait(this.#services.config) * 1000 - performance.now();
    this.#shortened = setTimeout(() => {
      this.dismiss();
    }, leftMs);
  }

  /** @throws Problem where the session is not live */
  async #read(): Promise<Told> {
    const { groups } = this.#services;
    const { workerId, sessionId, requestId } = this.request;
    const [worker, { unnamed }] = await Promise.all([
      groups.workers.add(workerId), groups.directives.add({ workerId, sessionId, named: [], isAll: true }),
    ]);
    if (worker === null || !worker.live || worker.session_id !== sessionId) throw await this.#sessionProblem();
    return {
      drain: worker.draining_at !== null,
      // A copy of this call may have taken some meanwhile.
      unnamed: unnamed.filter((one) => one.request_id === null || one.request_id !== requestId),
    };
  }

  #sessionProblem(): Promise<Error> {
    return sessionProblem(this.#services.databases.heartbeats, this.request.workerId, this.request.sessionId);
  }
}
