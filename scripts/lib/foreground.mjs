/**
 * Runs one long-lived program as if it were this script. It gets a process group of its own and its signals from here
 * alone: in the terminal's group it would get Ctrl-C twice or three times (from the terminal, from npm, which passes
 * signals on as well, and from us), and to the API a second signal means: do not wait for what is running.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { environment, root } from './run.mjs';

/** The same signal again within this time is the same key press, arriving by another way. */
const SAME_PRESS_MS = 300;

/** Runs it to its end; resolves with its exit code, 128 + n after signal n. */
export function foreground(program, args, { cwd = root, env = environment() } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], detached: true, env });
    let last = -Infinity;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        const now = performance.now();
        if (now - last < SAME_PRESS_MS) return;
        last = now;
        // A closed terminal asks for the same as SIGTERM, which the API knows.
        child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      });
    }
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
