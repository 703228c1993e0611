/** When to call again after a call that failed: as the API asks, else by backoff. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, backoffMs, type Backoff } from '@task-executor/shared';

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
