/**
 * Puts a load on another queue: `main.mjs PEER LOAD OPTIONS`, where LOAD is one of those below, the same as lib/loads.mjs puts on
 * ours, and OPTIONS are JSON. The database is that of DATABASE_URL, empty. Tells its parent { begin } and { end } around what is
 * to be measured, and then { result }. Needs the Node of package.json's `engines`.
 */
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { closedLoop } from '../lib/numbers.mjs';
import { BULK_IN_FLIGHT, BULK_TASKS, CONNECTIONS } from '../lib/sizes.mjs';
import { payload } from '../lib/tasks.mjs';

const [name, load, text] = process.argv.slice(2);
const options = JSON.parse(text);
const url = process.env.DATABASE_URL;
const peer = await import(`./${name}.mjs`);

const LOOK_MS = 5;
const IDLE_MS = 15;
const data = payload();
const many = Array.from({ length: BULK_TASKS }, () => data);

let before = process.cpuUsage();

/** What is measured begins here. */
function begin() {
  process.send({ begin: true });
  before = process.cpuUsage();
}

/** It ends here; `result` with the CPU seconds of this process. */
function end({ workerCpu = 0, ...result }) {
  const { user, system } = process.cpuUsage(before);
  process.send({ end: true });
  return { ...result, cpu: { client: (user + system) / 1e6 + workerCpu } };
}

async function measured(work) {
  begin();
  return end(await work());
}

/** Resolves when `isDone` says so and nothing is left in the database. */
async function waitForEnd(client, isDone) {
  for (;;) {
    if (isDone() && Number((await client.query(peer.UNFINISHED)).rows[0].n) === 0) return;
    await sleep(LOOK_MS);
  }
}

async function fill(submitter, count) {
  await closedLoop({ inFlight: BULK_IN_FLIGHT, count: Math.ceil(count / BULK_TASKS) }, (k) => (
    submitter.submitMany(many.slice(0, Math.min(BULK_TASKS, count - k * BULK_TASKS)))
  ));
}

const LOADS = {
  async single({ seconds, warmUpSeconds }, { submitter }) {
    const run = (duration) => closedLoop({ inFlight: CONNECTIONS, seconds: duration }, () => submitter.submit(data));
    if (warmUpSeconds > 0) await run(warmUpSeconds);
    return measured(() => run(seconds));
  },

  async bulk({ seconds, warmUpSeconds }, { submitter }) {
    const run = async (duration) => {
      const calls = await closedLoop({ inFlight: BULK_IN_FLIGHT, seconds: duration }, () => submitter.submitMany(many));
      return { ...calls, ops: calls.ops * BULK_TASKS };
    };
    if (warmUpSeconds > 0) await run(warmUpSeconds);
    return measured(() => run(seconds));
  },

  async drain({ count }, { submitter, client }) {
    const run = async (tasks) => {
      await fill(submitter, tasks);
      let done = 0;
      let began = 0;
      // From the first task on: how long a worker takes to start is not the question.
      const worker = await peer.openWorker(url, () => {
        if (done === 0) {
          began = performance.now();
          begin();
        }
        done += 1;
      }, { forLatency: false });
      await waitForEnd(client, () => done >= tasks);
      const result = end({ ops: tasks, seconds: (performance.now() - began) / 1000 });
      await worker.close();
      return result;
    };
    await run(Math.ceil(count / 20));
    return run(count);
  },

  async together({ seconds, warmUpSeconds }, { submitter, client }) {
    let done = 0;
    let cpu = 0;
    const worker = fork(process.argv[1], [name, 'worker', '{}']);
    await new Promise((resolve, reject) => {
      worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
      worker.on('message', (message) => {
        if (message.ready) resolve();
        else ({ done, cpu } = message);
      });
    });
    const run = async (duration) => {
      const before = { done, cpu };
      const began = performance.now();
      const { ops } = await closedLoop({ inFlight: CONNECTIONS, seconds: duration }, () => submitter.submit(data));
      const backlog = ops - (done - before.done);
      await waitForEnd(client, () => done - before.done >= ops);
      return { ops, seconds: (performance.now() - began) / 1000, backlog, workerCpu: cpu - before.cpu };
    };
    if (warmUpSeconds > 0) await run(warmUpSeconds);
    const result = await measured(() => run(seconds));
    worker.removeAllListeners('exit');
    worker.disconnect();
    return result;
  },

  async latency({ samples }, { submitter }) {
    let claimed = () => undefined;
    const worker = await peer.openWorker(url, () => claimed(performance.now()), { forLatency: true });
    const once = async () => {
      await sleep(IDLE_MS);
      const at = new Promise((resolve) => {
        claimed = resolve;
      });
      await submitter.submit(data);
      const answered = performance.now();
      return Math.max(0, (await at) - answered);
    };
    for (let n = 0; n < samples / 10; n++) await once();
    const latencies = [];
    const result = await measured(() => closedLoop({ inFlight: 1, count: samples }, async () => latencies.push(await once())));
    await worker.close();
    return { ...result, latencies };
  },
};

/** The worker's part of `together`: runs tasks and tells how many, until its parent ends. */
async function work() {
  let done = 0;
  await peer.openWorker(url, () => {
    done += 1;
  }, { forLatency: false });
  process.send({ ready: true });
  let told = 0;
  setInterval(() => {
    if (done === told) return;
    told = done;
    const { user, system } = process.cpuUsage();
    process.send({ done, cpu: (user + system) / 1e6 });
  }, LOOK_MS);
}

process.on('disconnect', () => process.exit(0));
if (load === 'worker') {
  await work();
} else {
  await peer.prepare(url, { forLatency: load === 'latency' });
  const submitter = await peer.openSubmitter(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const result = await LOADS[load](options, { submitter, client });
  process.send({ result }, () => process.exit(0));
}
