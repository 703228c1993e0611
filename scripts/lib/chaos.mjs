/**
 * What `npm test -- --chaos` runs of test/chaos: two minutes that break everything, with a seed of its own each time, and the mutants. Each counts
 * as one test. They need Linux, and start a PostgreSQL of their own that they can kill.
 */
import { exitCode } from './run.mjs';

const RUNS = [
  ['chaos', ['main.ts', '--seconds', '120']],
  ['chaos mutants', ['mutants/main.ts']],
];
/** The run does not count: it was without something that it is about, or its times cannot be compared. */
const NOT_COVERED = 2;
const TRIES = 2;

/** Adds to `counts` what they found, until `cancelled` says so. */
export async function runChaos(counts, { cancelled }) {
  for (const [name, [file, ...args]] of RUNS) {
    if (cancelled()) return;
    if (process.platform !== 'linux') {
      counts.skipped += 1;
      continue;
    }
    console.log(`\n=== ${name} ===`);
    let code = NOT_COVERED;
    for (let tries = 0; tries < TRIES && code === NOT_COVERED && !cancelled(); tries++) {
      code = await exitCode(process.execPath, ['--import', 'tsx', `test/chaos/${file}`, ...args], { env: { DATABASE_URL: undefined } });
    }
    if (code === NOT_COVERED && !cancelled()) console.log(`${name}: none of ${TRIES} runs counts, for what each has said: skipped.`);
    counts[code === 0 ? 'passed' : code === NOT_COVERED ? 'skipped' : 'failed'] += 1;
  }
}
