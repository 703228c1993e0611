/**
 * One session of a worker: heartbeats, claims and attempts from a registration to the session's end. It ends when the API
 * says so (409), when its lease has run out by this host's monotonic clock, or when the worker leaves. Heartbeats are in a
 * thread of their own; what they learn is obeyed here, and what a claim learns that stands for them.
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WorkerIdentity, components } from '@task-executor/shared';
import { sessionOverBy } from './calls/answer.js';
import { gatherMsOf, Pace } from './calls/pace.js';
import { Change } from './change.js';
import { ClaimCalls } from './claiming/claim-calls.js';
import { claimLoop } from './claiming/claim-loop.js';
import { IdleClaims } from './claiming/idle-claims.js';
import { Offering, type Capabilities } from './claiming/offering.js';
import { Strays, type UnnamedAttempt } from './claiming/strays.js';
import type { Task } from './executors/executor.js';
import { tellFitness } from './fitness-news.js';
import { monotonicMs, type LeaseTerms } from './heartbeat/heartbeats.js';
import type { Pulse } from './heartbeat/pulse.js';
import type { WorkerLog } from './log.js';
import { Attempt, type AttemptEnd, type StopReason } from './running/attempt.js';
import type { SessionEnd, SessionParts } from './session-parts.js';

type Schemas = components['schemas'];

export class Session {
  readonly identity: WorkerIdentity;
  /** The attempts that run, by task and attempt. */
  readonly attempts = new Map<string, Attempt>();
  readonly #parts: SessionParts;
  readonly #log: WorkerLog;
  readonly #pulse: Pulse;
  readonly #over = new AbortController();
  readonly #claiming = new AbortController();
  /** Told of whatever may make room for tasks, or take it. */
  readonly #change = new Change();
  readonly #offering: Offering;
  readonly #idleClaims: IdleClaims;
  readonly #calls: ClaimCalls;
  readonly #strays = new Strays();
  readonly #pace: Pace;
  /** Resolves when no claim is made any more. */
  #claimed: Promise<void> = Promise.resolve();
  #end: SessionEnd | null = null;
  #draining = false;
  #leaseMs: number;
  #leaseUntil: number;

  constructor(parts: SessionParts) {
    const { registered, registeredAt } = parts;
    this.#parts = parts;
    this.#log = parts.log;
    this.#pace = new Pace(gatherMsOf(parts.concurrency));
    this.identity = { workerId: registered.id, session: registered.session };
    this.#leaseMs = registered.lease_seconds * 1000;
    this.#leaseUntil = registeredAt + this.#leaseMs;
    this.#offering = new Offering({
      client: parts.client, identity: this.identity, over: this.#over.signal, endedBy: (error) => this.#endedBy(error), log: parts.log,
      known: () => {
        this.#calls.cut();
      },
      toldOrRefused: () => {
        this.#change.tell();
      },
    });
    this.#pulse = parts.pulses.open({
      apiUrl: parts.apiUrl, apiHeaders: parts.apiHeaders, identity: this.identity, renewedAt: registeredAt,
      leaseMs: this.#leaseMs, intervalMs: registered.heartbeat_interval_seconds * 1000,
    }, {
      answered: (renewedAt, leaseMs) => {
        this.#leaseMs = leaseMs;
        this.#leaseUntil = renewedAt + leaseMs;
        parts.tally.heartbeats.answered += 1;
      },
      directed: (directives) => {
        this.#obey(directives);
      },
      failed: (error) => {
        parts.tally.heartbeats.failed += 1;
        this.#log.warn({ event: 'heartbeat_failed', error }, 'a heartbeat was not answered');
      },
      over: (reason) => {
        if (reason === 'lapsed') this.#lapse();
        else this.end(reason === 'superseded' ? 'superseded' : 'lapsed');
      },
    });
    const renewed = (at: number, terms: LeaseTerms | null = null): void => {
      this.#leaseMs = terms?.leaseMs ?? this.#leaseMs;
      // Heartbeats may have renewed it since, where they were sent while the claim hung.
      this.#leaseUntil = Math.max(this.#leaseUntil, at + this.#leaseMs);
    };
    this.#idleClaims = new IdleClaims(registered, this.#pulse, renewed);
    this.#calls = new ClaimCalls({
      claim: parts.claim, identity: this.identity, idleClaims: this.#idleClaims, pace: this.#pace, renewed,
      room: () => this.#room(), runsNothing: () => this.attempts.size === 0,
      directed: (directives) => {
        this.#obey(directives);
      },
    });
  }

  /** Until when the lease holds, see monotonicMs. */
  get leaseUntil(): number {
    // A claim that stands for heartbeats keeps it whole.
    return this.#idleClaims.isResting ? monotonicMs() + this.#leaseMs : this.#leaseUntil;
  }

  /** Aborts when the session has ended. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Runs until the session has ended and nothing of it runs any more. */
  async run(): Promise<SessionEnd> {
    void this.#passOnFitness();
    this.#claimed = this.#claims();
    // Not by way of `until`, which would look at every attempt.
    const over = this.#over.signal.aborted ? undefined : once(this.#over.signal, 'abort');
    await Promise.all([over, this.#claimed]);
    if (this.#end === 'superseded' || this.#end === 'lapsed') this.stopAttempts('fenced');
    await this.idle();
    await this.#pulse.close();
    return this.#end ?? 'left';
  }

  /** Claims nothing more. */
  stopClaiming(): void {
    this.#claiming.abort();
  }

  /** Claims nothing more, and resolves when what a claim took meanwhile is handed back and no attempt runs. */
  async stopClaimingAndWait(): Promise<void> {
    this.#claiming.abort();
    await this.#claimed;
    await this.idle();
  }

  /** Resolves when `condition`, of its attempts, its draining or the worker's fitness, holds, or the session is over. */
  async until(condition: () => boolean): Promise<void> {
    while (!this.#over.signal.aborted && !condition()) await this.#change.next(this.#over.signal);
  }

  /** From now on the worker can do this. */
  offer(capabilities: Capabilities): void {
    this.#offering.offer(capabilities);
  }

  /** Tells the API, which knows `known` of it, of the worker's fitness. Resolves with what it knows when it hears no more of it. */
  tellFitness(known: string | null): Promise<string | null> {
    const { client, fitness } = this.#parts;
    return tellFitness(known, {
      client, identity: this.identity, fitness, over: this.#over.signal, endedBy: (error) => this.#endedBy(error), log: this.#log,
    });
  }

  stopAttempts(reason: StopReason): void {
    for (const attempt of this.attempts.values()) attempt.stop(reason);
  }

  /** Resolves when no attempt runs. */
  async idle(): Promise<void> {
    while (this.attempts.size > 0) await Promise.all([...this.attempts.values()].map((attempt) => attempt.finished));
  }

  /** Ends the session; heartbeats and claims stop. */
  end(reason: SessionEnd): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#claiming.abort();
    this.#over.abort();
    if (reason === 'superseded' || reason === 'lapsed') this.stopAttempts('fenced');
  }

  #lapse(): void {
    if (this.#over.signal.aborted) return;
    this.#log.warn({ event: 'lease_run_out', worker_id: this.identity.workerId }, 'the lease has run out; what runs is stopped');
    this.end('lapsed');
  }

  #obey(directives: Schemas['Directives']): void {
    for (const [kind, list] of [['cancelled', directives.cancel], ['lost', directives.lost]] as const) {
      for (const { task_id: taskId, attempt } of list) this.attempts.get(`${taskId}/${attempt ?? ''}`)?.stop(kind);
    }
    for (const stray of this.#strays.find(directives.unnamed ?? [], (one) => this.#isKnown(one))) {
      const about = { event: 'stray_task', task_id: stray.task_id, attempt: stray.attempt };
      this.#log.warn(about, 'the API counts a task as this worker\'s that it never got; it is handed back');
      this.#handBack(stray, 'no claim of this worker brought the task');
    }
    if (directives.drain !== this.#draining) this.#setDraining(directives.drain);
  }

  #setDraining(draining: boolean): void {
    this.#draining = draining;
    // What a worker that leaves has asked for itself is no news.
    if (!this.#claiming.signal.aborted) {
      const about = { event: draining ? 'drained_by_api' : 'resumed_by_api', worker_id: this.identity.workerId };
      this.#log.info(about, draining ? 'the API asks this worker to claim nothing more' : 'the API lets this worker claim again');
    }
    this.#change.tell();
  }

  async #claims(): Promise<void> {
    const { tally } = this.#parts;
    await claimLoop({
      waitSeconds: this.#parts.registered.claim_wait_seconds,
      claim: (waitSeconds, requestId, stop) => this.#calls.make(waitSeconds, requestId, stop),
      ready: (stop) => this.#ready(stop),
      begin: (task) => {
        // The answer may have been long on its way, and the task be somebody else's by now.
        if (monotonicMs() >= this.#leaseUntil) this.#lapse();
        if (this.#over.signal.aborted) return;
        if (this.#room() > 0 && this.#offering.wants(task.problem_id)) this.#begin(task);
        else this.#refuse(task);
      },
      refuse: (task) => {
        if (!this.#over.signal.aborted) this.#refuse(task);
      },
      isOver: (error) => this.#endedBy(error) || this.#over.signal.aborted,
      counted: (result) => {
        tally.claims[result] += 1;
      },
    }, this.#log, this.#claiming.signal);
    this.#calls.forget();
    this.#idleClaims.wake();
  }

  /** How many tasks may be taken. */
  #room(): number {
    const { concurrency, fitness, left } = this.#parts;
    if (this.#claiming.signal.aborted || this.#draining || fitness.reason !== null) return 0;
    return Math.min(concurrency - this.attempts.size, left());
  }

  async #ready(stop: AbortSignal): Promise<boolean> {
    let hadRoom = true;
    while (!stop.aborted) {
      // A claim made before the API knows what is offered could bring what was just handed back.
      if (this.#room() > 0 && !this.#offering.isTelling) {
        // Tasks that end in the same moment make room together.
        await nextTurn();
        await this.#pace.turn(stop);
        if (this.#room() > 0 && !this.#offering.isTelling) break;
        continue;
      }
      if (this.#room() <= 0) {
        // What a claim without an answer took must not wait for room: it is handed back like any stray.
        hadRoom = false;
        this.#calls.forget();
      }
      this.#idleClaims.wake();
      await this.#change.next(stop);
    }
    return hadRoom;
  }

  async #passOnFitness(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const { fitness } = this.#parts;
      await fitness.changed.next(this.#over.signal);
      // A claim that hangs would take a task that others are fit for, and says nothing of it where it stands for heartbeats.
      if (fitness.reason !== null) {
        this.#calls.cut();
        this.#idleClaims.wake();
      }
      this.#change.tell();
    }
  }

  #begin(task: Task): void {
    const { client, catalog, outboxes } = this.#parts;
    const about = { task_id: task.id, attempt: task.attempt };
    const outbox = outboxes.open(this.identity, about);
    const attempt = new Attempt({
      task, outbox, catalog, log: this.#log,
      channel: {
        putProgress: (progress) => client.putProgress(this.identity, about, progress),
        readTask: (id, signal) => client.getTask(id, { signal }),
      },
    });
    // The task's last attempt may have been this session's own, and may still be ending.
    const key = `${task.id}/${task.attempt}`;
    this.attempts.set(key, attempt);
    this.#name();
    void attempt.said.then(() => {
      outboxes.close(outbox);
    });
    void attempt.finished.then((end) => {
      this.attempts.delete(key);
      this.#account(end);
      this.#name();
      this.#change.tell();
      this.#parts.onFinish();
    });
    this.#parts.onBegin();
  }

  #account(end: AttemptEnd): void {
    const { fitness, tally } = this.#parts;
    tally.attempts[end.kind] += 1;
    if (end.unfit !== null) fitness.suspect(end.unfit);
    else if (end.kind === 'completed') fitness.trust();
  }

  #refuse(task: Task): void {
    // The task may be a stray that is being handed back.
    if (this.#parts.outboxes.has(this.identity.session, task.id, task.attempt)) return;
    this.#handBack({ task_id: task.id, attempt: task.attempt }, this.#whyNot(task));
  }

  #whyNot(task: Task): string {
    const { reason } = this.#parts.fitness;
    if (reason !== null) return reason;
    return this.#offering.wants(task.problem_id) ? 'the worker takes nothing more' : 'the worker takes this problem no more';
  }

  #handBack(attempt: { readonly task_id: string; readonly attempt: number }, reason: string): void {
    const { outboxes } = this.#parts;
    const outbox = outboxes.open(this.identity, attempt);
    void outbox.report({ verb: 'release', body: { reason } }).finally(() => {
      outboxes.close(outbox);
    });
  }

  /** Whether this worker runs the attempt, has something to say of it, or may yet get it. */
  #isKnown({ task_id, attempt, request_id }: UnnamedAttempt): boolean {
    return this.attempts.has(`${task_id}/${attempt}`) || this.#parts.outboxes.has(this.identity.session, task_id, attempt)
      || (request_id !== null && request_id === this.#calls.request);
  }

  #name(): void {
    // Of an attempt that has ended, the answer to its report says all there is to say.
    this.#pulse.name(() => [...this.attempts.values()].filter(({ ended }) => !ended)
      .map(({ task }) => ({ task_id: task.id, attempt: task.attempt })));
  }

  /** Whether the API said that this session is over. */
  #endedBy(error: unknown): boolean {
    const over = sessionOverBy(error);
    if (over !== null) this.end(over === 'superseded' ? 'superseded' : 'lapsed');
    return over !== null;
  }
}
