/**
 * A claim of a worker that runs nothing stands for its heartbeats. While it hangs it keeps the lease, by renewing it each half of one. What
 * a heartbeat would hear it hears over the watches, or by what a renewal shows: a drain ends it, and attempts that the worker does not know
 * of shorten it. These may be on their way to the worker, or its report of them here: told at once, it would ask again at once.
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

/** Wakes `waiter` where `beat`, which was sent in place of a claim, shows that a claim would find more than nothing. */
export function wakeIfTasksShow(beat: Promise<Renewed | null>, waiter: ClaimWaiter): void {
  beat.then((renewed) => {
    if (renewed === null || renewed.claimed) waiter.wake();
  }, () => {
    waiter.wake();
  });
}

export class IdleClaim implements Watcher, LeaseHolder {
  /** Its session may become another one where the caller names none. */
  request: ClaimRequest;
  readonly #services: Services;
  readonly #waiter: ClaimWaiter | null;
  readonly #caller: Caller;
  readonly #arrivedAt = performance.now();
  /** A moment just before the last statement that renewed the lease was sent; null: none has yet. */
  #renewedAt: number | null = null;
  /** Whether a directive may end the claim by now. */
  #listens = false;
  /** The latest reading of what there is to tell; null: there was no reason for one. */
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
    // A claim without a request id took nothing itself, so all the session holds counts as others'; '' matches no id.
    const renewed = await this.#services.groups.beats.add({ ...this.request, requestId: this.request.requestId ?? '' });
    if (renewed !== null) {
      this.renewed(sentAt);
      this.#listens = true;
      if (renewed.draining || renewed.holdsOthers) this.#look();
    }
    return renewed;
  }

  renewLease(): void {
    if (this.#waiter !== null && !this.#caller.gone) wakeIfTasksShow(this.renew(), this.#waiter);
  }

  /** The lease was renewed by a statement that was sent after `sentAt`. */
  renewed(sentAt: number): void {
    this.#renewedAt = Math.max(this.#renewedAt ?? 0, sentAt);
  }

  /** A claim found nothing. From now on a directive may end it; not sooner, since what a claim of this id has taken before goes first. */
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

  /** The directives beside tasks: what is known by now, since nothing is waited for. */
  #directivesBesideTasks(): Schemas['Directives'] | null {
    return this.#drains ? { cancel: [], lost: [], drain: true } : null;
  }

  async #directivesAtEnd(): Promise<Schemas['Directives'] | null> {
    // Where it listens and has read nothing, there was no reason to.
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
