/** Runs mocha in every package that has tests and adds up what the runs counted. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCode, root } from './run.mjs';

const reporter = join(root, 'scripts', 'lib', 'counting-reporter.cjs');

/** What configures the API: tests name their own, and the caller's must not leak into them. */
const NOT_FOR_TESTS = [
  'DATABASE_URL', 'DATA_DIR', 'HOST', 'PORT', 'ALLOWED_HOSTS', 'LOG_LEVEL', 'NUM_INTERNAL_WORKERS', 'AUTO_START_WORKERS',
  'DEFAULT_TIMEOUT_MINUTES', 'DEFAULT_PRIORITY', 'API_URL', 'API_HEADERS', 'NODE_ENV',
];

/**
 * Runs mocha in `folders` (relative to the root), one after the other, until `cancelled` says so. A run that ends badly
 * without a failed test, a crash for instance, counts as one failure.
 */
export async function runMocha(folders, { databaseUrl, cancelled }) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const scratch = await mkdtemp(join(tmpdir(), 'task-executor-counts-'));
  try {
    for (const folder of folders) {
      if (cancelled()) break;
      const cwd = join(root, folder);
      // The whole system's tests lie in test/ at the top and are run from there; a package's in its own test/.
      if (!(await hasTests(join(cwd, 'test')))) continue;
      console.log(`\n=== ${folder === '.' ? 'whole system' : folder} ===`);
      const counts = join(scratch, 'counts.json');
      await rm(counts, { force: true });
      const mocha = createRequire(join(cwd, 'package.json')).resolve('mocha/bin/mocha.js');
      const cleared = Object.fromEntries(NOT_FOR_TESTS.map((name) => [name, undefined]));
      const code = await exitCode(process.execPath, [mocha, '--reporter', reporter], {
        cwd,
        env: { ...cleared, TEST_DATABASE_URL: databaseUrl, MOCHA_COUNTS: counts },
      });
      const counted = existsSync(counts) ? JSON.parse(await readFile(counts, 'utf8')) : { passed: 0, failed: 0, skipped: 0 };
      if (code !== 0 && counted.failed === 0) counted.failed = 1;
      for (const key of Object.keys(total)) total[key] += counted[key];
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return total;
}

async function hasTests(folder) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.some((name) => name.endsWith('.test.ts') && !name.includes('node_modules'));
}
