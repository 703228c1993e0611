/** Every check that needs no running program; all of them run, and any that complains fails the whole. */
import { exitCode, main } from './lib/run.mjs';

const checks = [
  ['openapi.yaml', 'redocly', ['lint', 'openapi.yaml', '--extends=recommended', '--max-problems=50']],
  ['generated types', process.execPath, ['scripts/generate-contract.mjs', '--check']],
  ['import walls', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'packages']],
  ['code', 'eslint', ['--max-warnings=0', '--no-warn-ignored', '--no-error-on-unmatched-pattern', '.']],
];

await main(async () => {
  const failed = [];
  for (const [what, program, args] of checks) {
    const before = performance.now();
    const code = await exitCode(program, args);
    const seconds = ((performance.now() - before) / 1000).toFixed(1);
    console.log(`lint: ${what}: ${code === 0 ? 'clean' : 'NOT CLEAN'} (${seconds} s)`);
    if (code !== 0) failed.push(what);
  }
  return failed.length === 0 ? 0 : 1;
});
