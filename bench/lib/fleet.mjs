/** Many workers in this process, each with a connection of its own, as a fleet has them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { undici } from './packages.mjs';
import { Http } from './http.mjs';
import { closedLoop } from './numbers.mjs';
import { register } from './tasks.mjs';

const SET_UP_IN_FLIGHT = 20;

export class Fleet {
  #workers = [];
  #stopping = false;
  #running = [];
  /** Called with the id of each task that a worker was given, and when (performance.now). */
  onClaim = () => undefined;

  /** Registers `count` workers for one problem. */
  static async register(url, problem, count) {
    const fleet = new Fleet();
    const http = new Http([url], SET_UP_IN_FLIGHT);
    try {
      await closedLoop({ inFlight: SET_UP_IN_FLIGHT, count }, async (n) => {
        const workerId = `worker-${String(100_000 + n)}-kind`;
        const worker = await register(http, { problems: [problem], workerId });
        fleet.#workers.push({ ...worker, client: new undici.Client(url, { keepAliveTimeout: 60_000, headersTimeout: 360_000, bodyTimeout: 60_000 }) });
      });
    } finally {
      await http.close();
    }
    return fleet;
  }

  /**
   * Every worker waits for tasks as the worker package does, in claims that stand for its heartbeats and last as long as the API
   * proposes, and completes what it gets. Resolves when all have asked once; a while later their calls are spread over that time.
   */
  async poll() {
    await this.#each(async (worker) => {
      // Not all at the same moment, ever after: neither the first nor the first long one.
      let waitSeconds = worker.claimWaitSeconds * Math.random();
      let share = Math.random();
      while (!this.#stopping) {
        const { tasks, next_wait_seconds: proposed } = await this.#post(worker, 'claim-batch', { max_tasks: 1, wait_seconds: waitSeconds, idle: true });
        waitSeconds = proposed === undefined ? worker.claimWaitSeconds : proposed * share;
        if (proposed !== undefined) share = 1;
        for (const task of tasks) {
          this.onClaim(task.id, performance.now());
          await this.#post(worker, `tasks/${task.id}/complete`, { success: true }, task.attempt);
        }
      }
    });
  }

  /** Every worker claims one task and keeps running it, with heartbeats as often as the API asks for. */
  async work() {
    await closedLoop({ inFlight: SET_UP_IN_FLIGHT, count: this.#workers.length }, async (n) => {
      const worker = this.#workers[n];
      worker.task = await this.#post(worker, 'claim', { wait_seconds: 5 });
      if (worker.task === undefined) throw new Error('there was no task for a worker of the fleet');
    });
    await this.#each(async (worker) => {
      await sleep(worker.heartbeatSeconds * 1000 * Math.random());
      const attempts = [{ task_id: worker.task.id, attempt: worker.task.attempt }];
      while (!this.#stopping) {
        await this.#post(worker, 'heartbeat', { status: 'busy', attempts });
        await sleep(worker.heartbeatSeconds * 1000);
      }
    });
  }

  /** Cuts what hangs. @throws what went wrong in any of its workers */
  async stop() {
    this.#stopping = true;
    await Promise.all(this.#workers.map(({ client }) => client.destroy()));
    await Promise.all(this.#running);
  }

  async #each(work) {
    this.#running = this.#workers.map((worker) => work(worker).catch((error) => {
      // Calls that hang are cut at the end.
      if (!this.#stopping) throw error;
    }));
    for (const one of this.#running) one.catch(() => undefined);
    // The connections are made by now, and the calls on their way.
    await sleep(1000);
  }

  async #post({ client, path, headers }, call, body, attempt) {
    const answer = await client.request({
      method: 'POST', path: `${path}/${call}`, body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json', ...(attempt === undefined ? {} : { 'task-attempt': String(attempt) }) },
    });
    if (answer.statusCode >= 300) throw new Error(`${call}: ${answer.statusCode} ${await answer.body.text()}`);
    if (answer.statusCode !== 204) return answer.body.json();
    await answer.body.dump();
    return undefined;
  }
}
