/**
 * What a worker can do, changed while a session runs: told to the API with a heartbeat of its own until it is answered. Then a
 * claim that hangs is made anew, since it goes by what was there when it came; what it brought meanwhile and is offered no more is
 * handed back.
 */
import { supportsProblem, type ApiClient, type WorkerIdentity, type components } from '@task-executor/shared';
import { sayUnanswered } from '../calls/answer.js';
import { untilTaken } from '../calls/retry.js';
import type { WorkerLog } from '../log.js';

export type Capabilities = components['schemas']['Capabilities'];

export interface OfferingParts {
  readonly client: ApiClient;
  readonly identity: WorkerIdentity;
  /** Aborts when the session is over. */
  readonly over: AbortSignal;
  /** Whether the API said by `error` that the session is over. */
  readonly endedBy: (error: unknown) => boolean;
  /** Told when the API knows what was offered: claims that were made before are to be made anew. */
  readonly known: () => void;
  /** Told when the API knows what was offered, or has refused it. */
  readonly toldOrRefused: () => void;
  readonly log: WorkerLog;
}

export class Offering {
  readonly #parts: OfferingParts;
  #wanted: Capabilities | null = null;
  /** What was offered last; null where nothing was, or the API refused it. */
  #offered: Capabilities | null = null;
  #telling = false;

  constructor(parts: OfferingParts) {
    this.#parts = parts;
  }

  /** Whether what was offered is not known to the API yet. */
  get isTelling(): boolean {
    return this.#telling;
  }

  /** Whether a task of this problem is still wanted, should a claim bring one. */
  wants(problemId: string): boolean {
    return this.#offered === null || supportsProblem(this.#offered.supported_problems ?? [], problemId);
  }

  /** Puts `capabilities` in place of what the session has. */
  offer(capabilities: Capabilities): void {
    this.#wanted = capabilities;
    this.#offered = capabilities;
    if (!this.#telling) void this.#tell();
  }

  async #tell(): Promise<void> {
    const { over, known, toldOrRefused, log } = this.#parts;
    this.#telling = true;
    while (this.#wanted !== null && !over.aborted) {
      const told = await this.#untilTaken();
      if (told === null) break;
      if (this.#wanted === told) this.#wanted = null;
      log.info({ event: 'capabilities_changed', problems: told.supported_problems }, 'the API knows what this worker takes now');
      known();
    }
    this.#wanted = null;
    this.#telling = false;
    toldOrRefused();
  }

  /** Tells what is wanted at the time; resolves with what the API has taken of it, or null where it refuses or the session is over. */
  #untilTaken(): Promise<Capabilities | null> {
    const { client, identity, over, endedBy, log } = this.#parts;
    return untilTaken(async () => {
      const capabilities = this.#wanted;
      if (capabilities !== null) await client.heartbeat(identity, { capabilities }, over);
      return capabilities;
    }, {
      stop: over,
      isOver: endedBy,
      onRefusal: (error) => {
        const message = 'the API does not take what this worker can do now; it goes by that after a restart';
        log.error({ event: 'capabilities_refused', error: error.message }, message);
        this.#offered = null;
      },
      onFailure: (error) => {
        const what = 'the API was not told what this worker takes now; trying again';
        log.warn({ event: 'capabilities_failed', error: String(error) }, sayUnanswered(what, error));
      },
    });
  }
}
