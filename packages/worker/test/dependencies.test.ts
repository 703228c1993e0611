/** Results that a claim had no room for: the task begins with them, or not at all. */
import { expect } from 'chai';
import { problem, type GivenTask } from '../src/conformance/model.js';
import type { Task } from '../src/executors/executor.js';
import { withDependencies } from '../src/running/dependencies.js';
import { TASK } from './fixtures/executions.js';
import { COMPLETED, Stage } from './fixtures/scripted-worker.js';

const [LEFT, RIGHT] = ['0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b02', '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b03'] as const;
const TRUNCATED: Partial<GivenTask> = {
  dependencies: { here: { n: 0 }, left: null, right: null, failed: null },
  dependencies_truncated: ['left', 'right'], dependency_task_ids: { left: LEFT, right: RIGHT },
};

describe('worker: results of dependencies', () => {
  const stage = Stage.forEachTest();

  it('reads those that were left out before the task begins, as often as it takes', async () => {
    const { api } = stage.current;
    api.model.results.set(LEFT, { n: 1 }).set(RIGHT, { n: 2 });
    api.script('task', 'cut', problem('database_unavailable'), { status: 404, body: '<html>' });
    const task = api.give(TRUNCATED);
    let given: Task | undefined;
    const worker = stage.current.start({}, (context) => {
      given = context.task;
      return Promise.resolve(COMPLETED);
    });
    const ended = await api.until(() => api.model.ended.get(`${task.id}/1`));
    expect(ended.verb).to.equal('complete');
    expect(given?.dependencies).to.deep.equal({ here: { n: 0 }, left: { n: 1 }, right: { n: 2 }, failed: null });
    expect(given).to.not.have.any.keys('dependencies_truncated', 'dependency_task_ids');
    expect(api.of('task').map(({ taskId }) => taskId)).to.deep.equal([LEFT, LEFT, LEFT, LEFT, RIGHT]);
    expect(ended.lines).to.have.length(1);
    await worker.drain();
  });

  for (const [name, more, reason] of [
    ['the API refuses to say it', TRUNCATED, /"left".*task_not_found/],
    ['the API is older and does not say whose it is', { ...TRUNCATED, dependency_task_ids: {} }, /"left".*does not say which task/],
  ] as const) {
    it(`fails the attempt without running anything where ${name}`, async () => {
      const { api } = stage.current;
      const task = api.give(more);
      const worker = stage.current.start();
      const ended = await api.until(() => api.model.ended.get(`${task.id}/1`));
      expect(ended.verb).to.equal('fail');
      expect(ended.body.error).to.match(reason);
      expect(stage.current.begun).to.equal(0);
      await worker.drain();
    });
  }

  it('hands the task back while the API does not answer and the worker leaves', async () => {
    const { api } = stage.current;
    api.always('task', 'hang');
    const task = api.give(TRUNCATED);
    const worker = stage.current.start();
    await api.untilCalls('task');
    await worker.release();
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('release');
    expect(stage.current.begun).to.equal(0);
  });

  it('fails for good where they are more than fits into memory', async () => {
    const read = (id: string): Promise<Task> => Promise.resolve({ ...TASK, id, result: { text: 'x'.repeat(100) } });
    const never = new AbortController().signal;
    const task: Task = { ...TASK, dependencies: { left: null, right: null }, dependencies_truncated: ['left', 'right'], dependency_task_ids: { left: LEFT, right: RIGHT } };
    const silent = (): Promise<void> => Promise.resolve();
    expect(await withDependencies(task, read, silent, never, 1000)).to.have.property('dependencies').with.keys('left', 'right');
    expect(await withDependencies(task, read, silent, never, 150)).to.include({ kind: 'failed', retryable: false });
  });
});
