/**
 * Submits tasks whose commands go on for much longer than a command may that was taken away, and cancels each after a while, or leaves
 * them to what goes wrong or to their timeout. Of shorter ones nobody could tell whether they were stopped or came to their end.
 */
import { LONG_TICKS } from '../settings.js';
import { Canceller } from './canceller.js';
import type { ClientParts } from './client.js';
import { makeSubmission } from './submissions.js';

/** Nobody else submits or cancels what has this problem, and only workers that run commands take it. */
const PROBLEM = 'chaos-long';
/** More than a command takes when nobody stops it. */
const NO_TIMEOUT_SECONDS = 60;

/** Who ends the commands: this client, its timeout, or nobody but what goes wrong. */
type End = 'cancel' | 'timeout' | 'fault';

export class Stopper extends Canceller {
  readonly #open = new Set<string>();
  readonly #end: End;
  #made = 0;

  constructor({ end, ...parts }: ClientParts & { readonly end: End }) {
    super(parts);
    this.#end = end;
  }

  override async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(200, 1_000));
      if (this.world.isFull || this.world.isOver) continue;
      this.#made += 1;
      const marker = `${this.name}-${this.#made}`;
      const parameters = { marker, ticks: LONG_TICKS, lines: 1, failures: 0 };
      const ids = await this.submitTogether(marker, [{ ...makeSubmission(this.random, marker, []), problem_id: PROBLEM, priority: 10, timeout_seconds: this.#end === 'timeout' ? 1 : NO_TIMEOUT_SECONDS, parameters }]);
      for (const id of ids) this.#open.add(id);
      await this.world.pause(this.random.between(3_000, 12_000));
      if (this.#end === 'cancel') await this.letGo();
    }
  }

  /** Cancels what it has not cancelled yet. */
  async letGo(): Promise<void> {
    for (const id of this.#open) if (await this.cancel(id)) this.#open.delete(id);
  }
}
