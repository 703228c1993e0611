/** The loads that scenarios put on a system. Each resolves with `{ ops, seconds, ... }`, where an operation is one task. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Http } from './http.mjs';
import { closedLoop } from './numbers.mjs';
import { BULK_IN_FLIGHT, BULK_TASKS, CONNECTIONS, SIMPLE_CLIENTS } from './sizes.mjs';
import { batchText, fill, newProblem, register, submission, submissionTexts } from './tasks.mjs';
import { Workforce } from './workforce.mjs';

/** How long a claim that found nothing, though a task is left, waits before it asks again: others were at it. */
const AGAIN_MS = 2;

/** Single submissions over CONNECTIONS connections. `urls` may be those of the ceiling. */
export async function submitSingly(urls, { seconds, warmUpSeconds = 0, metered = (load) => load() }) {
  const http = new Http(urls, CONNECTIONS);
  const text = submissionTexts(newProblem('single'));
  const load = (duration) => closedLoop({ inFlight: CONNECTIONS, seconds: duration }, () => http.send('/api/v1/tasks', text()));
  try {
    if (warmUpSeconds > 0) await load(warmUpSeconds);
    return await metered(() => load(seconds));
  } finally {
    await http.close();
  }
}

/** Batches of BULK_TASKS, a few in flight. */
export async function submitInBulk(system, { seconds, warmUpSeconds = 0 }) {
  const http = new Http(system.urls, BULK_IN_FLIGHT);
  const text = submissionTexts(newProblem('bulk'));
  const load = async (duration) => {
    const calls = await closedLoop({ inFlight: BULK_IN_FLIGHT, seconds: duration }, () => http.send('/api/v1/tasks/batch', batchText(text)));
    return { ...calls, ops: calls.ops * BULK_TASKS };
  };
  try {
    if (warmUpSeconds > 0) await load(warmUpSeconds);
    return await system.metered(() => load(seconds));
  } finally {
    await http.close();
  }
}

/** `count` pending tasks are drained by one worker process for each replica; filling is not measured. */
export async function drain(system, { count, warmUp = true, undo }) {
  const http = new Http(system.urls, BULK_IN_FLIGHT);
  const problem = newProblem('drain');
  const workers = await Workforce.start(system.urls, problem, undo);
  const run = async (tasks) => {
    await fill(http, tasks, () => submission(problem));
    return system.metered(async () => {
      await workers.go();
      const { seconds, cpu } = await workers.finish(tasks);
      return { ops: tasks, seconds, cpu: { client: cpu } };
    });
  };
  try {
    if (warmUp) {
      await run(Math.ceil(count / 20));
      await workers.rest();
    }
    return await run(count);
  } finally {
    await workers.stop();
    await http.close();
  }
}

/**
 * Single submissions for `seconds` while a worker process drains them. Seconds are those until the last task is done; `backlog`
 * is how many were waiting when submission ended, `progress` the pairs [seconds, tasks done].
 */
export async function submitAndDrain(system, { seconds, warmUpSeconds = 0, undo }) {
  const http = new Http(system.urls, CONNECTIONS);
  const problem = newProblem('both');
  const text = submissionTexts(problem);
  const workers = await Workforce.start(system.urls.slice(0, 1), problem, undo);
  const run = async (duration) => system.metered(async () => {
    const before = process.cpuUsage();
    await workers.go();
    const submitted = await closedLoop({ inFlight: CONNECTIONS, seconds: duration }, () => http.send('/api/v1/tasks', text()));
    const backlog = submitted.ops - workers.done;
    const finished = await workers.finish(submitted.ops);
    const own = process.cpuUsage(before);
    return {
      ops: submitted.ops, seconds: finished.seconds, submitSeconds: submitted.seconds, backlog, progress: workers.progress,
      cpu: { client: finished.cpu + (own.user + own.system) / 1e6 },
    };
  });
  try {
    if (warmUpSeconds > 0) {
      await run(warmUpSeconds);
      await workers.rest();
    }
    return await run(seconds);
  } finally {
    await workers.stop();
    await http.close();
  }
}

/** One worker in a long poll, one task at a time. `latencies`: milliseconds from a submission's answer to its claim's. */
export async function idleLatency(system, { samples }) {
  const pauseMs = 15;
  const submitter = new Http(system.urls.slice(0, 1));
  const http = new Http(system.urls.slice(-1));
  const problem = newProblem('latency');
  try {
    const worker = await register(http, { problems: [problem] });
    const once = async () => {
      const claimed = http.post(`${worker.path}/claim`, { wait_seconds: 20 }, worker.headers).then((task) => ({ task, at: performance.now() }));
      // The claim has to wait in the API before the task comes.
      await sleep(pauseMs);
      const created = await submitter.post('/api/v1/tasks', submission(problem));
      const answered = performance.now();
      const { task, at } = await claimed;
      if (task?.id !== created.id) throw new Error(`task ${created.id} was submitted, ${task?.id} claimed`);
      await http.post(`${worker.path}/tasks/${task.id}/complete`, { success: true }, { ...worker.headers, 'task-attempt': String(task.attempt) });
      // The claim's answer may overtake the submission's.
      return Math.max(0, at - answered);
    };
    await closedLoop({ inFlight: 1, count: Math.ceil(samples / 10) }, once);
    const latencies = [];
    return { ...(await system.metered(() => closedLoop({ inFlight: 1, count: samples }, async () => latencies.push(await once())))), latencies };
  } finally {
    await submitter.close();
    await http.close();
  }
}

/** SIMPLE_CLIENTS workers as a shell script would be: claim one, complete it, no session and no attempt named. `latencies`: of claims, in milliseconds. */
export async function simpleClients(system, { count, problems, prepare = true }) {
  const problem = newProblem('simple');
  const globs = problems ?? [problem];
  const clients = Array.from({ length: SIMPLE_CLIENTS }, (_none, n) => new Http([system.urls[n % system.urls.length]]));
  try {
    if (prepare) await fill(clients[0], count, () => submission(problem));
    const workers = await Promise.all(clients.map((http) => register(http, { problems: globs })));
    const latencies = [];
    let begun = 0;
    const result = await system.metered(async () => {
      const began = performance.now();
      let ops = 0;
      await Promise.all(workers.map(async ({ path }, n) => {
        while (begun < count) {
          begun += 1;
          const asked = performance.now();
          const task = await clients[n].post(`${path}/claim`);
          latencies.push(performance.now() - asked);
          if (task === undefined) {
            begun -= 1;
            await sleep(AGAIN_MS);
            continue;
          }
          await clients[n].post(`${path}/tasks/${task.id}/complete`, { success: true });
          ops += 1;
        }
      }));
      return { ops, seconds: (performance.now() - began) / 1000 };
    });
    return { ...result, latencies };
  } finally {
    await Promise.all(clients.map((http) => http.close()));
  }
}
