/**
 * `npm start`: installs, builds and runs the API, which brings up PostgreSQL and its internal workers by itself. Ends with
 * the API's exit code.
 *
 * The API runs in a process group of its own and gets its signals from here alone. In the terminal's group it would get
 * Ctrl-C twice or three times (from the terminal, from npm, which passes signals on as well, and from us), and a second
 * signal means: do not wait for what is running.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { main, root } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

/** The same signal again within this time is the same key press, arriving by another way. */
const SAME_PRESS_MS = 300;

await main(async () => {
  await setUp();
  return serve();
});

function serve() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['packages/api/dist/main.js', 'serve'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
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
