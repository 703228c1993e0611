/**
 * `npm run chaos -- --seconds 120 --seed N --mode safety|liveness`, and `npm run chaos -- mutants`: installs, builds and runs what is
 * in test/chaos; see docs/reliability.md.
 */
import { exitCode, main, signalAll } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

// The terminal sends it to the run as well, and the run tidies up; we wait for it.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => signalAll(signal));
process.on('SIGINT', () => undefined);

await main(async () => {
  await setUp();
  const [first, ...rest] = process.argv.slice(2);
  const [file, args] = first === 'mutants' ? ['mutants/main.ts', rest] : ['main.ts', process.argv.slice(2)];
  return exitCode(process.execPath, ['--import', 'tsx', `test/chaos/${file}`, ...args]);
});
