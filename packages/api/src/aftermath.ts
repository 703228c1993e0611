/**
 * What follows a change of state, once it is durable: dependents move on, waiting claims hear of tasks, workers of
 * directives, followers of changes, and the metrics count. Nothing here decides anything: all of it may be lost, and the sweeper
 * and the polls make up for it.
 */
import type { TerminalStatus } from '@task-executor/shared';
import type { Logger } from 'pino';
import type { Database } from './db/database.js';
import type { Metrics } from './metrics.js';
import { wakeDependents } from './queue/dependents.js';
import type { Readiness } from './queue/readiness.js';
import type { Submitted } from './queue/submit.js';
import { laneOf, type Lane } from './waiting/appetite.js';
import type { Follows } from './waiting/follows.js';
import type { Wakeups } from './waiting/wakeups.js';
import type { Watches } from './waiting/watches.js';

/** How long one call goes on with dependents; the sweeps do what is left. */
const DEPENDENTS_MS = 5_000;

export interface AftermathParts {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly watches: Watches;
  readonly follows: Follows;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export class Aftermath {
  readonly #db: Database;
  readonly #wakeups: Wakeups;
  readonly #watches: Watches;
  readonly #follows: Follows;
  readonly #readiness: Readiness;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  /** Whether the last call had to leave dependents that are to move on. */
  #isBehind = false;

  constructor(parts: AftermathParts) {
    this.#db = parts.db;
    this.#wakeups = parts.wakeups;
    this.#watches = parts.watches;
    this.#follows = parts.follows;
    this.#readiness = parts.readiness;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
  }

  /** These tasks are not as they were: in their state, their log or their progress. */
  changed(taskIds: readonly string[]): void {
    this.#follows.changed(taskIds);
  }

  /** A task may be claimed (again). */
  pending(lane: Lane): void {
    this.#wakeups.announce(lane);
  }

  /** Tasks were submitted: those that are pending are announced, and dependents of parents that had ended move on. */
  async submitted({ rows, created, parentsEnded, expired = [] }: Submitted): Promise<void> {
    this.changed(expired.map((task) => task.task_id));
    await this.ended(expired.map((task) => ({ status: 'timeout', hasDependents: task.has_dependents })));
    for (const [n, row] of rows.entries()) {
      if (created[n] !== true) continue;
      this.#metrics.submissions.inc();
      if (row.status === 'completed') this.#metrics.outcomes.inc({ status: 'completed' });
      else if (row.reason === null) this.pending(laneOf(row));
    }
    if (parentsEnded) await this.dependents();
  }

  /** Tasks have ended. */
  async ended(tasks: readonly { readonly status: TerminalStatus; readonly hasDependents: boolean }[]): Promise<void> {
    for (const { status } of tasks) this.#metrics.outcomes.inc({ status });
    if (tasks.some((task) => task.hasDependents)) await this.dependents();
  }

  /** Attempts have ended, however: the limits that they counted under may have room, and so may `reporter`, who ended one of its own. */
  async freed(reporter: string | null = null): Promise<void> {
    if (reporter !== null) this.#wakeups.freed([reporter]);
    await this.#try(async () => {
      if (await this.#readiness.hasLimits()) this.#wakeups.lookSoon();
    });
  }

  /** There may be a directive for these workers, or room for more tasks. */
  tell(workerIds: readonly (string | null)[]): void {
    const ids = [...new Set(workerIds.filter((id) => id !== null))];
    if (ids.length === 0) return;
    this.#watches.tell(ids);
    this.#wakeups.freed(ids);
  }

  /** Moves on whatever waits for a task that has ended; nothing where there is so much of it that the sweeps have to. */
  async dependents(): Promise<void> {
    if (!this.#isBehind) await this.dependentsLeft();
  }

  /** Moves on what waits for tasks that have ended, however much there is: for the sweep. */
  async dependentsLeft(): Promise<void> {
    const deadline = performance.now() + DEPENDENTS_MS;
    await this.#try(async () => {
      while (performance.now() < deadline) {
        const woken = await wakeDependents(this.#db);
        if (woken === null) {
          this.#isBehind = false;
          return;
        }
        this.changed(woken.map(({ task_id: task }) => task));
        for (const task of woken) {
          if (task.fate === 'pending') this.pending(task);
          else if (task.fate !== 'waiting') this.#metrics.outcomes.inc({ status: task.fate });
        }
      }
      this.#isBehind = true;
    });
  }

  /** Does `step`, and never fails: the caller would take what is durable for undone, and do it again. */
  async #try(step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => {
      this.#log.warn({ event: 'aftermath_failed', error: String(error) }, 'what follows a change failed; the next sweep makes up for it');
    });
  }
}
