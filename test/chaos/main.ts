/**
 * `npm run chaos -- --seconds 120 --seed N --mode safety|liveness`; see docs/reliability.md. Exit code 0: nothing is wrong; 1: a rule
 * is broken; 2: it did not happen what the run is about, so it does not count; 3: it could not be run.
 */
import { mkdtemp, rm, chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './checker/check.js';
import { coverageOf, uncovered } from './checker/coverage.js';
import { readOptions } from './options.js';
import { kindsOf } from './nemesis/schedule.js';
import { tell } from './report.js';
import { runOnce } from './run.js';
import { Undo } from './undo.js';

const API_MAIN = fileURLToPath(new URL('../../packages/api/dist/main.js', import.meta.url));

const undo = new Undo();
const stop = new AbortController();
let signalled = 0;
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]] as const) {
  process.on(signal, () => {
    // The second one does not wait for the tidying up; what we started ends with us.
    if (signalled !== 0) process.exit(128 + number);
    signalled = number;
    stop.abort();
    void undo.run().then(() => process.exit(128 + number));
  });
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-chaos-'));
  await chmod(folder, 0o711);
  let keep = options.keep;
  undo.add(() => (keep ? undefined : rm(folder, { recursive: true, force: true })));
  console.log(`chaos: seed ${options.seed}, ${options.seconds} seconds, ${options.mode}`);
  const result = await runOnce({ ...options, folder, apiMain: API_MAIN, undo, stop: stop.signal, say: console.log });
  const violations = check(result.evidence);
  const coverage = coverageOf(result.evidence);
  const missing = uncovered(coverage, kindsOf(result.events));
  keep ||= violations.length > 0;
  if (keep) await writeFile(join(folder, 'evidence.json'), JSON.stringify({ ...result.evidence, realSessions: [...result.evidence.realSessions], hostOfSession: [...result.evidence.hostOfSession] }));
  for (const line of tell({ options, result, violations, coverage, missing, folder: keep ? folder : null })) console.log(line);
  if (violations.length > 0) return 1;
  return missing.length > 0 && options.mustCover ? 2 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (signalled === 0) console.error(error);
  process.exitCode = 3;
} finally {
  if (signalled === 0) await undo.run();
}
