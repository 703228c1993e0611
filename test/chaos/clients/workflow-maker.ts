/** Submits workflows under keys, most of them with a task that fails for good, so that there is something to run again. */
import type { Answer } from './call.js';
import { ask, Client } from './client.js';
import type { Submission, Submit } from './history.js';
import { makeSubmission } from './submissions.js';

export class WorkflowMaker extends Client {
  #count = 0;

  async run(): Promise<void> {
    while (!this.world.isOver) {
      await this.world.pause(this.random.between(1_000, 3_000));
      if (!this.world.isFull && !this.world.isOver) await this.#submit();
    }
  }

  async #submit(): Promise<void> {
    this.#count += 1;
    const key = `${this.name}-${this.#count}`;
    const tasks = this.#graph(key);
    const answer = await this.untilAnswered(() => this.#ask(key, tasks));
    if (answer.result === 'ok' && tasks.some(({ parameters }) => parameters.failures > 0)) this.world.failing.push((answer.body as { id: string }).id);
    if (this.random.chance(0.2)) await this.#ask(key, tasks);
  }

  /** Each task may wait for any that comes before it. */
  #graph(marker: string): Submission[] {
    const failing = this.random.chance(0.7) ? 0 : -1;
    return Array.from({ length: this.random.whole(2, 4) }, (_one, n): Submission => {
      const task = makeSubmission(this.random, `${marker}.${n + 1}`, []);
      const before = Array.from({ length: n }, (_name, k) => `step-${k + 1}`).filter(() => this.random.chance(0.5));
      return { ...task, priority: 10, name: `step-${n + 1}`, depends_on: before, parameters: { ...task.parameters, failures: n === failing ? 999 : 0 } };
    });
  }

  #ask(key: string, tasks: readonly Submission[]): Promise<Answer> {
    const request = { method: 'POST', path: '/api/v1/workflows', body: { name: key, tasks }, headers: { 'idempotency-key': key } } as const;
    return ask<Submit>(this, { verb: 'submit', key, tasks, form: 'workflow', ids: [], workflowId: null, existed: false }, request, (noted, { body }) => {
      const { id, tasks: made } = body as { id: string; tasks: { name: string; task_id: string }[] };
      noted.workflowId = id;
      noted.ids = tasks.map(({ name }) => made.find((one) => one.name === name)?.task_id ?? '');
      this.world.heardOf(noted.ids);
    });
  }
}
