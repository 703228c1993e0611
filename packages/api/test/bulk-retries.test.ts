/** Bulk retries over tasks of which some have been retried before: each is retried once, and its newest retry stands for it. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

describe('bulk retries', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 1000 });
  });
  after(() => api.stop());

  const retry = async (filter: Record<string, unknown>): Promise<Answer['body']> => {
    const { body } = await api.call('POST', '/api/v1/bulk-operations', { action: 'retry', filter });
    return eventually(async () => {
      const { body: now } = await api.call('GET', `/api/v1/bulk-operations/${body.id}`);
      return now.state === 'done' && now;
    });
  };
  /** Runs what is pending: a task fails where `fails` says so of its parameters. */
  async function work(fails: (parameters: Record<string, unknown>) => boolean): Promise<void> {
    for (let claim = await worker.claim(); claim.status === 200; claim = await worker.claim()) {
      const { id, parameters } = claim.body;
      await worker.report(fails(parameters) ? 'fail' : 'complete', id as string, fails(parameters) ? { error: 'x' } : {});
    }
  }
  const retriesOf = async (ids: readonly string[]): Promise<number[]> => {
    const { rows } = await sql<{ retry_of: string }>`select retry_of from tasks where retry_of = any (${ids}::uuid[])`.execute(api.db);
    return ids.map((id) => rows.filter((row) => row.retry_of === id).length);
  };

  it('run again what still fails, once, and not what a retry has completed', async () => {
    const labels = { run: '42' };
    const tasks = Array.from({ length: 10 }, (_one, n) => ({ problem_id: 'evaluation', labels, parameters: { hopeless: n >= 8 } }));
    await api.call('POST', '/api/v1/tasks/batch', { tasks });
    await work(() => true);
    expect(await retry({ labels })).to.include({ examined: 10, changed: 10, skipped: 0 });
    await work(({ hopeless }) => hopeless === true);
    for (const examined of [12, 14, 16]) {
      expect(await retry({ labels })).to.include({ examined, changed: 2, skipped: examined - 2 });
      await work(() => true);
    }
    const { rows } = await sql<{ hopeless: string; tasks: number }>`
      select parameters ->> 'hopeless' as hopeless, count(*)::int as tasks from tasks where labels ->> 'run' = '42' group by 1 order by 1`.execute(api.db);
    expect(rows).to.deep.equal([{ hopeless: 'false', tasks: 16 }, { hopeless: 'true', tasks: 10 }]);
  });

  it('leave alone what was retried by its id or with its workflow, which both retry as often as they are asked', async () => {
    const labels = { run: 'by-hand' };
    const alone = await submitTask(api, { problem_id: 'evaluation', labels });
    const { body: workflow } = await api.call('POST', '/api/v1/workflows', { labels, tasks: [{ name: 'a', problem_id: 'evaluation' }, { name: 'b', problem_id: 'evaluation', depends_on: ['a'] }] });
    await work(() => true);
    for (let n = 0; n < 2; n++) {
      expect((await api.call('POST', `/api/v1/tasks/${alone}/retry`)).status).to.equal(201);
      expect((await api.call('POST', `/api/v1/workflows/${workflow.id}/retry`)).status).to.equal(201);
    }
    await work(() => false);
    expect(await retry({ labels })).to.include({ examined: 3, changed: 0, skipped: 3 });
    const ids = [alone, ...workflow.tasks.map(({ task_id: id }: { task_id: string }) => id)] as string[];
    expect(await retriesOf(ids)).to.deep.equal([2, 2, 2]);
  });

  it('retry what depends on a task that was retried before, on the newest retry of it', async () => {
    const labels = { run: 'family' };
    const parent = await submitTask(api, { problem_id: 'evaluation', labels });
    const child = await submitTask(api, { problem_id: 'evaluation', labels, depends_on: [parent] });
    await work(() => true);
    const { body: again } = await api.call('POST', `/api/v1/tasks/${parent}/retry`);
    await work(() => true);
    expect(await retry({ labels })).to.include({ examined: 3, changed: 2, skipped: 1 });
    expect(await retriesOf([parent, again.id as string, child])).to.deep.equal([1, 1, 1]);
    const { rows } = await sql<{ depends_on: string }>`
      select p.retry_of as depends_on from tasks c join dependencies d on d.task_id = c.id join tasks p on p.id = d.parent_id
       where c.retry_of = ${child}::uuid`.execute(api.db);
    expect(rows).to.deep.equal([{ depends_on: again.id }]);
  });
});
