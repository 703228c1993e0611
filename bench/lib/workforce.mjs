/** Worker processes (see worker.mjs), one for each replica, and what they have done together. */
import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

export class Workforce {
  #workers;
  #done;
  #began = 0;
  #changed = () => undefined;
  /** Pairs [seconds, tasks done] since `go`. */
  progress = [];

  /** Resolves when all workers are registered. */
  static async start(urls, problem, undo) {
    const workers = urls.map((url) => new Child(WORKER, [JSON.stringify({ url, problems: [problem] })], { undo }));
    await Promise.all(workers.map((worker) => worker.wait(({ ready }) => ready === true)));
    return new Workforce(workers);
  }

  constructor(workers) {
    this.#workers = workers;
    this.#done = workers.map(() => 0);
    for (const [n, worker] of workers.entries()) {
      worker.listen(({ done }) => {
        if (done === undefined) return;
        this.#done[n] = done;
        this.progress.push([this.seconds, this.done]);
        this.#changed();
      });
    }
  }

  get done() {
    return this.#done.reduce((sum, done) => sum + done, 0);
  }

  /** Since `go`. */
  get seconds() {
    return (performance.now() - this.#began) / 1000;
  }

  go() {
    this.#began = performance.now();
    for (const worker of this.#workers) worker.send({ go: true });
  }

  /** Resolves when `total` tasks are done, with the CPU seconds that the workers took. @throws where a worker ends */
  async finish(total) {
    const ended = Promise.race(this.#workers.map((worker) => worker.wait(() => false)));
    ended.catch(() => undefined);
    while (this.done < total) {
      await Promise.race([ended, new Promise((resolve) => {
        this.#changed = resolve;
      })]);
    }
    const seconds = this.seconds;
    const answers = Promise.all(this.#workers.map((worker) => worker.wait(({ finished }) => finished === true)));
    for (const worker of this.#workers) worker.send({ finish: true });
    return { seconds, cpu: (await answers).reduce((sum, { cpu }) => sum + cpu, 0) };
  }

  async stop() {
    for (const worker of this.#workers) await worker.stop();
  }
}
