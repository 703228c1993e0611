/**
 * `npm test`: installs, builds, type-checks, lints and runs every test, on a PostgreSQL of its own in a temporary folder
 * (or on the server that DATABASE_URL names). The last line is `N passed, N failed, N skipped`; the exit code is 0 only when
 * everything passed. `--quick` leaves out linting and the whole-system tests; `--chaos` adds two minutes of test/chaos and its mutants.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChaos } from './lib/chaos.mjs';
import { runMocha } from './lib/mocha-runs.mjs';
import { startEmbeddedPostgres } from './lib/postgres.mjs';
import { exitCode, main, signalAll } from './lib/run.mjs';
import { setUp, turbo } from './lib/set-up.mjs';

const quick = process.argv.includes('--quick');
let signalled = 0;
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]]) {
  // The programs we run end by it, and what follows them below cleans up.
  process.on(signal, () => {
    signalled = number;
    signalAll('SIGTERM');
  });
}
const cancelled = () => signalled !== 0;

await main(async () => {
  await setUp({ always: true });
  if (cancelled()) return 128 + signalled;
  if (quick) await turbo('Type-checking', 'typecheck');
  else console.error('Type-checking and linting ...');
  const linted = quick || cancelled() || (await exitCode(process.execPath, ['scripts/lint.mjs'])) === 0;

  if (cancelled()) return 128 + signalled;

  const database = await testDatabase();
  let counts;
  try {
    const packages = ['packages/shared', 'packages/worker', 'packages/api', 'packages/cli'];
    counts = await runMocha(quick ? packages : [...packages, '.'], { databaseUrl: database.url, cancelled });
  } finally {
    await database.stop();
  }
  if (process.argv.includes('--chaos')) await runChaos(counts, { cancelled });
  if (!linted) console.error('\nType-checking or linting failed: see above.');
  if (cancelled()) return 128 + signalled;
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return linted && counts.failed === 0 ? 0 : 1;
});

async function testDatabase() {
  const given = process.env.DATABASE_URL;
  if (given !== undefined && given !== '') return { url: given, stop: async () => undefined };
  const dataDir = await mkdtemp(join(tmpdir(), 'task-executor-test-'));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    // Every test file has a database and pools of its own. Nothing here outlives the run: no need to wait for the disk.
    const settings = { max_connections: 300, fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
    const server = await startEmbeddedPostgres({ dataDir, settings });
    return { url: server.url, stop: () => server.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
