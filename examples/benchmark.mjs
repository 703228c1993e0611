/**
 * Sorts `size` numbers (default 200000), `rounds` times (default 3): real work on a task's parameters. They come in the
 * file that TASK_PARAMETERS_FILE names; the result goes to the one that TASK_RESULT_FILE names; what is printed becomes
 * the task's log; an exit code other than 0 fails the task.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const { size = 200_000, rounds = 3 } = JSON.parse(readFileSync(process.env.TASK_PARAMETERS_FILE, 'utf8'));
const fits = (value, max) => Number.isInteger(value) && value >= 1 && value <= max;
if (!fits(size, 10_000_000) || !fits(rounds, 1000)) {
  console.error('size must be a whole number from 1 to 10000000, rounds one from 1 to 1000');
  process.exit(1);
}

const times = [];
for (let round = 1; round <= rounds; round++) {
  const numbers = Float64Array.from({ length: size }, () => Math.random());
  const began = performance.now();
  numbers.sort();
  times.push((performance.now() - began) / 1000);
  console.log(`round ${round} of ${rounds}: ${size} numbers in ${times.at(-1).toFixed(3)} s`);
}
writeFileSync(process.env.TASK_RESULT_FILE, JSON.stringify({ success: true, metrics: { size, rounds, best_seconds: Math.min(...times) } }));
