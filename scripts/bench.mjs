/** `npm run bench`: installs, builds and runs the benchmark in bench/; see docs/performance.md. */
import { main } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

await main(() => setUp());
if (process.exitCode === 0) await import('../bench/main.mjs');
