/**
 * What follows a change of state, once it is durable: dependents move on, waiting claims hear of tasks, workers of
 * directives, followers of changes, and the metrics count. Nothing here decides anything: all of it may be lost, and the sweeper and the polls make
 * up for it.
 */
import type { TerminalStatus } from '@task-executor/shared';
import type { Logger } from 'pino';
import type { Database } from './db/database.js';
import type { Follows } from './waiting/follows.js';
import type { Metrics } from './metrics.js';
import { wakeDependents } from './queue/dependents.js';
import type { Readiness } from './queue/readiness.js';
import type { Submitted } from './queue/submit.js';
import type { Watches } from './waiting/watches.js';
import type { Lane, Wakeups } from './waiting/wakeups.js';

/** How long one call goes on with dependents; what is left is the sweeps'. */
const DEPENDENTS_MS = 5_000;

export class Aftermath {
  readonly #db: Database;
  readonly #wakeups: Wakeups;
  readonly #watches: Watches;
  readonly #follows: Follows;
  readonly #readiness: Readiness;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  /** Whether dependents have not all been moved on in the time that a call has. */
  #isBehind = false;

  constructor(parts: { db: Database; wakeups: Wakeups; watches: Watches; follows: Follows; readiness: Readiness; metrics: Metrics; log: Logger }) {
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
      else if (row.reason === null) this.pending({ problem_id: row.problem_id, backend_type: row.backend_type ?? '' });
    }
    if (parentsEnded) await this.dependents();
  }

  /** Tasks have ended. */
  async ended(tasks: readonly { readonly status: TerminalStatus; readonly hasDependents: boolean }[]): Promise<void> {
    for (const { status } of tasks) this.#metrics.outcomes.inc({ status });
    if (tasks.some((task) => task.hasDependents)) await this.dependents();
  }

  /** Attempts have ended, however: the limits that they counted under may have room. So has `reporter`, a worker that ended one of its own. */
  async freed(reporter: string | null = null): Promise<void> {
    if (reporter !== null) this.#wakeups.freed([reporter]);
    await this.#try(async () => {
      if (await this.#readiness.hasLimits()) this.#wakeups.lookSoon();
    });
  }

  /** These workers should not be doing all that they do; or may do more. */
  tell(workerIds: readonly (string | null)[]): void {
    const ids = [...new Set(workerIds.filter((id) => id !== null))];
    if (ids.length === 0) return;
    this.#watches.tell(ids);
    this.#wakeups.freed(ids);
  }

  /** Moves on whatever waits for a task that has ended; nothing, where there is so much of it that it is the sweeps'. */
  async dependents(): Promise<void> {
    if (!this.#isBehind) await this.dependentsLeft();
  }

  /** The same, however much there is: for the sweep. */
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

  /** Never fails: whoever called would take what is durable for undone, and do it again. */
  async #try(step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => {
      this.#log.warn({ event: 'aftermath_failed', error: String(error) }, 'what follows a change failed; the next sweep makes up for it');
    });
  }
}
