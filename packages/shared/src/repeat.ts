/** Repeating a call until it is answered: for calls that may be repeated, of a service that may be away for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type Backoff } from './backoff.js';
import { AnswerTooLarge, ApiError, ApiUnreachable } from './connection.js';

export interface Patience {
  /** How long to go on repeating after the first failure, in milliseconds; 0: not at all. */
  readonly forMs: number;
  readonly backoff: Backoff;
  readonly signal?: AbortSignal | undefined;
  /** Told of each failure that is followed by another try, after `waitMs`. */
  readonly onFailure?: ((error: Error, waitMs: number) => void) | undefined;
}

/** Whether the same call may be answered otherwise later. */
export function mayPass(error: unknown): error is ApiError | ApiUnreachable {
  return (error instanceof ApiUnreachable && !(error instanceof AnswerTooLarge)) || (error instanceof ApiError && error.retryable);
}

/**
 * The answer to `call`, which is told whether it is a repetition: an earlier try may have been carried out then. Waits at least
 * as long as the server asked for. @throws the last error, when the time is up, and every error that will not pass
 */
export async function repeated<T>(patience: Patience, call: (again: boolean) => Promise<T>): Promise<T> {
  let failures = 0;
  let firstFailure = 0;
  for (;;) {
    try {
      return await call(failures > 0);
    } catch (error) {
      if (!mayPass(error) || patience.signal?.aborted === true) throw error;
      failures += 1;
      const now = performance.now();
      if (failures === 1) firstFailure = now;
      const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      const waitMs = Math.max(asked, backoffMs(patience.backoff, failures, Math.random()));
      if (now + waitMs > firstFailure + patience.forMs) throw error;
      patience.onFailure?.(error, waitMs);
      await sleep(waitMs, undefined, patience.signal === undefined ? {} : { signal: patience.signal });
    }
  }
}
