/**
 * All outboxes of a worker, over its sessions: those of attempts that run, those whose session is over while their report is
 * on its way, and those that an earlier process left in the spool.
 */
import { setMaxListeners } from 'node:events';
import type { WorkerIdentity } from '@task-executor/shared';
import { pause } from '../calls/retry.js';
import { Change } from '../change.js';
import type { WorkerLog } from '../log.js';
import type { Leftover, Spool } from '../spool/spool.js';
import type { Courier } from './courier.js';
import { Outbox } from './outbox.js';

/** How often it is looked for what is left by processes of which it shows late that they are gone. */
const LOOK_MS = 60_000;

export class Outboxes {
  readonly #courier: Courier;
  readonly #spool: Spool | null;
  readonly #log: WorkerLog;
  readonly #lookMs: number;
  readonly #open = new Set<Outbox>();
  readonly #change = new Change();
  readonly #halted = new AbortController();

  constructor({ courier, spool, log, lookMs = LOOK_MS }: { courier: Courier; spool: Spool | null; log: WorkerLog; lookMs?: number }) {
    this.#courier = courier;
    this.#spool = spool;
    this.#log = log;
    this.#lookMs = lookMs;
    // Every report that waits to be sent again listens.
    setMaxListeners(0, this.#halted.signal);
  }

  /** An outbox for a new attempt, to be given back with `close` when nothing of it is to be said any more. */
  open(worker: WorkerIdentity, attempt: { readonly task_id: string; readonly attempt: number }): Outbox {
    const outbox = new Outbox({
      ...this.#parts(),
      identity: { worker_id: worker.workerId, session: worker.session, task_id: attempt.task_id, attempt: attempt.attempt },
    });
    this.#open.add(outbox);
    return outbox;
  }

  close(outbox: Outbox): void {
    this.#open.delete(outbox);
    this.#change.tell();
  }

  /** Begins to send what earlier processes left, and goes on looking for more of that. */
  async takeUp(): Promise<void> {
    if (this.#spool === null) return;
    this.#resume(await this.#spool.leftovers());
    void this.#look(this.#spool);
  }

  async #look(spool: Spool): Promise<void> {
    for (;;) {
      await pause(this.#lookMs, this.#halted.signal);
      if (this.#halted.signal.aborted) return;
      try {
        this.#resume(await spool.takeOver());
      } catch (error) {
        this.#log.warn({ event: 'leftovers_unknown', error: String(error) }, 'what earlier processes left cannot be looked for now');
      }
    }
  }

  #resume(leftovers: readonly Leftover[]): void {
    for (const leftover of leftovers) {
      const { identity, hasReport } = leftover;
      const about = { event: 'leftover', task_id: identity.task_id, attempt: identity.attempt, has_report: hasReport };
      this.#log.info(about, 'sending what an earlier process left');
      const outbox = new Outbox({ ...this.#parts(), identity, leftover });
      this.#open.add(outbox);
      void outbox.resume(leftover).finally(() => {
        this.close(outbox);
      });
    }
  }

  /** Whether anything is yet to be said of an attempt. */
  has(session: string, taskId: string, attempt: number): boolean {
    return [...this.#open].some(({ identity }) =>
      identity.session === session && identity.task_id === taskId && identity.attempt === attempt);
  }

  /** How many reports are on their way; of one session, or of all. */
  waiting(session?: string): number {
    return [...this.#open].filter((outbox) => outbox.waiting && (session === undefined || outbox.identity.session === session)).length;
  }

  /**
   * Resolves when no report waits for its answer, or `stop` aborts. Before a registration: it may end the session under
   * which they count in time.
   */
  async answered(stop: AbortSignal): Promise<void> {
    while (this.waiting() > 0 && !stop.aborted) await this.#change.next(stop);
  }

  /** Gives up sending; what is in the spool stays there. */
  end(): void {
    this.#halted.abort();
    for (const outbox of this.#open) outbox.halt();
  }

  #parts() {
    return {
      courier: this.#courier, spool: this.#spool, log: this.#log, halted: this.#halted.signal,
      changed: () => {
        this.#change.tell();
      },
    };
  }
}
