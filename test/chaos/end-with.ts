/** Runs a program's body so that at its end, at a failure and at a signal alike everything it began is undone. */
import type { Undo } from './undo.js';

const FAILED = 3;

/** `body` gives the exit code; `stop` aborts at the first signal. The second one does not wait for the tidying up. */
export async function endWith(undo: Undo, body: (undo: Undo, stop: AbortSignal) => Promise<number>): Promise<void> {
  const stop = new AbortController();
  let signalled = 0;
  for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]] as const) {
    process.on(signal, () => {
      if (signalled !== 0) process.exit(128 + number);
      signalled = number;
      stop.abort();
      void undo.run().then(() => process.exit(128 + number));
    });
  }
  let code = FAILED;
  try {
    code = await body(undo, stop.signal);
  } catch (error) {
    // What was broken off fails as it likes.
    if (signalled === 0) console.error(error);
  }
  // After a signal its handler ends the process, once it has undone everything.
  if (signalled !== 0) return;
  await undo.run();
  process.exit(code);
}
