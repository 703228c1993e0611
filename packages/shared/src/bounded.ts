/**
 * The signal of one call, which aborts when its time is over or one of the signals of whoever calls does. These live longer than the
 * call: AbortSignal.any leaves something at each of them for as long as that lives, and may lose a timeout before it has come.
 */
import { setMaxListeners } from 'node:events';

/** No timer of Node takes more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface CallBounds {
  /** Each ends the call, with its own reason. */
  readonly signals: readonly (AbortSignal | null | undefined)[];
  /** Ends the call with a TimeoutError, as AbortSignal.timeout does. */
  readonly timeoutMs?: number;
}

/** What `call` gives, to which its signal is given; nothing of it is left at the `signals` then. */
export async function bounded<T>({ signals, timeoutMs }: CallBounds, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const leave = signals.map((signal) => follow(signal ?? null, own));
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
    own.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  }, Math.min(timeoutMs, MAX_TIMER_MS));
  // What the call waits for keeps the process going, where there is anything.
  timer?.unref();
  try {
    return await call(own.signal);
  } finally {
    clearTimeout(timer);
    for (const one of leave) one();
  }
}

/** Aborts `own` with `signal`, until the function that it gives is called. */
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
