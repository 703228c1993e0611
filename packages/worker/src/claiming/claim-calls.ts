/**
 * The calls that a session's claims make: for as many tasks as there is room for, and fewer after an answer that was too large to
 * read. While the session runs nothing, they stand for its heartbeats (see idle-claims.ts).
 */
import { AnswerTooLarge, bounded, LIMITS, type components, type WorkerIdentity } from '@task-executor/shared';
import type { Pace } from '../calls/pace.js';
import type { Task } from '../executors/executor.js';
import { monotonicMs } from '../heartbeat/heartbeats.js';
import type { ClaimTasks } from './claims.js';
import type { IdleClaims, MakeClaim } from './idle-claims.js';

export interface ClaimCallParts {
  readonly claim: ClaimTasks;
  readonly identity: WorkerIdentity;
  readonly idleClaims: IdleClaims;
  readonly pace: Pace;
  /** How many tasks may be taken. */
  readonly room: () => number;
  readonly runsNothing: () => boolean;
  /** Told since when the lease holds, see monotonicMs: an answer says that the claim has renewed it, or another of the session. */
  readonly renewed: (at: number) => void;
  /** Told the directives in the answer to an idle claim. */
  readonly directed: (directives: components['schemas']['Directives']) => void;
}

export class ClaimCalls {
  readonly #parts: ClaimCallParts;
  /** Tasks of one claim: fewer after an answer that was too large to read, and one more after each that could be. */
  #most: number = LIMITS.maxClaimedTasks;
  #request: string | null = null;
  /** Cuts the call that was made last. */
  #cut = new AbortController();

  constructor(parts: ClaimCallParts) {
    this.#parts = parts;
  }

  /** The request id of the claim that is under way or to be made again, or null. */
  get request(): string | null {
    return this.#request;
  }

  /** Gives up the claim that was not answered: what it may have taken is nobody's any more. */
  forget(): void {
    this.#request = null;
  }

  /** Cuts a claim that hangs, since what it goes by has changed; it is made anew, if at all. */
  cut(): void {
    this.#cut.abort();
  }

  /** One call; null where it is to be made again at once. @throws ApiError, ApiUnreachable */
  async make(waitSeconds: number, requestId: string, stop: AbortSignal): Promise<readonly Task[] | null> {
    const { idleClaims, pace, directed, renewed } = this.#parts;
    const cut = new AbortController();
    this.#cut = cut;
    this.#request = requestId;
    // A repeated claim asks for at least one task even without room: it may already have taken one.
    const room = Math.min(Math.max(1, this.#parts.room()), this.#most);
    const asked = monotonicMs();
    try {
      const { tasks, directives } = await bounded({ signals: [stop, cut.signal] }, (signal) => {
        const call: MakeClaim = (how) => this.#parts.claim(this.#parts.identity, { room, requestId, signal, ...how });
        const isIdle = waitSeconds > 0 && this.#parts.runsNothing();
        return isIdle ? idleClaims.make(waitSeconds, signal, call) : call({ waitSeconds, isIdle: false });
      });
      this.#request = null;
      renewed(asked);
      if (directives !== null) directed(directives);
      // A full answer: ask again without the gathering pause.
      if (tasks.length >= room) pace.skip();
      if (tasks.length > 0) this.#most = Math.min(this.#most + 1, LIMITS.maxClaimedTasks);
      return tasks;
    } catch (error) {
      if (error instanceof AnswerTooLarge) {
        this.#request = null;
        this.#most = Math.max(1, Math.floor(room / 2));
        throw error;
      }
      if (cut.signal.aborted && !stop.aborted) return null;
      throw error;
    }
  }
}
