/**
 * The signal of one call, which aborts when its time is over or one of the caller's signals aborts. AbortSignal.any will not do: the
 * caller's signals live longer than the call, it leaves something at each of them for all that time, and it may lose a timeout before
 * that has come.
 */
import { setMaxListeners } from 'node:events';

/** The longest delay that a timer of Node takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface CallBounds {
  /** Each ends the call, with its own reason. */
  readonly signals: readonly (AbortSignal | null | undefined)[];
  /** Ends the call with a TimeoutError, as AbortSignal.timeout does. */
  readonly timeoutMs?: number;
}

/** Makes `call` with its signal, and gives what it gives. When that is over, nothing is left at the `signals`. */
export async function bounded<T>({ signals, timeoutMs }: CallBounds, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const leave = signals.map((signal) => follow(signal ?? null, own));
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
    own.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  }, Math.min(timeoutMs, MAX_TIMER_MS));
  // What keeps the process going is what the call waits for, not its bound.
  timer?.unref();
  try {
    return await call(own.signal);
  } finally {
    clearTimeout(timer);
    for (const one of leave) one();
  }
}

/** Aborts `own` as soon as `signal` aborts, until the returned function is called. */
function follow(signal: AbortSignal | null, own: AbortController): () => void {
  if (signal === null) return () => undefined;
  const onAbort = (): void => {
    own.abort(signal.reason);
  };
  // As many as there are calls under way listen; Node warns of more than ten.
  setMaxListeners(0, signal);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  return () => {
    signal.removeEventListener('abort', onAbort);
  };
}
