/** What a scenario found, as a table to read: one row for each contender, then the targets. */
import { median, summary } from './numbers.mjs';

/** A row from what was measured repeatedly: `unit` per operation or second, CPU in microseconds per operation. */
export function rowOf(who, unit, samples, digits = 0) {
  const values = samples.map(({ value }) => value);
  const cpu = {};
  for (const part of ['api', 'postgres', 'client']) {
    const each = samples.map((sample) => (sample.cpu?.[part] == null ? null : (sample.cpu[part] * 1e6) / sample.ops));
    cpu[part] = each.length === 0 || each.includes(null) ? null : median(each);
  }
  return { who, unit, digits, ...summary(values), samples: values, cpuMicroseconds: cpu };
}

/** Tasks per second as the value of a sample. */
export const perSecond = (result) => ({ ...result, value: result.ops / result.seconds });

/** A target: `value` must be at least (or at most) `bound`; without a value it was not measured, and `why` says so. */
export function target(text, { value, atLeast, atMost, unit = '', why = '' }) {
  const measured = value !== undefined && value !== null && !Number.isNaN(value);
  const met = measured ? (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost) : null;
  return { text, value: measured ? value : null, atLeast, atMost, unit, met, why };
}

const number = (value, digits) => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

export function printScenario({ name, title, rows, targets, notes }, print = console.log) {
  print(`\n== ${name}: ${title}`);
  const cpu = (row, part) => (row.cpuMicroseconds[part] === null ? '-' : number(row.cpuMicroseconds[part], 0));
  const cells = rows.map((row) => [
    row.who, number(row.median, row.digits), row.samples.length > 1 ? `${number(row.min, row.digits)} - ${number(row.max, row.digits)}` : '',
    row.unit, cpu(row, 'api'), cpu(row, 'postgres'), cpu(row, 'client'),
  ]);
  const table = [['', 'median', 'min - max', '', 'us API', 'us PG', 'us client'], ...cells];
  const widths = table[0].map((_cell, n) => Math.max(...table.map((row) => row[n].length)));
  for (const row of table) print(`   ${row.map((cell, n) => (n === 0 || n === 3 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('  ')}`.trimEnd());
  for (const note of notes) print(`   ${note}`);
  for (const one of targets) print(`   ${verdict(one)}`);
}

function verdict({ text, value, unit, met, why }) {
  if (met === null) return `[ ?? ] ${text}: not measured${why === '' ? '' : ` (${why})`}`;
  return `[${met ? ' ok ' : 'MISS'}] ${text}: ${number(value, value < 100 ? 2 : 0)}${unit}`;
}
