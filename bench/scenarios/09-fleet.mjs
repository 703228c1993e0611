/** What a fleet costs that has nothing to do, how fast one task finds a worker of it, and what its heartbeats cost when all are busy. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withSystem } from '../lib/compare.mjs';
import { Fleet } from '../lib/fleet.mjs';
import { Http } from '../lib/http.mjs';
import { percentile } from '../lib/numbers.mjs';
import { maxOpenFiles } from '../lib/proc.mjs';
import { rowOf, target } from '../lib/report.mjs';
import { fill, newProblem, submission } from '../lib/tasks.mjs';

export const title = 'a fleet of idle workers in long polls, and of busy ones with heartbeats';

const MEGABYTE = 1024 ** 2;
/** What a process has open beside the connections of the fleet. */
const OTHER_FILES = 200;

export async function run(context) {
  const { fleet } = context.sizes;
  const workers = Math.min(fleet.workers, maxOpenFiles() - OTHER_FILES);
  const fitting = { ...context, sizes: { ...context.sizes, fleet: { ...fleet, workers } } };
  const idle = await withSystem(context, (system) => observeIdle(fitting, system));
  const busy = await withSystem(context, (system) => observeBusy(fitting, system));
  const row = (who, unit, value, digits = 1) => rowOf(who, unit, [{ value }], digits);
  const cores = (who, { api, postgres }) => [row(`${who}: API`, '% of a core', api), row(`${who}: PostgreSQL`, '% of a core', postgres)];
  return {
    rows: [
      ...cores('idle', idle), row('idle: memory of the API', 'MB', idle.megabytes, 0), row('idle: transactions', '/s', idle.transactions),
      row('idle: submitted to started, p50', 'ms', percentile(idle.latencies, 0.5), 2),
      row('idle: submitted to started, p99', 'ms', percentile(idle.latencies, 0.99), 2),
      ...cores('busy', busy), row('busy: memory of the API', 'MB', busy.megabytes, 0), row('busy: transactions', '/s', busy.transactions),
    ],
    targets: [
      target('idle: less than 5 % of a core in the API', { value: idle.api, atMost: 5, unit: ' %' }),
      target('idle: less than 350 MB in the API', { value: idle.megabytes, atMost: 350, unit: ' MB' }),
      target('idle: fewer than 20 transactions a second', { value: idle.transactions, atMost: 20, unit: '/s' }),
      target('one task starts within 50 ms (p99)', { value: percentile(idle.latencies, 0.99), atMost: 50, unit: ' ms' }),
      target('busy: at most one core in the API', { value: busy.api, atMost: 100, unit: ' %' }),
    ],
    notes: [
      `${workers.toLocaleString('en-US')} workers, watched for ${fleet.seconds} s each time`,
      ...(workers < fleet.workers ? [`fewer than the ${fleet.workers.toLocaleString('en-US')} wanted: this user may open no more files (ulimit -n)`] : []),
    ],
  };
}

async function observeIdle({ sizes, say }, system) {
  const { workers, probes } = sizes.fleet;
  const problem = newProblem('fleet');
  say(`registering ${workers} workers`);
  const fleet = await Fleet.register(system.urls[0], problem, workers);
  const http = new Http(system.urls);
  try {
    await fleet.poll();
    say('idle');
    const cost = await watch(system, sizes.fleet);
    say('one task at a time');
    const latencies = [];
    const body = submission(problem);
    for (let n = 0; n < probes; n++) {
      const claimed = new Promise((resolve) => {
        fleet.onClaim = (id, at) => resolve({ id, at });
      });
      const created = await http.post('/api/v1/tasks', body);
      const answered = performance.now();
      const { id, at } = await claimed;
      if (id !== created.id) throw new Error(`task ${created.id} was submitted, ${id} started`);
      latencies.push(Math.max(0, at - answered));
      await sleep(20);
    }
    return { ...cost, latencies };
  } finally {
    await http.close();
    await fleet.stop();
  }
}

async function observeBusy({ sizes, say }, system) {
  const { workers } = sizes.fleet;
  const problem = newProblem('busy');
  const http = new Http(system.urls);
  await fill(http, workers, () => submission(problem));
  await http.close();
  say(`registering ${workers} workers, each with a task`);
  const fleet = await Fleet.register(system.urls[0], problem, workers);
  try {
    await fleet.work();
    say('busy');
    return await watch(system, sizes.fleet);
  } finally {
    await fleet.stop();
  }
}

/** What the system spends in `seconds`: shares of a core in percent, transactions per second, and the memory at the end. */
async function watch(system, { settleSeconds, seconds }) {
  // Connections that have become idle tell their counts within ten seconds.
  await sleep(settleSeconds * 1000);
  const before = await system.database.transactions();
  const { cpu, took } = await system.metered(async () => {
    const began = performance.now();
    await sleep(seconds * 1000);
    return { took: (performance.now() - began) / 1000 };
  });
  const share = (spent) => (spent === null ? NaN : (spent / took) * 100);
  return {
    api: share(cpu.api), postgres: share(cpu.postgres), megabytes: system.rss() / MEGABYTE,
    transactions: ((await system.database.transactions()) - before) / took,
  };
}
