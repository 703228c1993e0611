/**
 * `npm run upgrade`: upgrades from the last commit of each earlier level of migrations, under load, while that version serves; see
 * test/upgrade and docs/reliability.md.
 */
import { exitCode, main, signalAll } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';

// The terminal sends it to the run as well, and the run tidies up; we wait for it.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => signalAll(signal));
process.on('SIGINT', () => undefined);

await main(async () => {
  await setUp({ packages: ['api', 'worker'] });
  return exitCode(process.execPath, ['--import', 'tsx', 'test/upgrade/main.ts', ...process.argv.slice(2)], { env: { DATABASE_URL: undefined } });
});
