/** Submits workflows under keys, most of them with a task that fails for good, so that there is something to run again. */
import type { Random } from '../random.js';
import { call, type Answer } from './call.js';
import type { Submission, Submit } from './history.js';
import { untilAnswered } from './persist.js';
import { makeSubmission } from './submissions.js';
import type { World } from './world.js';

export class WorkflowMaker {
  readonly #name: string;
  readonly #url: string;
  readonly #world: World;
  readonly #random: Random;
  #count = 0;

  constructor(parts: { name: string; url: string; world: World; random: Random }) {
    this.#name = parts.name;
    this.#url = parts.url;
    this.#world = parts.world;
    this.#random = parts.random;
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      await this.#world.pause(this.#random.between(1_000, 3_000));
      if (!this.#world.isFull && !this.#world.isOver) await this.#submit();
    }
  }

  async #submit(): Promise<void> {
    this.#count += 1;
    const key = `${this.#name}-${this.#count}`;
    const tasks = this.#graph(key);
    const answer = await untilAnswered(this.#world, this.#random, () => this.#ask(key, tasks));
    if (answer.result === 'ok' && tasks.some(({ parameters }) => parameters.failures > 0)) this.#world.failing.push((answer.body as { id: string }).id);
    if (this.#random.chance(0.2)) await this.#ask(key, tasks);
  }

  /** Each task may wait for any that comes before it. */
  #graph(marker: string): Submission[] {
    const failing = this.#random.chance(0.7) ? 0 : -1;
    return Array.from({ length: this.#random.whole(2, 4) }, (_one, n): Submission => {
      const task = makeSubmission(this.#random, `${marker}.${n + 1}`, []);
      const before = Array.from({ length: n }, (_name, k) => `step-${k + 1}`).filter(() => this.#random.chance(0.5));
      return { ...task, priority: 10, name: `step-${n + 1}`, depends_on: before, parameters: { ...task.parameters, failures: n === failing ? 999 : 0 } };
    });
  }

  async #ask(key: string, tasks: readonly Submission[]): Promise<Answer> {
    const noted = this.#world.history.begin<Submit>(this.#name, { verb: 'submit', key, tasks, form: 'workflow', ids: [], workflowId: null, existed: false });
    const answer = await call(this.#url, { method: 'POST', path: '/api/v1/workflows', body: { name: key, tasks }, headers: { 'idempotency-key': key } });
    if (answer.result === 'ok') {
      const { id, tasks: made } = answer.body as { id: string; tasks: { name: string; task_id: string }[] };
      noted.workflowId = id;
      noted.ids = tasks.map(({ name }) => made.find((one) => one.name === name)?.task_id ?? '');
    }
    this.#world.history.end(noted, answer.result, answer.result === 'fail' ? answer.code : null);
    this.#world.heardOf(noted.ids);
    return answer;
  }
}
