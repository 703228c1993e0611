/** The plans of the API's own statements, at several amounts of finished tasks: what they read, touch and write. Times are the least of it. */
import { addHistory } from '../lib/history.mjs';
import { median } from '../lib/numbers.mjs';
import { EXPLAINING, Plans, readsWhole, rowsWritten, shapeOf } from '../lib/plans.mjs';
import { startEmbedded } from '../lib/postgres.mjs';
import { rowOf, target } from '../lib/report.mjs';
import { prepareStatements, SWEEPS } from '../lib/statements.mjs';
import { Systems } from '../lib/system.mjs';
import { payload } from '../lib/tasks.mjs';

export const title = 'plans of the statements that the API runs, by how many tasks are finished';

/** What grows with history. */
const PAST = ['tasks', 'task_labels', 'attempts', 'outcomes', 'task_logs'];
/** An index of ten million entries is two or three pages deeper than an empty one. */
const MOST_GROWTH = 3;
/** Reads of history; of nothing there is nothing to read. */
const READS = /^(list|count|stats)/;

const count = (value) => value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });

export async function run({ sizes: { explain }, undo, say }) {
  const postgres = await startEmbedded(undo, EXPLAINING);
  const systems = new Systems(postgres, undo, { fresh: true });
  const found = [];
  for (const finished of explain.finished) {
    say(`${count(finished)} finished tasks`);
    const system = await systems.take();
    try {
      await addHistory(system.database, { ...explain, tasks: finished }, payload(), say);
      await postgres.query('checkpoint');
      found.push(...(await explained(system, new Plans(postgres, system.database), explain)).map((one) => ({ finished, ...one })));
    } finally {
      await system.stop();
    }
  }
  return { rows: found.map(toRow), targets: targetsOf(found, explain.finished), notes: tableOf(found, explain.finished) };
}

async function explained(system, plans, { pending, warmUp, calls }) {
  const { steps, close } = await prepareStatements(system, { pending, calls: warmUp + calls });
  const found = [];
  try {
    await plans.begin();
    for (const { call, statements } of steps) {
      for (let n = 0; n < warmUp; n++) await call();
      await plans.reset();
      for (let n = 0; n < calls; n++) await call();
      found.push(...(await plans.read(statements, calls)));
    }
    // The first round finds what the calls have left.
    await plans.read(SWEEPS, 1);
    await plans.reset();
    found.push(...(await plans.read(SWEEPS, Math.min(calls, 5))));
    await plans.end();
  } finally {
    await close();
  }
  return found;
}

function toRow({ name, finished, entries, buffers, wal }) {
  const shapes = entries.map(({ plan }) => shapeOf(plan));
  const often = (shape) => shapes.filter((one) => one === shape).length;
  const plan = entries[shapes.indexOf([...shapes].sort((a, b) => often(b) - often(a))[0])].plan;
  const samples = entries.map(({ ms }) => ({ value: ms, ops: 1 }));
  return { ...rowOf(`${name}, ${count(finished)} finished`, 'ms', samples, 2), statement: name, finished, buffers, wal, written: rowsWritten(plan), shape: shapeOf(plan), plan };
}

/** A line for each statement and size; how the tables are reached only where it differs from the size before. */
function tableOf(found, sizes) {
  const rows = found.map(toRow);
  const names = [...new Set(rows.map(({ statement }) => statement))];
  const cells = names.flatMap((name) => sizes.map((size, k) => {
    const [row, before] = [size, sizes[k - 1]].map((one) => rows.find(({ statement, finished }) => statement === name && finished === one));
    const shape = row.shape === before?.shape ? '"' : row.shape;
    return [k === 0 ? name : '', count(size), row.median.toFixed(2), count(row.buffers), count(row.written), count(row.wal), shape];
  }));
  const table = [['statement', 'finished', 'ms', 'buffers', 'rows written', 'WAL bytes', 'reads'], ...cells];
  const widths = table[0].map((_cell, n) => Math.max(...table.map((row) => row[n].length)));
  return table.map((row) => row.map((cell, n) => (n === 0 || n === 6 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('  ').trimEnd());
}

function targetsOf(found, sizes) {
  const [least, most] = [sizes[0], sizes.at(-1)];
  const whole = found.filter(({ finished, entries }) => finished === most && entries.some(({ plan }) => readsWhole(plan).some((table) => PAST.includes(table))));
  const growth = found.filter(({ finished, name }) => finished === most && !READS.test(name)).map(({ name, buffers }) => (
    { name, times: Math.max(1, buffers) / Math.max(1, found.find((one) => one.finished === least && one.name === name).buffers) }
  )).reduce((worst, one) => (one.times > worst.times ? one : worst));
  return [
    target(`at ${count(most)} finished tasks no statement reads what is over from end to end${whole.length === 0 ? '' : ` (${whole.map(({ name }) => name).join('; ')})`}`, {
      value: whole.length, atMost: 0, unit: ' statements',
    }),
    target(`what workers, submitters and the sweeper run touches at most ${MOST_GROWTH} x the buffers that it does at ${count(least)} (most: ${growth.name})`, {
      value: growth.times, atMost: MOST_GROWTH, unit: ' x',
    }),
  ];
}
