/** Every check that needs no running program; all of them run, two at a time, and any that complains fails the whole. */
import { exitCode, main } from './lib/run.mjs';

const style = ['code', 'eslint', ['--max-warnings=0', '--no-warn-ignored', '--no-error-on-unmatched-pattern', '.']];
const others = [
  ['openapi.yaml', 'redocly', ['lint', 'openapi.yaml', '--extends=recommended', '--max-problems=50']],
  ['generated types', process.execPath, ['scripts/generate-contract.mjs', '--check']],
  ['import walls', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'packages']],
  ['types of packages', 'turbo', ['run', 'typecheck', '--cache=local:rw', '--ui=stream', '--output-logs=errors-only', '--concurrency=1']],
  ['types of test/', 'tsc', ['-p', 'test/tsconfig.json']],
];

async function isClean([what, program, args]) {
  const before = performance.now();
  const code = await exitCode(program, args);
  const seconds = ((performance.now() - before) / 1000).toFixed(1);
  console.log(`lint: ${what}: ${code === 0 ? 'clean' : 'NOT CLEAN'} (${seconds} s)`);
  return code === 0;
}

async function inTurn(checks) {
  let clean = true;
  for (const check of checks) clean = (await isClean(check)) && clean;
  return clean;
}

await main(async () => {
  const clean = await Promise.all([inTurn([style]), inTurn(others)]);
  return clean.every(Boolean) ? 0 : 1;
});
