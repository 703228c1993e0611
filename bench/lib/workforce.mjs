/**
 * Worker processes as they are built, one for each replica, and what they have done together. Each runs WORKER_TASKS at a time,
 * has its spool, and logs as usual. They work in rounds, from `go` to `rest`, so that a first one can warm them up; between them their
 * problem is paused. What they have done, their metrics say.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLogged } from './logged.mjs';
import { cpuOf } from './proc.mjs';
import { Http } from './http.mjs';
import { WORKER_TASKS } from './sizes.mjs';

const LOOK_MS = 100;
/** A worker that does nothing for so long will not do it later either. */
const STALL_SECONDS = 60;

export class Workforce {
  #workers;
  #http;
  #problem;
  #done = 0;
  /** When the round began: the time, what was done before it, and the workers' CPU seconds. */
  #from = { at: 0, done: 0, cpu: 0 };
  #looking = null;
  /** Pairs [seconds, tasks done] of the round. */
  progress = [];

  /** Resolves when all workers are registered, and claim in vain. */
  static async start(urls, problem, undo) {
    const http = new Http(urls.slice(0, 1));
    await http.post('/api/v1/queue/pause', { problem_id: problem });
    const workers = await Promise.all(urls.map((url) => startLogged('worker', ['packages/worker/dist/main.js', 'start'], (folder) => ({
      API_URL: url, WORKER_PROBLEMS: problem, CATALOG: 'bench/lib/catalog.yaml', WORKER_CONCURRENCY: String(WORKER_TASKS), WORKER_PORT: '0', SPOOL_DIR: folder,
    }), ['registered', 'serving_status'], undo)));
    return new Workforce(workers, http, problem);
  }

  constructor(workers, http, problem) {
    this.#http = http;
    this.#problem = problem;
    this.#workers = workers.map(({ pid, lines: [, { host, port }], stop, hasEnded }) => ({ pid, stop, hasEnded, metrics: `http://${host}:${port}/metrics` }));
  }

  /** Of the round. */
  get done() {
    return this.#done - this.#from.done;
  }

  /** Since `go`. */
  get seconds() {
    return (performance.now() - this.#from.at) / 1000;
  }

  async go() {
    this.progress = [];
    this.#from = { at: performance.now(), done: this.#done, cpu: this.#cpu() };
    await this.#http.post('/api/v1/queue/resume', { problem_id: this.#problem });
    this.#looking ??= this.#look();
    this.#looking.catch(() => undefined);
  }

  /** Ends a round that is finished. */
  async rest() {
    await this.#http.post('/api/v1/queue/pause', { problem_id: this.#problem });
  }

  /** Resolves when `total` tasks of the round are done, with the CPU seconds that the workers took for it. @throws where a worker ends, or nothing is done for STALL_SECONDS */
  async finish(total) {
    while (this.done < total) {
      await Promise.race([this.#looking, sleep(LOOK_MS / 5)]);
      if (this.seconds > (this.progress.at(-1)?.[0] ?? 0) + STALL_SECONDS) throw new Error(`no task was done for ${STALL_SECONDS} seconds: see the worker's log`);
    }
    return { seconds: this.progress.at(-1)[0], cpu: this.#cpu() - this.#from.cpu };
  }

  async stop() {
    this.#looking = null;
    await this.#http.close();
    for (const worker of this.#workers) await worker.stop();
  }

  #cpu() {
    return this.#workers.reduce((sum, { pid }) => sum + (cpuOf(pid) ?? NaN), 0);
  }

  async #look() {
    for (;;) {
      if (this.#workers.some((worker) => worker.hasEnded())) {
        if (this.#looking === null) return;
        throw new Error('a worker of the benchmark has ended');
      }
      const counts = await Promise.all(this.#workers.map(({ metrics }) => completed(metrics)));
      if (this.#looking === null) return;
      const done = counts.reduce((sum, count) => sum + count, 0);
      if (done > this.#done) {
        this.#done = done;
        this.progress.push([this.seconds, this.done]);
      }
      await sleep(LOOK_MS);
    }
  }
}

async function completed(url) {
  const text = await (await fetch(url)).text();
  if (!/^task_executor_worker_attempts_total\{outcome="failed"\} 0$/m.test(text)) throw new Error('a task of the benchmark has failed');
  return Number(/^task_executor_worker_attempts_total\{outcome="completed"\} (\d+)$/m.exec(text)[1]);
}
