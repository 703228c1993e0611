import { LIMITS } from '@task-executor/shared';
import { expect } from 'chai';
import { sql } from 'kysely';
import { startTestApi, type TestApi } from './support/api.js';
import { submitTask, TestWorker } from './support/actors.js';

describe('claims and reports of many tasks', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api.stop());

  const claimBatch = (worker: TestWorker, body: Record<string, unknown> = {}) =>
    api.call('POST', `/api/v1/workers/${worker.id}/claim-batch`, body, { 'worker-session': worker.session });
  const report = (worker: TestWorker, reports: unknown[]) =>
    api.call('POST', `/api/v1/workers/${worker.id}/report`, { reports }, { 'worker-session': worker.session });

  it('gives several tasks in the order of the queue, and no more than the worker may run', async () => {
    const low = await submitTask(api, { problem_id: 'batch-a', priority: 1 });
    const high = await submitTask(api, { problem_id: 'batch-a', priority: 9 });
    await submitTask(api, { problem_id: 'other' });
    for (let n = 0; n < 3; n++) await submitTask(api, { problem_id: 'batch-a', priority: 0 });
    const worker = await TestWorker.register(api, { globs: ['batch-*'], parallel: 4 });
    const first = await claimBatch(worker, { max_tasks: 2, request_id: 'one' });
    expect(first.body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([high, low]);
    expect((await claimBatch(worker, { max_tasks: 2, request_id: 'one' })).body).to.deep.equal(first.body);
    expect((await claimBatch(worker, { max_tasks: 100 })).body.tasks).to.have.length(2);
    expect((await claimBatch(worker, { max_tasks: 100 })).body.tasks).to.deep.equal([]);
    await worker.leave();
  });

  it('gives them in the same order again, wherever their rows have moved since', async () => {
    const worker = await TestWorker.register(api, { globs: ['again-*'], parallel: 10 });
    for (let n = 0; n < 10; n++) await submitTask(api, { problem_id: 'again-1', priority: (7 * n) % 10 });
    const ids = async (): Promise<string[]> => {
      const { body } = await claimBatch(worker, { max_tasks: 10, request_id: 'one' });
      return body.tasks.map((task: { id: string }) => task.id) as string[];
    };
    const first = await ids();
    // Of an indexed column: the row moves, and its entries in the indexes with it.
    await sql`update queue set deadline_at = deadline_at + interval '1 hour' where task_id = ${first[0]}::uuid`.execute(api.db);
    expect(await ids()).to.deep.equal(first);
  });

  it('gives fewer where their parameters would make too long an answer, and one whatever it has', async () => {
    const worker = await TestWorker.register(api, { globs: ['big-*'], parallel: 100 });
    const large = { text: 'x'.repeat(LIMITS.maxClaimedBytes / 18) };
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) ids.push(await submitTask(api, { problem_id: 'big-1', parameters: large }));
    const first = await claimBatch(worker, { max_tasks: 20, request_id: 'one' });
    expect(first.body.tasks.map((task: { id: string }) => task.id)).to.deep.equal(ids.slice(0, 17));
    expect((await claimBatch(worker, { max_tasks: 20, request_id: 'one' })).body).to.deep.equal(first.body);
    expect((await claimBatch(worker, { max_tasks: 20 })).body.tasks.map((task: { id: string }) => task.id)).to.deep.equal(ids.slice(17));
    await sql`update queue set parameter_bytes = 2 * ${LIMITS.maxClaimedBytes}::int, state = 'pending', worker_id = null, session_id = null, claim_request = null,
                               worker_backend = null, started_at = null, deadline_at = null where problem_id = 'big-1'`.execute(api.db);
    expect((await claimBatch(worker, { max_tasks: 20 })).body.tasks.map((task: { id: string }) => task.id)).to.deep.equal(ids.slice(0, 1));
    await worker.leave();
  });

  it('looks further ahead once tasks of others have kept it from what it wanted', async () => {
    const others = Array.from({ length: 700 }, (_none, n) => ({ problem_id: n % 10 === 0 ? 'far-1' : 'strange-1' }));
    await api.call('POST', '/api/v1/tasks/batch', { tasks: others });
    const worker = await TestWorker.register(api, { globs: ['far-*'], parallel: 100 });
    const taken: number[] = [];
    while (taken.reduce((sum, one) => sum + one, 0) < 70) taken.push((await claimBatch(worker, { max_tasks: 50 })).body.tasks.length as number);
    expect(taken[0]).to.be.lessThan(50);
    expect(taken).to.have.length(2);
    await worker.leave();
  });

  it('waits for a first task', async () => {
    const worker = await TestWorker.register(api, { globs: ['late-*'], parallel: 5 });
    const waiting = claimBatch(worker, { max_tasks: 5, wait_seconds: 20 });
    const id = await submitTask(api, { problem_id: 'late-1' });
    expect((await waiting).body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([id]);
  });

  it('takes each report by itself, and again when it is repeated', async () => {
    const worker = await TestWorker.register(api, { globs: ['many-*'], parallel: 10 });
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) ids.push(await submitTask(api, { problem_id: 'many-1', retry: { max_attempts: 2, initial_seconds: 60 } }));
    await claimBatch(worker, { max_tasks: 10 });
    const reports = [
      { task_id: ids[0], attempt: 1, outcome: 'completed', result: { n: 0 } },
      { task_id: ids[1], attempt: 1, outcome: 'failed', error: 'broken' },
      { task_id: ids[2], attempt: 1, outcome: 'failed', error: 'for good', retryable: false },
      { task_id: ids[3], attempt: 1, outcome: 'released' },
      { task_id: ids[3], attempt: 7, outcome: 'released' },
      { task_id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt: 1, outcome: 'completed', result: {} },
      // The second about one task in one call: it is over by then.
      { task_id: ids[0], attempt: 1, outcome: 'failed', error: 'no' },
    ];
    const first = await report(worker, reports);
    expect(first.status, JSON.stringify(first.body)).to.equal(200);
    expect(first.body.reports.map((one: { accepted: boolean }) => one.accepted)).to.deep.equal([true, true, true, true, false, false, false]);
    expect(first.body.reports.slice(4).map((one: { problem: string }) => one.problem)).to.deep.equal(['attempt_not_held', 'task_not_found', 'attempt_not_held']);
    const states = await Promise.all(ids.map(async (id) => (await api.call('GET', `/api/v1/tasks/${id}`)).body));
    expect(states.map(({ status, reason }) => [status, reason])).to.deep.equal([
      ['completed', null], ['pending', 'backing_off'], ['failed', 'task_failed'], ['pending', 'ready'],
    ]);
    expect((await report(worker, reports)).body).to.deep.equal(first.body);
  });

  it('fences a whole batch, and refuses what does not fit the contract', async () => {
    const old = await TestWorker.register(api, { globs: ['fence-*'], parallel: 2 });
    const id = await submitTask(api, { problem_id: 'fence-1' });
    await claimBatch(old);
    await TestWorker.register(api, { id: old.id });
    expect((await claimBatch(old)).body.code).to.equal('session_superseded');
    const [receipt] = (await report(old, [{ task_id: id, attempt: 1, outcome: 'completed', result: {} }])).body.reports;
    expect(receipt).to.include({ accepted: false, problem: 'session_superseded' });
    expect((await report(old, [])).status).to.equal(422);
    expect((await report(old, [{ task_id: id, attempt: 1, outcome: 'completed' }])).status).to.equal(422);
    expect((await claimBatch(old, { max_tasks: 201 })).status).to.equal(422);
  });

  it('shares the queue among many sessions that claim at once', async () => {
    const workers = await Promise.all(Array.from({ length: 8 }, () => TestWorker.register(api, { globs: ['share-*'], parallel: 30 })));
    await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 200 }, () => ({ problem_id: 'share-1', parameters: {} })) });
    const claimed = await Promise.all(workers.flatMap((worker) => [claimBatch(worker, { max_tasks: 20 }), claimBatch(worker, { max_tasks: 20 })]));
    const ids = claimed.flatMap(({ body }) => body.tasks.map((task: { id: string }) => task.id) as string[]);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const worker of workers) {
      expect((await api.call('GET', `/api/v1/workers/${worker.id}`)).body.running_tasks).to.be.at.most(30);
    }
    const rest = await Promise.all(workers.map((worker) => claimBatch(worker, { max_tasks: 30 })));
    expect(ids.length + rest.reduce((sum, { body }) => sum + (body.tasks.length as number), 0)).to.equal(200);
  });
});
