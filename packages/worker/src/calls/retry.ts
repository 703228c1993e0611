/** When to call again after a call that failed, as the API asks, else by backoff; and calls that are made until they are taken. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, backoffMs, type Backoff } from '@task-executor/shared';
import { isRefusal } from './answer.js';

/** The bounds of the waits between tries of most calls. */
export const RETRY: Backoff = { initialMs: 200, maxMs: 5_000 };

/** How long to wait, in milliseconds, after `failures` failures in a row, the last of them `error`. */
export function retryDelayMs(error: unknown, failures: number, bounds: Backoff): number {
  const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  const own = backoffMs(bounds, failures, Math.random());
  // What the API asks of all of its callers, they must not do in the same moment.
  return asked > 0 ? asked + own : own;
}

/** Resolves after `ms` milliseconds, or as soon as `stop` aborts. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
}

export interface Persistence {
  /** Aborts when the call is of no use any more. */
  readonly stop: AbortSignal;
  /** Whether `error` says that the call is of no use any more. */
  readonly isOver?: (error: unknown) => boolean;
  readonly onRefusal: (error: ApiError) => void;
  /** Told of each failure after which the call is made again. */
  readonly onFailure: (error: unknown) => void;
  readonly bounds?: Backoff;
}

/** Makes `call` until it is taken, however long the API is away; null where the API refuses it, or it is of no use any more. */
export async function untilTaken<T>(
  call: () => Promise<T>, { stop, isOver = () => false, onRefusal, onFailure, bounds = RETRY }: Persistence,
): Promise<T | null> {
  for (let failures = 1; !stop.aborted; failures++) {
    try {
      return await call();
    } catch (error) {
      if (stop.aborted || isOver(error)) return null;
      if (isRefusal(error)) {
        onRefusal(error);
        return null;
      }
      onFailure(error);
      await pause(retryDelayMs(error, failures, bounds), stop);
    }
  }
  return null;
}
