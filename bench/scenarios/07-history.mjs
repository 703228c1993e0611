/** What the past costs: the same loads on an empty database and on one full of finished tasks, and reads of the full one. */
import { takeTurns, withSystem } from '../lib/compare.mjs';
import { addHistory, historyProblem, historyWorker } from '../lib/history.mjs';
import { Http } from '../lib/http.mjs';
import { drain, idleLatency, simpleClients, submitAndDrain, submitInBulk, submitSingly } from '../lib/loads.mjs';
import { percentile } from '../lib/numbers.mjs';
import { perSecond, rowOf, target } from '../lib/report.mjs';
import { payload } from '../lib/tasks.mjs';

export const title = 'an empty database against one full of finished tasks';

/** The pages that are read: what is filtered or sorted by, and the query. */
function pages({ from, middle }) {
  const hour = (moment, hours) => new Date(moment.getTime() + hours * 3_600_000).toISOString();
  return {
    'no filter': '', 'status': 'status=failed', 'two statuses': 'status=failed,timeout', 'problem': `problem_id=${historyProblem(1)}`,
    'glob of problems': 'problem_glob=history-0*', 'worker': `worker_id=${historyWorker(1)}`, 'label': 'label=team%3Dteam-3',
    'day of submission': `created_from=${hour(middle, -24)}&created_before=${hour(middle, 0)}`,
    'hour of completion': `completed_from=${hour(middle, -1)}&completed_before=${hour(middle, 0)}`,
    'status and problem': `status=failed&problem_id=${historyProblem(2)}`, 'status and worker': `status=timeout&worker_id=${historyWorker(1)}`,
    'problem and worker': `problem_id=${historyProblem(1)}&worker_id=${historyWorker(2)}`, 'label and status': 'label=team%3Dteam-3&status=cancelled',
    'first submitted': 'sort=created_at', 'last completed': 'sort=-completed_at', 'first started': 'sort=started_at',
    'status, last completed': 'status=failed&sort=-completed_at', 'page 100': 'page=100', 'nothing there': 'problem_id=no-such-problem',
    'before all': `created_before=${from.toISOString()}`,
  };
}

export async function run(context) {
  const { sizes, undo, say } = context;
  const { seconds, warmUpSeconds, history } = sizes;
  const loads = {
    'single submissions': [async (system) => perSecond(await submitSingly(system.urls, { seconds, warmUpSeconds, metered: (load) => system.metered(load) }))],
    'bulk submission': [async (system) => perSecond(await submitInBulk(system, { seconds, warmUpSeconds }))],
    'drain': [async (system) => perSecond(await drain(system, { count: history.drainTasks, warmUp: warmUpSeconds > 0, undo }))],
    'submit and drain': [async (system) => perSecond(await submitAndDrain(system, { seconds, warmUpSeconds, undo }))],
    'sixteen simple clients': [async (system) => perSecond(await simpleClients(system, { count: sizes.simpleTasks }))],
    'idle latency, p50': [async (system) => {
      const result = await idleLatency(system, { samples: sizes.latencySamples });
      return { ...result, value: percentile(result.latencies, 0.5) };
    }, 'ms'],
  };
  return withSystem(context, (full) => withSystem(context, async (empty) => {
    say(`making ${history.tasks.toLocaleString('en-US')} finished tasks`);
    const { bytesPerTask, ...span } = await addHistory(full.database, history, payload(), say);
    const rows = [];
    const targets = [];
    for (const [what, [load, unit = 'tasks/s']] of Object.entries(loads)) {
      const [before, after] = await takeTurns([
        { who: `${what}, empty`, measure: () => load(empty) }, { who: `${what}, full`, measure: () => load(full) },
      ], context);
      const digits = unit === 'ms' ? 2 : 0;
      const [one, other] = [rowOf(`${what}, empty`, unit, before, digits), rowOf(`${what}, full`, unit, after, digits)];
      rows.push(one, other);
      const factor = unit === 'ms' ? other.median / one.median : one.median / other.median;
      targets.push(target(`${what}: within 1.3 x of an empty database`, { value: factor, atMost: 1.3, unit: ' x' }));
    }
    const read = await readPages(full, span, history.reads, say);
    return {
      rows: [...rows, ...read.rows], targets: [...targets, ...read.targets],
      notes: [
        `${history.tasks.toLocaleString('en-US')} finished tasks of ${history.problems} problems on ${history.workers} workers`,
        `a finished task takes ${Math.round(bytesPerTask).toLocaleString('en-US')} bytes on disk, with its indexes`,
      ],
    };
  }));
}

async function readPages(system, span, reads, say) {
  const http = new Http(system.urls);
  const rows = [];
  const timed = async (who, path) => {
    say(who);
    await http.get(path);
    const took = [];
    const result = await system.metered(async () => {
      for (let n = 0; n < reads; n++) {
        const began = performance.now();
        await http.get(path);
        took.push(performance.now() - began);
      }
      return { ops: reads };
    });
    const p99 = percentile(took, 0.99);
    rows.push({ ...rowOf(`${who}, p99`, 'ms', [{ ...result, value: p99 }], 1), p50: percentile(took, 0.5) });
    return p99;
  };
  try {
    const stats = await timed('/stats', '/api/v1/tasks/stats');
    const lists = [];
    for (const [what, query] of Object.entries(pages(span))) lists.push([await timed(`list, ${what}`, `/api/v1/tasks?${query}`), what]);
    const [slowest, which] = lists.reduce((most, one) => (one[0] > most[0] ? one : most));
    return {
      rows,
      targets: [
        target('/stats: p99 at most 10 ms', { value: stats, atMost: 10, unit: ' ms' }),
        target(`every filtered page: p99 at most 25 ms (slowest: ${which})`, { value: slowest, atMost: 25, unit: ' ms' }),
      ],
    };
  } finally {
    await http.close();
  }
}
