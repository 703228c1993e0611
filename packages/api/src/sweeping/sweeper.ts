/**
 * The loop that acts without being asked: lapsed leases, lost and timed-out attempts, tasks whose time has come or is over,
 * dependents that nobody told, folded counters. Every replica runs it, without a leader: the statements leave to others what
 * others are doing. A round begins by asking, in one statement, whether there is anything to do: so much costs an idle system.
 *
 * While a snapshot is held, some of these questions walk past all that has ended since, and cost more the longer it is held. A costly one
 * is asked by itself, for a share of the time at most: the others are asked as often as ever, and do not fail with it.
 */
import type { Logger } from 'pino';
import type { Aftermath } from '../aftermath.js';
import type { Database } from '../db/database.js';
import { isStatementTimeout } from '../db/errors.js';
import { Ration } from '../db/ration.js';
import { ANY_LAPSED, lapseSessions } from '../fleet/lapse.js';
import type { Metrics } from '../metrics.js';
import { ANY_NOTES } from '../queue/dependents.js';
import { answersTo, type Answer, type Question } from '../queue/due.js';
import { ANY_TO_REGROUP, regrouping } from '../queue/limits.js';
import { ANY_DELTAS, foldDeltas } from '../queue/stats.js';
import {
  DUE_TASKS, EXPIRED_TASKS, findOrphaned, ORPHANED_TASKS, SWEEP_ROWS, sweepDue, sweepExpired, sweepSessions, sweepTimeouts, TIMED_OUT_TASKS,
  type Swept,
} from '../queue/sweep.js';
import type { Presence } from '../waiting/presence.js';

/** A question that takes so long is costly; without a held snapshot all of them together take about a millisecond. */
const COSTLY_MS = 20;
/** Share of the time that each costly question may take. */
const COSTLY_SHARE = 0.02;

/** What a round does where it is due. */
export interface Chore {
  readonly due: Question;
  /** `tasks`: the answer to `due`; empty where that is a boolean. */
  run(tasks: readonly string[]): Promise<unknown>;
  /** What follows where it could not be asked or done. */
  readonly failed?: () => void;
}

interface Step extends Chore {
  /** Whether it may take long: the round does not wait for it, and the next ones leave it alone until it is done. */
  readonly isBeside: boolean;
  /** What it does beside the rounds at the moment. */
  underWay: Promise<void> | null;
  /** Rations the question, where it is costly. */
  readonly ration: Ration;
  /** By the time that the question took last; true, too, until that is known. */
  isCostly: boolean;
}

export interface SweeperParts {
  readonly db: Database;
  readonly aftermath: Aftermath;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly presence: Presence;
  readonly intervalMs: number;
  readonly leaseSeconds: number;
  /** May take long: none of them holds up the rounds, or another one. */
  readonly chores: readonly Chore[];
}

export class Sweeper {
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #db: Database;
  readonly #aftermath: Aftermath;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #leaseSeconds: number;
  readonly #presence: Presence;
  readonly #steps: readonly Step[];

  constructor(parts: SweeperParts) {
    this.#db = parts.db;
    this.#aftermath = parts.aftermath;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#intervalMs = parts.intervalMs;
    this.#leaseSeconds = parts.leaseSeconds;
    this.#presence = parts.presence;
    const regroup = regrouping();
    const own: readonly Chore[] = [
      {
        due: ANY_LAPSED,
        run: () => this.#lapse(),
        // Where a lease cannot be ended, none can be renewed.
        failed: () => {
          this.#presence.absent();
        },
      },
      // Whoever ends a session takes back at once what it held; this is for those who died in between, and reads all that runs.
      { due: ORPHANED_TASKS, run: (tasks) => this.#drain(tasks, sweepSessions) },
      { due: TIMED_OUT_TASKS, run: (tasks) => this.#drain(tasks, sweepTimeouts) },
      { due: EXPIRED_TASKS, run: (tasks) => this.#drain(tasks, sweepExpired) },
      { due: DUE_TASKS, run: (tasks) => this.#promote(tasks) },
      { due: ANY_NOTES, run: () => this.#aftermath.dependentsLeft() },
      { due: ANY_TO_REGROUP, run: () => regroup(this.#db) },
      { due: ANY_DELTAS, run: () => foldDeltas(this.#db) },
    ];
    const stepOf = (chore: Chore, isBeside: boolean): Step =>
      ({ ...chore, isBeside, underWay: null, ration: new Ration(COSTLY_SHARE), isCostly: true });
    this.#steps = [...own.map((chore) => stepOf(chore, false)), ...parts.chores.map((chore) => stepOf(chore, true))];
  }

  start(): void {
    this.#presence.start();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#presence.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
    await this.#besides();
  }

  /** Does one round of all steps, to its end. An error ends its step and is logged: the next round tries again. */
  async sweep(): Promise<void> {
    await this.#sweep(this.#steps);
    await this.#besides();
  }

  async #besides(): Promise<void> {
    for (const { underWay } of this.#steps) await underWay;
  }

  async #sweep(asked: readonly Step[]): Promise<void> {
    const apart = asked.filter(({ isCostly }) => isCostly);
    let due: ReadonlyMap<Step, Answer> | null = null;
    await this.#try(async () => {
      due = await this.#askTogether(asked.filter((step) => !apart.includes(step)));
    });
    if (due === null) return;
    for (const step of asked) {
      await this.#try(async () => {
        const answer = apart.includes(step) ? await this.#askApart(step) : due?.get(step) ?? false;
        const tasks = typeof answer === 'boolean' ? [] : answer;
        if (answer === false || (answer !== true && tasks.length === 0)) return;
        if (step.isBeside) this.#begin(step, tasks);
        else await step.run(tasks);
      }, step.failed);
    }
  }

  #begin(step: Step, tasks: readonly string[]): void {
    step.underWay = this.#try(() => step.run(tasks)).finally(() => {
      step.underWay = null;
    });
  }

  async #try(step: () => Promise<unknown>, failed?: () => void): Promise<void> {
    await step().catch((error: unknown) => {
      failed?.();
      this.#log.warn({ event: 'sweep_failed', error: String(error) }, 'a sweep failed; the next one tries again');
    });
  }

  /** What each of the steps has to do. Asks also where there are none: that the database answers is what leases lapse by. */
  async #askTogether(steps: readonly Step[]): Promise<ReadonlyMap<Step, Answer>> {
    let isCostly = true;
    try {
      const { answers, ms } = await answersTo(this.#db, steps.map(({ due }) => due));
      isCostly = ms >= COSTLY_MS;
      this.#presence.answered();
      return new Map(steps.map((step, n) => [step, answers[n] ?? false]));
    } catch (error) {
      this.#presence.absent();
      throw error;
    } finally {
      // Which of them it is shows when each is asked by itself.
      if (isCostly) for (const step of steps) step.isCostly = true;
    }
  }

  /** What a step has to do whose question is costly, or may be. */
  async #askApart(step: Step): Promise<Answer> {
    const began = performance.now();
    step.isCostly = true;
    try {
      const { answers, ms } = await answersTo(this.#db, [step.due]);
      step.isCostly = ms >= COSTLY_MS;
      if (step.isCostly) step.ration.spent(ms);
      return answers[0] ?? false;
    } catch (error) {
      // How long it waited for a lock, or for a connection, is not what it costs.
      if (isStatementTimeout(error)) step.ration.spent(performance.now() - began);
      throw error;
    }
  }

  /** Takes back at once what the earlier sessions of one worker held. */
  async takeBack(workerId: string): Promise<void> {
    await this.#drain(await findOrphaned(this.#db, workerId), sweepSessions);
  }

  /** Ends the sessions whose lease has lapsed, and takes back what ended sessions held. */
  async #lapse(): Promise<void> {
    const { seconds: presentSeconds, maxGapSeconds } = this.#presence;
    const lapsed = await this.#presence.writing(
      () => lapseSessions(this.#db, { presentSeconds, maxGapSeconds, leaseSeconds: this.#leaseSeconds }),
    );
    for (const worker of lapsed) {
      this.#log.warn({ event: 'worker_lapsed', worker_id: worker }, 'a worker stopped sending heartbeats');
    }
    if (lapsed.length > 0) await this.#drain(await findOrphaned(this.#db, null), sweepSessions);
  }

  async #promote(tasks: readonly string[]): Promise<void> {
    for (const among of batchesOf(tasks)) {
      const due = await sweepDue(this.#db, among);
      this.#aftermath.changed(due.map((task) => task.task_id));
      for (const task of due) this.#aftermath.pending(task);
    }
  }

  async #drain(tasks: readonly string[], statement: (db: Database, among: readonly string[]) => Promise<Swept[]>): Promise<void> {
    for (const among of batchesOf(tasks)) {
      const swept = await statement(this.#db, among);
      if (swept.length === 0) continue;
      this.#aftermath.changed(swept.map((task) => task.task_id));
      for (const task of swept) this.#account(task);
      await this.#aftermath.ended(swept.filter((task) => task.fate === 'ended').map((task) => ({
        status: task.outcome === 'lost' ? 'failed' : 'timeout', hasDependents: task.has_dependents,
      })));
      this.#aftermath.tell(swept.map((task) => task.worker_id));
      await this.#aftermath.freed();
    }
  }

  #account(task: Swept): void {
    if (task.outcome !== 'expired') this.#metrics.attempts.inc({ outcome: task.outcome });
    if (task.fate === 'requeued') this.#aftermath.pending(task);
    this.#log.info({ event: `attempt_${task.outcome}`, task_id: task.task_id, fate: task.fate }, 'an attempt was ended');
  }

  #schedule(): void {
    if (this.#stopped) return;
    // Spread, so that replicas started together do not sweep together.
    this.#timer = setTimeout(() => {
      this.#round = this.#sweep(this.#steps.filter(({ ration, underWay }) => ration.isDue && underWay === null)).finally(() => {
        this.#schedule();
      });
    }, this.#intervalMs * (0.75 + 0.5 * Math.random()));
  }
}

/** The tasks in batches of as many as one statement may change. */
function batchesOf(tasks: readonly string[]): readonly string[][] {
  return Array.from({ length: Math.ceil(tasks.length / SWEEP_ROWS) }, (_none, n) => tasks.slice(n * SWEEP_ROWS, (n + 1) * SWEEP_ROWS));
}
