/**
 * What masses of hostile clients do to an API process, as it is built: ten thousand connections that say nothing, as many that send half a
 * request, and floods in which every request names something new. All the while one worker sends heartbeats and claims, and one client
 * submits. Printed for each: how long the worker waited, the memory of the process, its event loop. Linux only.
 *
 *     node bench/hostile-clients.mjs [connections] [requests of a flood] [names of floods, by default all]
 *
 * Exit code 1: a 5xx, a call of the worker that failed, a heap that stays larger by more than a few MB, a new series of metrics.
 */
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { closedLoop, percentile } from './lib/numbers.mjs';
import { startLogged } from './lib/logged.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { maxOpenFiles, rssOf } from './lib/proc.mjs';
import { Undo } from './lib/undo.mjs';

/** What a process needs beside the connections of others. */
const SPARE_FILES = 500;
const MOST_HEAP_GROWTH = 6 * 1024 ** 2;
const CONNECTIONS = Math.min(Number(process.argv[2] ?? 10_000), maxOpenFiles() - SPARE_FILES);
const FLOOD = Number(process.argv[3] ?? 20_000);
const CHOSEN = process.argv.slice(4);
const IN_FLIGHT = 16;
/** How long connections are held. */
const HOLD_MS = 8_000;

const undo = new Undo();
const heapFile = join(tmpdir(), `task-executor-heap-${process.pid}`);
undo.add(() => rmSync(heapFile, { force: true }));
const megabytes = (bytes) => `${(bytes / 1024 ** 2).toFixed(0)} MB`;
const faults = [];

function startApi(database) {
  const preload = fileURLToPath(new URL('lib/heap-on-signal.mjs', import.meta.url));
  return startLogged('api', ['--expose-gc', '--import', preload, 'packages/api/dist/main.js', 'serve'], (folder) => ({
    DATABASE_URL: database.url, DATA_DIR: folder, PORT: '0', NUM_INTERNAL_WORKERS: '0', HEAP_FILE: heapFile,
  }), ['listening'], undo);
}

async function call(url, method, path, body, headers = {}) {
  const response = await fetch(`${url}${path}`, {
    method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status >= 500) faults.push(`${method} ${path}: ${response.status}`);
  return { status: response.status, text };
}

/** The heap in use after a collection. */
async function heapOf(pid) {
  rmSync(heapFile, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    try {
      return Number(readFileSync(heapFile, 'utf8'));
    } catch {
      await sleep(20);
    }
  }
}

const metricsOf = async (url) => (await call(url, 'GET', '/metrics')).text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const valueOf = (lines, name) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1] ?? NaN);
/** Bucket, sum and count of a label set are one series; statuses of calls that nobody made before are what label sets allow. */
const seriesOf = (lines) => new Set(lines.map((line) => line.replace(/(,?)le="[^"]*"/, '').replace(/ [^ ]+$/, '')).filter((name) => !name.includes('task_executor_http_request_duration')));

/** A worker that lives as workers do, and a client that submits, until stopped. */
async function decentClients(url) {
  const registered = JSON.parse((await call(url, 'POST', '/api/v1/workers/register', { backend_type: 'kind', capabilities: { supported_problems: ['nothing-*'] } })).text);
  const path = `/api/v1/workers/${registered.id}`;
  const headers = { 'worker-session': registered.session };
  let stopped = false;
  let took = { lease: [], submit: [] };
  const loop = async (kind, ok, work) => {
    while (!stopped) {
      const began = performance.now();
      const { status } = await work();
      took[kind].push(performance.now() - began);
      if (status !== ok) faults.push(`a decent ${kind} call got ${status}`);
      await sleep(50);
    }
  };
  const loops = [
    loop('lease', 200, () => call(url, 'POST', `${path}/heartbeat`, {}, headers)),
    loop('lease', 204, () => call(url, 'POST', `${path}/claim`, undefined, headers)),
    loop('submit', 201, () => call(url, 'POST', '/api/v1/tasks', { problem_id: 'decent', parameters: {} })),
  ];
  return {
    waits: () => {
      const past = took;
      took = { lease: [], submit: [] };
      return past;
    },
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

/** Runs `work` and prints what it did to the process and to decent clients. */
async function phase(name, api, url, decent, work) {
  decent.waits();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, rssOf(api.pid) ?? 0)), 100);
  const said = await work();
  clearInterval(watch);
  const { lease, submit } = decent.waits();
  const ms = (values) => `${percentile(values, 0.5).toFixed(0)} / ${percentile(values, 0.99).toFixed(0)} / ${Math.max(...values).toFixed(0)}`;
  const lag = valueOf(await metricsOf(url), 'nodejs_eventloop_lag_p99_seconds') * 1000;
  console.log(`${name.padEnd(44)} lease ${ms(lease)} ms  submit ${ms(submit)} ms  rss ${megabytes(most)}  loop p99 ${lag.toFixed(0)} ms  ${said ?? ''}`);
}

/** Opens connections that each send `bytes`, holds them, and counts what the server did to them. */
async function crowd(url, count, bytes) {
  const { hostname, port } = new URL(url);
  const sockets = [];
  let open = 0;
  let ended = 0;
  for (let n = 0; n < count; n += 500) {
    await Promise.all(Array.from({ length: Math.min(500, count - n) }, () => new Promise((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        open += 1;
        if (bytes !== '') socket.write(bytes);
        resolve();
      });
      sockets.push(socket);
      socket.on('error', resolve);
      socket.on('close', () => (ended += 1));
      socket.resume();
    })));
  }
  await sleep(HOLD_MS);
  const during = ended;
  for (const socket of sockets) socket.destroy();
  return `${open} open, ${during} of them closed by the server within ${HOLD_MS / 1000} s`;
}

const post = (url, path, headers, body) => call(url, 'POST', path, body, headers);
/** Each makes the nth request of a flood. */
const FLOODS = {
  'content types': (url, n) => post(url, '/api/v1/tasks', { 'content-type': `application/x-${n}` }, {}),
  'content types of JSON': (url, n) => post(url, '/api/v1/tasks', { 'content-type': `application/json; v=${n}` }, {}),
  'content types of GET': (url, n) => call(url, 'GET', '/', undefined, { 'content-type': `application/x-${n}` }),
  paths: (url, n) => call(url, 'GET', `/nowhere/${n}/${'x'.repeat(100)}`),
  'ids in paths': (url, n) => call(url, 'GET', `/api/v1/tasks/00000000-0000-7000-8000-${String(n).padStart(12, '0')}`),
  'query names': (url, n) => call(url, 'GET', `/api/v1/tasks?q${n}=1`),
  'query values': (url, n) => call(url, 'GET', `/api/v1/tasks?problem_id=p${n}&page_size=1`),
  methods: (url, n) => call(url, ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'MKCOL', 'REPORT', 'PURGE'][n % 8], `/api/v1/tasks?${n}`),
  origins: (url, n) => call(url, 'GET', '/', undefined, { origin: `http://o${n}.example` }),
  sessions: (url, n) => post(url, '/api/v1/workers/worker-001-kind/claim', { 'worker-session': `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` }),
  'request ids of claims': (url, n) => post(url, '/api/v1/workers/worker-001-kind/claim', {}, { request_id: `r-${n}` }),
  workers: (url, n) => post(url, `/api/v1/workers/worker-${String(n + 1000).padStart(6, '0')}-kind/heartbeat`, {}, {}),
  'idempotency keys': (url, n) => post(url, '/api/v1/tasks', { 'idempotency-key': `k-${n}` }, { problem_id: `f-${n}`, parameters: {} }),
};

async function main() {
  const database = await (await startPostgres(undo)).createDatabase();
  const api = await startApi(database);
  const { url } = api.lines[0];
  const decent = await decentClients(url);
  console.log('times are the median, the 99th percentile and the longest');
  await phase('nobody else', api, url, decent, () => sleep(5_000));
  if (CONNECTIONS === maxOpenFiles() - SPARE_FILES) console.log(`this process may open no more than ${CONNECTIONS} connections (ulimit -n)`);
  const half = 'POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"problem_id"';
  for (const [name, bytes] of CONNECTIONS === 0 ? [] : Object.entries({ 'connections that say nothing': '', 'half a header': half.slice(0, 40), 'half a body': half })) {
    await phase(`${CONNECTIONS} × ${name}`, api, url, decent, () => crowd(url, CONNECTIONS, bytes));
  }
  for (const [name, request] of Object.entries(FLOODS)) {
    if (CHOSEN.length > 0 && !CHOSEN.includes(name)) continue;
    // What is kept once (compiled code, pools, prepared statements) is there afterwards.
    await closedLoop({ inFlight: IN_FLIGHT, count: FLOOD / 10 }, (n) => request(url, FLOOD * 2 + n));
    const before = await heapOf(api.pid);
    const series = seriesOf(await metricsOf(url));
    await phase(`${FLOOD} distinct ${name}`, api, url, decent, async () => {
      const { ops, seconds } = await closedLoop({ inFlight: IN_FLIGHT, count: FLOOD }, (n) => request(url, n));
      return `${(ops / seconds).toFixed(0)}/s`;
    });
    await sleep(500);
    const grown = (await heapOf(api.pid)) - before;
    const added = [...seriesOf(await metricsOf(url))].filter((one) => !series.has(one));
    console.log(`${''.padEnd(44)} heap ${grown < 0 ? '-' : '+'}${(Math.abs(grown) / 1024 ** 2).toFixed(1)} MB of ${megabytes(before)}, ${added.length} new series`);
    if (grown > MOST_HEAP_GROWTH) faults.push(`distinct ${name}: the heap is larger by ${megabytes(grown)}`);
    if (added.length > 0) faults.push(`distinct ${name}: new series ${added.slice(0, 3).join(' ')}`);
  }
  await decent.stop();
  if (api.hasEnded()) faults.push('the API has ended');
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    void undo.all().finally(() => process.exit(130));
  });
}
try {
  await main();
} finally {
  await undo.all();
}
for (const fault of new Set(faults)) console.log(`FAULT: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
