/**
 * `npm run chaos -- --seconds 120 --seed N --mode safety|liveness`; see docs/reliability.md. Exit code 0: nothing is wrong; 1: a rule
 * is broken; 2: it did not happen what the run is about, or the machine's clock was set, so it does not count; 3: it could not be run.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './checker/check.js';
import { coverageOf, uncovered } from './checker/coverage.js';
import { endWith } from './end-with.js';
import { kindsOf } from './nemesis/schedule.js';
import { readOptions } from './options.js';
import { tell } from './report.js';
import { runOnce } from './run.js';
import { Undo } from './undo.js';

/** What an adjustment that goes on all the time makes of two minutes, and more. */
const CLOCK_TOLERANCE_MS = 500;
const API_MAIN = fileURLToPath(new URL('../../packages/api/dist/main.js', import.meta.url));

await endWith(new Undo(), async (undo, stop) => {
  const options = readOptions(process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-chaos-'));
  await chmod(folder, 0o711);
  let { keep } = options;
  undo.add(() => (keep ? undefined : rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })));
  console.log(`chaos: seed ${options.seed}, ${options.seconds} seconds, ${options.mode}`);
  const result = await runOnce({ ...options, folder, apiMain: API_MAIN, undo, stop, say: console.log });
  const { evidence } = result;
  await writeFile(join(folder, 'evidence.json'), JSON.stringify({ ...evidence, realSessions: [...evidence.realSessions], hostOfSession: [...evidence.hostOfSession] }));
  // A rule that breaks itself leaves what it broke on.
  keep = true;
  const violations = check(evidence);
  const coverage = coverageOf(evidence);
  keep = options.keep || violations.length > 0;
  const missing = uncovered(coverage, kindsOf(result.events));
  for (const line of tell({ options, result, violations, coverage, missing, folder: keep ? folder : null })) console.log(line);
  if (Math.abs(result.clockSetByMs) > CLOCK_TOLERANCE_MS) {
    console.log(`the clock of this machine was set by ${(result.clockSetByMs / 1000).toFixed(1)} s meanwhile: the times of the database mean nothing, and the run does not count`);
    return 2;
  }
  if (violations.length > 0) return 1;
  return missing.length > 0 && options.mustCover ? 2 : 0;
});
