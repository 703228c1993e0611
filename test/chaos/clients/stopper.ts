/**
 * Submits tasks whose commands go on for much longer than a command may that was taken away, and cancels each after a while, or leaves
 * them to what goes wrong. Of shorter ones nobody could tell whether they were stopped or came to their end.
 */
import { LONG_TICKS } from '../settings.js';
import { Canceller } from './canceller.js';
import type { ClientParts } from './client.js';
import { makeSubmission } from './submissions.js';

/** Nobody else submits or cancels what has this problem, and only workers that run commands take it. */
const PROBLEM = 'chaos-long';
/** More than a command takes when nobody stops it. */
const TIMEOUT_SECONDS = 60;

export class Stopper extends Canceller {
  readonly #open = new Set<string>();
  readonly #leaves: boolean;
  #made = 0;

  /** `leaves`: cancels none before the end of the run. */
  constructor({ leaves = false, ...parts }: ClientParts & { readonly leaves?: boolean }) {
    super(parts);
    this.#leaves = leaves;
  }

  override async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(200, 1_000));
      if (this.world.isFull || this.world.isOver) continue;
      this.#made += 1;
      const marker = `${this.name}-${this.#made}`;
      const parameters = { marker, ticks: LONG_TICKS, lines: 1, failures: 0 };
      const ids = await this.submitTogether(marker, [{ ...makeSubmission(this.random, marker, []), problem_id: PROBLEM, priority: 10, timeout_seconds: TIMEOUT_SECONDS, parameters }]);
      for (const id of ids) this.#open.add(id);
      await this.world.pause(this.random.between(3_000, 12_000));
      if (!this.#leaves) await this.letGo();
    }
  }

  /** Cancels what it has not been told to have ended. */
  async letGo(): Promise<void> {
    for (const id of this.#open) if (await this.cancel(id)) this.#open.delete(id);
  }
}
