/**
 * The heartbeats of one session: each hangs at the API until there is a directive, so that a cancel arrives at once. Runs
 * in a thread of its own (heartbeat-thread.ts), where no task code can block it. The session is over when the API says so,
 * or when its lease has run out by this host's monotonic clock; a heartbeat that fails is no reason for anything. While nothing runs
 * a claim may stand for them: then none is sent, and there is nothing that a lease would have to fence.
 */
import { bounded, idleHeartbeatWait, LIMITS, type ApiClient, type components, type WorkerIdentity } from '@task-executor/shared';
import { sessionOverBy } from '../calls/answer.js';
import { pause, RETRY, retryDelayMs } from '../calls/retry.js';
import { Change } from '../change.js';

type Schemas = components['schemas'];
export type NamedAttempt = Schemas['RunningAttempt'];

/** Why a session is over: another process took its id, or the API or the clock ended it. */
export type SessionOver = 'superseded' | 'ended' | 'lapsed';

/** What the API sets for a lease: how long it holds, and how often heartbeats are due. */
export interface LeaseTerms {
  readonly leaseMs: number;
  readonly intervalMs: number;
}

export interface HeartbeatEvents {
  /** A heartbeat was answered: the lease holds for `leaseMs` from `renewedAt`, see monotonicMs. */
  answered(renewedAt: number, leaseMs: number): void;
  directed(directives: Schemas['Directives']): void;
  failed(error: string): void;
  /** The last event. */
  over(reason: SessionOver): void;
}

export interface HeartbeatParts extends LeaseTerms {
  readonly client: ApiClient;
  readonly identity: WorkerIdentity;
  /** When the call that began the lease was made. */
  readonly renewedAt: number;
  readonly events: HeartbeatEvents;
}

/** The first pause of ever longer ones, where the API does not let heartbeats hang. */
const EARLY_MS = 100;

/** Milliseconds by a clock that all threads of this process share, and that never goes back. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

type Beat = { readonly kind: 'answered' | 'interrupted' } | { readonly kind: 'failed'; readonly error: unknown };

/**
 * `armed`: the session is over when its lease has run out. `resting`: a claim stands for heartbeats, and keeps the lease while nothing
 * runs. `unknown`: nothing runs, heartbeats are sent again, and what is known of the lease may be from before the rest.
 */
type Fence = 'armed' | 'resting' | 'unknown';

export class Heartbeats {
  readonly #client: ApiClient;
  readonly #identity: WorkerIdentity;
  readonly #events: HeartbeatEvents;
  readonly #over = new AbortController();
  #leaseMs: number;
  #intervalMs: number;
  #renewedAt: number;
  #fence: Fence = 'armed';
  #fenceTimer: NodeJS.Timeout | undefined;
  readonly #woken = new Change();
  #attempts = new Map<string, NamedAttempt>();
  /** Attempts that the API has spoken about: naming them again would only get the same answer again, at once. */
  readonly #toldOf = new Set<string>();
  /** Aborts what hangs, or the pause, when there is a new attempt to be named. */
  #interrupt = new AbortController();
  #hasNews = false;
  #draining = false;

  constructor(parts: HeartbeatParts) {
    this.#client = parts.client;
    this.#identity = parts.identity;
    this.#events = parts.events;
    this.#leaseMs = parts.leaseMs;
    this.#intervalMs = parts.intervalMs;
    this.#renewedAt = parts.renewedAt;
    this.#arm();
  }

  /** A claim stands for heartbeats from now on, while nothing runs. */
  rest(): void {
    this.#fence = 'resting';
    clearTimeout(this.#fenceTimer);
  }

  /**
   * Heartbeats are sent again. `renewedAt`: the lease holds from then, and tasks may begin under it; null: that claim was not
   * answered, or brought nothing. `terms`: those of this lease where they were said; else they are as before.
   */
  wake(renewedAt: number | null, terms: LeaseTerms | null): void {
    if (this.#fence === 'resting') this.#fence = 'unknown';
    if (terms !== null) this.#setTerms(terms);
    if (renewedAt !== null) this.#renew(renewedAt);
    // Nothing is known of how the session is: the next one is to be answered at once.
    else this.#hasNews = true;
    this.#woken.tell();
  }

  /** Names `attempts` from now on, and no others. */
  name(attempts: readonly NamedAttempt[]): void {
    const before = this.#attempts;
    this.#attempts = new Map(attempts.map((one) => [keyOf(one), one]));
    for (const key of this.#toldOf) if (!this.#attempts.has(key)) this.#toldOf.delete(key);
    if ([...this.#attempts.keys()].every((key) => before.has(key))) return;
    this.#hasNews = true;
    this.#interrupt.abort();
    // What runs has a lease, and is not to run without a fence.
    if (this.#fence !== 'armed') this.wake(this.#renewedAt, null);
  }

  /** Sends nothing more, and says nothing more. */
  stop(): void {
    this.#over.abort();
    clearTimeout(this.#fenceTimer);
  }

  /** Sends heartbeats until the session is over or stopped. */
  async run(): Promise<void> {
    let failures = 0;
    let early = 0;
    while (!this.#over.signal.aborted) {
      if (this.#fence === 'resting') {
        await this.#woken.next(this.#over.signal);
        continue;
      }
      this.#interrupt = new AbortController();
      // With news the next one does not hang: however often there are news, heartbeats get answers.
      const began = monotonicMs();
      // What renews the lease is known here with the answer alone: late in the lease that must not take long.
      const leftMs = Math.max(0, this.#leaseLeftMs(began));
      const mostMs = this.#attempts.size > 0 ? this.#intervalMs : idleHeartbeatWait({ interval: this.#intervalMs, lease: this.#leaseMs });
      const waitMs = this.#hasNews ? 0 : Math.min(mostMs, LIMITS.maxHeartbeatWaitSeconds * 1000, leftMs / 2);
      this.#hasNews = false;
      const answer = await this.#beat(began, waitMs, waitMs > 0 ? this.#interrupt.signal : null);
      if (answer.kind === 'interrupted') continue;
      failures = answer.kind === 'failed' ? failures + 1 : 0;
      if (answer.kind === 'failed') {
        await pause(Math.min(this.#intervalMs, retryDelayMs(answer.error, failures, RETRY)), this.#over.signal);
        continue;
      }
      if (waitMs === 0) continue;
      // An API that does not let them hang is not called all the time.
      early = monotonicMs() - began < waitMs / 2 ? early + 1 : 0;
      if (early > 0) {
        const ms = Math.min(this.#intervalMs, EARLY_MS * 2 ** Math.min(early, 10));
        await bounded({ signals: [this.#over.signal, this.#interrupt.signal] }, (stop) => pause(ms, stop));
      }
    }
  }

  async #beat(began: number, waitMs: number, interrupt: AbortSignal | null): Promise<Beat> {
    const attempts = [...this.#attempts].filter(([key]) => !this.#toldOf.has(key)).map(([, one]) => one);
    // Half a lease lost on a broken connection leaves time for another try.
    const timeoutMs = Math.min(waitMs + Math.max(1_000, this.#leaseMs / 4), this.#leaseLeftMs(began));
    const body: Schemas['Heartbeat'] = {
      status: this.#attempts.size > 0 ? 'busy' : 'idle', attempts,
      ...(waitMs > 0 && { wait_seconds: waitMs / 1000 }), ...(this.#draining && { draining: true }),
    };
    try {
      const answer = await bounded({ signals: [this.#over.signal, interrupt], timeoutMs }, (signal) =>
        this.#client.heartbeat(this.#identity, body, signal));
      if (this.#over.signal.aborted) return { kind: 'answered' };
      this.#take(answer, began);
      return { kind: 'answered' };
    } catch (error) {
      if (this.#over.signal.aborted || interrupt?.aborted === true) return { kind: 'interrupted' };
      const over = sessionOverBy(error);
      if (over !== null) this.#end(over);
      else this.#events.failed(String(error));
      return { kind: 'failed', error };
    }
  }

  #take(answer: Schemas['WorkerSession'], began: number): void {
    // The lease counts from before the call: the API may have renewed it at any moment since.
    this.#setTerms({ leaseMs: answer.lease_seconds * 1000, intervalMs: answer.heartbeat_interval_seconds * 1000 });
    this.#renew(began);
    this.#events.answered(this.#renewedAt, this.#leaseMs);
    const { cancel, lost, drain } = answer.directives;
    this.#draining = drain;
    for (const { task_id, attempt } of [...cancel, ...lost]) if (attempt !== null) this.#toldOf.add(keyOf({ task_id, attempt }));
    this.#events.directed(answer.directives);
  }

  /** How long the lease is known to hold after `now`, in milliseconds. */
  #leaseLeftMs(now: number): number {
    return this.#fence === 'armed' ? this.#renewedAt + this.#leaseMs - now : Infinity;
  }

  #setTerms({ leaseMs, intervalMs }: LeaseTerms): void {
    this.#leaseMs = leaseMs;
    this.#intervalMs = intervalMs;
  }

  #renew(renewedAt: number): void {
    this.#renewedAt = Math.max(renewedAt, this.#renewedAt);
    if (this.#fence !== 'resting') this.#arm();
  }

  /** Sets the fence for what is known of the lease now. */
  #arm(): void {
    this.#fence = 'armed';
    clearTimeout(this.#fenceTimer);
    this.#fenceTimer = setTimeout(() => {
      this.#end('lapsed');
    }, Math.max(0, this.#leaseLeftMs(monotonicMs())));
  }

  #end(reason: SessionOver): void {
    if (this.#over.signal.aborted) return;
    this.stop();
    this.#events.over(reason);
  }
}

function keyOf({ task_id, attempt }: NamedAttempt): string {
  return `${task_id}/${attempt}`;
}
