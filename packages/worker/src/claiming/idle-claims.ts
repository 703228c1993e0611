/**
 * The claims of a session that runs nothing, where the API offers that each stands for the session's heartbeats for as long as it
 * hangs: an idle worker is then one call that hangs, not two. Heartbeats rest until there is a task, the claim fails, or there is
 * something to be said that only they say.
 */
import { ApiError, type components } from '@task-executor/shared';
import { monotonicMs, type LeaseTerms } from '../heartbeat/heartbeats.js';
import type { Pulse } from '../heartbeat/pulse.js';
import { ClaimWait } from './claim-wait.js';
import type { Claimed } from './claims.js';

type Registered = Pick<components['schemas']['WorkerSession'], 'idle_claims' | 'claim_wait_seconds'>;

/** Told since when the lease holds under which tasks begin, see monotonicMs, and of its terms where they were said. */
type OnRenewed = (at: number, terms: LeaseTerms | null) => void;

/** Makes one call, which waits so long, and says whether it stands for heartbeats. */
export type MakeClaim = (how: { readonly waitSeconds: number; readonly isIdle: boolean }) => Promise<Claimed>;

/** How long no such claim is made after a replica did not know it, since it is older than the one that offered them. */
const OLDER_REPLICA_MS = 10 * 60 * 1000;

export class IdleClaims {
  readonly #isOffered: boolean;
  readonly #pulse: Pulse;
  readonly #wait: ClaimWait | null;
  readonly #onRenewed: OnRenewed;
  #isResting = false;
  #notBefore = -Infinity;

  constructor({ idle_claims: isOffered, claim_wait_seconds: waitSeconds }: Registered, pulse: Pulse, onRenewed: OnRenewed) {
    this.#onRenewed = onRenewed;
    this.#isOffered = isOffered === true && waitSeconds !== undefined;
    this.#wait = waitSeconds === undefined ? null : new ClaimWait(waitSeconds);
    this.#pulse = pulse;
  }

  /** Whether a claim that hangs keeps the lease at this moment. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** Makes a claim of a session that runs nothing and may wait, by `claim`. `stop` aborts where it is cut by the session itself. */
  async make(usualSeconds: number, stop: AbortSignal, claim: MakeClaim): Promise<Claimed> {
    const began = monotonicMs();
    const usual = async (): Promise<Claimed> => {
      const asked = monotonicMs();
      const claimed = await claim({ waitSeconds: usualSeconds, isIdle: false });
      // What heartbeats know of the lease may be from before a rest.
      if (claimed.tasks.length > 0) this.#wake(asked, claimed.terms);
      return claimed;
    };
    if (!this.#isOffered || this.#wait === null || began < this.#notBefore) return usual();
    this.#rest();
    try {
      const claimed = await claim({ waitSeconds: this.#wait.seconds, isIdle: true });
      this.#wait.answered({ tookMs: monotonicMs() - began, proposed: claimed.nextWaitSeconds });
      // What runs from now on has the lease that came with it; nothing is known of a later one. This host's clock may have stood
      // still while the call hung.
      if (claimed.tasks.length > 0) this.#wake(Math.min(began + claimed.waitedSeconds * 1000, monotonicMs()), claimed.terms);
      return claimed;
    } catch (error) {
      this.wake();
      if (error instanceof ApiError && error.code === 'validation_failed') {
        this.#notBefore = began + OLDER_REPLICA_MS;
        return await usual();
      }
      if (!stop.aborted) this.#wait.failed({ tookMs: monotonicMs() - began });
      throw error;
    }
  }

  /** Heartbeats are sent again, for all that a claim may hang. */
  wake(): void {
    if (this.#isResting) this.#wake(null, null);
  }

  #rest(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    this.#pulse.rest();
  }

  #wake(renewedAt: number | null, terms: LeaseTerms | null): void {
    this.#isResting = false;
    this.#pulse.wake(renewedAt, terms);
    if (renewedAt !== null) this.#onRenewed(renewedAt, terms);
  }
}
