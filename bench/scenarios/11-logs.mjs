/** Log lines: appended by several running tasks at once, readable as soon as they are accepted, whatever the log holds already. */
import { withSystem } from '../lib/compare.mjs';
import { addLogLines } from '../lib/history.mjs';
import { Http } from '../lib/http.mjs';
import { closedLoop, percentile } from '../lib/numbers.mjs';
import { perSecond, rowOf, target } from '../lib/report.mjs';
import { LOG_BATCH_LINES, LOG_IN_FLIGHT } from '../lib/sizes.mjs';
import { fill, newProblem, register, submission } from '../lib/tasks.mjs';

export const title = `log lines in batches of ${LOG_BATCH_LINES}, from ${LOG_IN_FLIGHT} running tasks at once`;

const LEVELS = ['info', 'info', 'info', 'info', 'info', 'info', 'debug', 'debug', 'warning', 'error'];
/** An attempt may have a million lines: the stored ones are spread over tasks. */
const STORED_PER_TASK = 500_000;

export async function run(context) {
  const { sizes, say } = context;
  return withSystem(context, async (system) => {
    const http = new Http(system.urls, LOG_IN_FLIGHT);
    try {
      const empty = await measure(system, http, context, 'nothing stored');
      say(`storing ${sizes.logs.stored.toLocaleString('en-US')} lines`);
      const holders = await runningTasks(http, Math.ceil(sizes.logs.stored / STORED_PER_TASK));
      for (const [n, { id }] of holders.entries()) await addLogLines(system.database, id, Math.min(STORED_PER_TASK, sizes.logs.stored - n * STORED_PER_TASK));
      await system.database.query('vacuum (analyze) task_logs');
      const full = await measure(system, http, context, 'many stored');
      const reads = await readsOf(system, http, holders[0], sizes.logs.reads);
      return {
        rows: [rowOf('nothing stored', 'lines/s', empty), rowOf('many stored', 'lines/s', full), ...reads],
        targets: [
          target('at least 50,000 lines a second', { value: rowOf('', '', full).median, atLeast: 50_000, unit: ' lines/s' }),
          target('within 1.3 x of an empty log', { value: rowOf('', '', empty).median / rowOf('', '', full).median, atMost: 1.3, unit: ' x' }),
        ],
        notes: [`many: ${sizes.logs.stored.toLocaleString('en-US')} lines; one more batch of each task was read back as soon as it was accepted`],
      };
    } finally {
      await http.close();
    }
  });
}

/** `count` tasks that run, each on a worker of its own. */
async function runningTasks(http, count) {
  const problem = newProblem('logs');
  await fill(http, count, () => submission(problem));
  const tasks = [];
  for (let n = 0; n < count; n++) {
    const worker = await register(http, { problems: [problem] });
    const { id, attempt } = await http.post(`${worker.path}/claim`, { wait_seconds: 5 }, worker.headers);
    tasks.push({ id, path: `${worker.path}/tasks/${id}/logs`, headers: { ...worker.headers, 'task-attempt': String(attempt) } });
  }
  return tasks;
}

async function measure(system, http, { sizes, say }, what) {
  const timestamp = new Date().toISOString();
  const entries = Array.from({ length: LOG_BATCH_LINES }, (_none, n) => ({
    level: LEVELS[n % LEVELS.length], message: `step ${n} of the evaluation: reward 0.25, loss 1.75, tokens 1024, elapsed 12.5 s`, timestamp,
  }));
  const text = JSON.stringify({ entries });
  const samples = [];
  for (let round = 1; round <= sizes.repeats; round++) {
    say(`${what} (${round} of ${sizes.repeats})`);
    const tasks = await runningTasks(http, LOG_IN_FLIGHT);
    const load = async (seconds) => {
      const free = [...tasks];
      const calls = await closedLoop({ inFlight: LOG_IN_FLIGHT, seconds }, async () => {
        const task = free.pop();
        const { next_offset: stored } = await http.post(task.path, text, task.headers);
        task.stored = stored;
        free.push(task);
      });
      return { ...calls, ops: calls.ops * LOG_BATCH_LINES };
    };
    if (sizes.warmUpSeconds > 0) await load(sizes.warmUpSeconds);
    samples.push(perSecond(await system.metered(() => load(sizes.seconds))));
    for (const task of tasks) await checkReadable(http, task, text);
  }
  return samples;
}

/** What one more batch holds is there as soon as it was accepted. @throws where it is not */
async function checkReadable(http, task, text) {
  const { next_offset: stored } = await http.post(task.path, text, task.headers);
  const { total } = await http.get(`/api/v1/tasks/${task.id}/logs?limit=1`);
  if (total !== stored) throw new Error(`task ${task.id} took ${stored} lines and shows ${total}`);
}

/** Pages of a long log. */
async function readsOf(system, http, task, count) {
  const rows = [];
  for (const [what, query] of [['first page', 'limit=100'], ['errors only', 'level=error&limit=100'], ['a level that is rare', 'level=critical&limit=100']]) {
    const took = [];
    const result = await system.metered(() => closedLoop({ inFlight: 1, count }, async () => {
      const began = performance.now();
      await http.get(`/api/v1/tasks/${task.id}/logs?${query}`);
      took.push(performance.now() - began);
    }));
    rows.push(rowOf(`reading a long log, ${what}, p99`, 'ms', [{ ...result, value: percentile(took, 0.99) }], 1));
  }
  return rows;
}
