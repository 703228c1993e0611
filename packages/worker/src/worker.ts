/**
 * A worker: sessions one after another, until it is told to leave. Usable inside another process (the API runs its
 * internal workers this way) or as one of its own (main.ts).
 */
import { ApiClient, backoffMs, type WorkerStatus } from '@task-executor/shared';
import { pause } from './calls/retry.js';
import { BUILT_IN_CATALOG, type Catalog } from './catalog/catalog.js';
import { claimsOf, type ClaimTasks } from './claiming/claims.js';
import type { Capabilities } from './claiming/offering.js';
import { Fitness } from './fitness.js';
import { monotonicMs } from './heartbeat/heartbeats.js';
import { Pulses } from './heartbeat/pulse.js';
import { register } from './register.js';
import { courierOf } from './reporting/courier.js';
import { Outboxes } from './reporting/outboxes.js';
import type { RunningWorker, WorkerEnd, WorkerOptions, WorkerState } from './running-worker.js';
import { drainSelf } from './self-drain.js';
import { Session } from './session.js';
import type { SessionEnd } from './session-parts.js';
import { newTally } from './tally.js';

const SHORT_SESSIONS = { initialMs: 500, maxMs: 30_000 };
/** How long a worker that ends for good tries to deliver what it has; the spool keeps the rest. */
const LAST_WORDS_MS = 10_000;

export function startWorker(options: WorkerOptions): RunningWorker {
  return new Worker(options);
}

class Worker implements RunningWorker {
  readonly registered: Promise<void>;
  readonly stopped: Promise<WorkerEnd>;
  readonly #options: WorkerOptions;
  readonly #catalog: Catalog;
  readonly #client: ApiClient;
  readonly #claim: ClaimTasks;
  readonly #pulses: Pulses;
  readonly #fitness: Fitness;
  readonly #outboxes: Outboxes;
  readonly #tally = newTally();
  readonly #leaving = new AbortController();
  #problems: readonly string[];
  #releasing = false;
  /** Whether the worker leaves because no registration was answered for as long as it may be idle. */
  #isUnreached = false;
  #session: Session | null = null;
  #id: string | null = null;
  #begun = 0;
  #idle: NodeJS.Timeout | undefined;
  #announce: () => void = () => undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#problems = options.problems;
    this.#client = new ApiClient(options.apiUrl, options.apiHeaders);
    this.#pulses = options.pulses ?? new Pulses();
    this.#catalog = options.catalog ?? BUILT_IN_CATALOG;
    const { spool = null, log, health = () => this.#catalog.fault() } = options;
    this.#claim = claimsOf(this.#client, options.concurrency);
    this.#outboxes = new Outboxes({ courier: courierOf(this.#client, options.concurrency), spool, log });
    this.#fitness = new Fitness(async () => (await spool?.check()) ?? (await health()), log);
    this.registered = new Promise((resolve) => {
      this.#announce = resolve;
    });
    this.#watchIdleness();
    this.stopped = this.#run().finally(() => {
      this.#announce();
    });
  }

  get id(): string | null {
    return this.#id;
  }

  get status(): WorkerStatus {
    if (this.#session === null) return 'offline';
    return this.#session.attempts.size > 0 ? 'busy' : 'idle';
  }

  get currentTaskId(): string | null {
    return this.#session?.attempts.values().next().value?.task.id ?? null;
  }

  state(): WorkerState {
    const session = this.#session;
    return {
      registered: session !== null,
      running: session?.attempts.size ?? 0,
      unfit: this.#fitness.reason,
      draining: this.#isLeaving() || session?.draining === true,
      leaseLeftMs: session === null ? null : Math.max(0, session.leaseUntil - monotonicMs()),
      waitingReports: this.#outboxes.waiting(),
      spoolBytes: this.#options.spool?.bytes ?? 0,
      tally: this.#tally,
    };
  }

  offer(problems: readonly string[]): void {
    this.#problems = problems;
    this.#session?.offer(this.#capabilities());
    // What made the host unfit may have gone with the old catalog, or have come with the new one.
    this.#fitness.lookAgain();
  }

  async drain(): Promise<void> {
    this.#leaving.abort();
    const { drainMs, log } = this.#options;
    const timer = drainMs === undefined ? undefined : setTimeout(() => {
      log.warn({ event: 'drain_over', worker_id: this.#id }, 'the drain took too long; what runs is handed back');
      void this.release();
    }, drainMs);
    await this.stopped;
    clearTimeout(timer);
  }

  async release(): Promise<void> {
    this.#releasing = true;
    this.#leaving.abort();
    this.#session?.stopAttempts('released');
    await this.stopped;
  }

  async #run(): Promise<WorkerEnd> {
    const { signal } = this.#leaving;
    try {
      await Promise.all([this.#outboxes.takeUp(), this.#fitness.known]);
      return await this.#sessions(signal);
    } finally {
      clearTimeout(this.#idle);
      this.#fitness.stop();
      // A worker that hands back what runs has waited for the answers already.
      if (!this.#releasing) await this.#outboxes.answered(AbortSignal.timeout(LAST_WORDS_MS));
      const left = this.#outboxes.waiting();
      if (left > 0) {
        this.#options.log.warn({ event: 'reports_left', reports: left }, 'the API did not answer reports; the next start sends what the spool has');
      }
      this.#outboxes.end();
      await this.#options.spool?.close();
      await this.#client.close();
    }
  }

  async #sessions(leaving: AbortSignal): Promise<WorkerEnd> {
    const { backendType, concurrency, metadata, log, workerId, preferredWorkerId } = this.#options;
    let wanted = workerId ?? preferredWorkerId;
    /** Until when the wanted id may be asked for, see monotonicMs: then it may be somebody else's. */
    let wantedUntil = Infinity;
    let short = 0;
    while (!leaving.aborted) {
      // Before the registration, which would end the session that they belong to.
      await this.#outboxes.answered(leaving);
      const unfit = this.#fitness.reason;
      const problems = this.#problems;
      const capabilities = this.#capabilities();
      const registered = await register(this.#client, () => {
        const id = monotonicMs() < wantedUntil ? wanted : workerId;
        return {
          ...(id === undefined ? {} : { worker_id: id }),
          backend_type: backendType,
          capabilities,
          metadata: { ...metadata, ...(unfit === null ? {} : { unfit }) },
        };
      }, log, leaving);
      if (registered === null) return this.#isUnreached ? 'unreached' : leaving.aborted ? 'left' : 'refused';
      this.#tally.sessions += 1;
      const session = new Session({
        registered: registered.answer, registeredAt: registered.at, apiUrl: this.#options.apiUrl, apiHeaders: this.#options.apiHeaders ?? {}, client: this.#client,
        pulses: this.#pulses, outboxes: this.#outboxes, fitness: this.#fitness, tally: this.#tally, concurrency, log,
        catalog: this.#catalog, claim: this.#claim,
        left: () => (this.#options.maxTasks ?? Infinity) - this.#begun,
        onBegin: () => {
          this.#onBegin();
        },
        onFinish: () => {
          this.#watchIdleness();
        },
      });
      // Changed while the registration was under way.
      if (this.#problems !== problems) session.offer(this.#capabilities());
      const end = await this.#live(unfit, session);
      if (end === 'left') return 'left';
      if (end === 'renewed') {
        wanted = session.identity.workerId;
        wantedUntil = session.leaseUntil;
        continue;
      }
      log.warn({ event: 'session_over', worker_id: this.#id, reason: end }, 'the session is over');
      if (end === 'superseded' && workerId !== undefined) return 'superseded';
      // An assigned id may be somebody else's by now.
      wanted = workerId;
      short = monotonicMs() - registered.at < registered.answer.lease_seconds * 1000 ? short + 1 : 0;
      // Whatever ends one session after another must not make a flood of registrations of it.
      if (short > 1) await pause(backoffMs(SHORT_SESSIONS, short, Math.random()), leaving);
    }
    return 'left';
  }

  /** Runs one session, registered as `unfit` for that reason; where the worker leaves, waits for its attempts and deregisters. */
  async #live(unfit: string | null, session: Session): Promise<SessionEnd> {
    const { log } = this.#options;
    this.#session = session;
    this.#id = session.identity.workerId;
    this.#announce();
    log.info({ event: 'registered', worker_id: this.#id }, 'registered');
    const leave = async (): Promise<void> => {
      if (this.#releasing) session.stopAttempts('released');
      else if (session.attempts.size > 0) void drainSelf(this.#client, session.identity, log, session.over);
      session.stopClaiming();
      await session.idle();
      session.end('left');
    };
    void this.#keepFitnessKnown(unfit, session);
    const onLeaving = (): void => {
      void leave();
    };
    if (this.#isLeaving()) onLeaving();
    else this.#leaving.signal.addEventListener('abort', onLeaving, { once: true });
    const end = await session.run();
    this.#leaving.signal.removeEventListener('abort', onLeaving);
    this.#session = null;
    // Deregistering would hand back tasks whose results are on their way.
    if (end === 'left' && this.#outboxes.waiting(session.identity.session) === 0) {
      // Should this fail, the lease lapses by itself.
      await this.#client.deregister(session.identity).catch((error: unknown) => {
        log.warn({ event: 'deregister_failed', error: String(error) }, 'leaving was not noted by the API');
      });
    }
    return end;
  }

  /**
   * What a registration said of its fitness is corrected for whoever looks at the fleet: by heartbeats; where the API does not take that,
   * by another registration. That ends the session and a drain by the API, so it waits until nothing runs and nobody drains; what may be
   * claimed meanwhile does not depend on it.
   */
  async #keepFitnessKnown(registered: string | null, session: Session): Promise<void> {
    const unfit = await session.tellFitness(registered);
    const isReplaceable = (): boolean => session.attempts.size === 0 && !session.draining;
    const hasChanged = (): boolean => (this.#fitness.reason === null) !== (unfit === null);
    // Each attempt is a change of the session, and of no interest before there is another fitness.
    while (!session.over.aborted && !(hasChanged() && isReplaceable())) {
      await (hasChanged() ? session.until(isReplaceable) : this.#fitness.changed.next(session.over));
    }
    if (session.over.aborted || this.#isLeaving()) return;
    await session.stopClaimingAndWait();
    // It may have been drained while a last claim was answered.
    await session.until(isReplaceable);
    if (!this.#isLeaving()) session.end('renewed');
  }

  #capabilities(): Capabilities {
    return { max_parallel_tasks: this.#options.concurrency, supported_problems: [...this.#problems] };
  }

  #isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  #onBegin(): void {
    clearTimeout(this.#idle);
    this.#begun += 1;
    const { maxTasks, log } = this.#options;
    if (this.#begun !== maxTasks) return;
    log.info({ event: 'last_task', tasks: maxTasks }, 'this worker leaves after the tasks that it runs');
    // Without the bound of a drain, which nobody has asked for: the last tasks may take as long as any.
    this.#leaving.abort();
  }

  #watchIdleness(): void {
    const { maxIdleMs, log } = this.#options;
    if (maxIdleMs === undefined || (this.#session?.attempts.size ?? 0) > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#isUnreached = this.#id === null;
      const about = { event: 'idle', seconds: maxIdleMs / 1000 };
      if (this.#isUnreached) log.error(about, 'the API did not answer a registration for as long as this worker may be idle');
      else log.info(about, 'nothing was to be done for long enough');
      this.#leaving.abort();
    }, maxIdleMs);
  }
}
