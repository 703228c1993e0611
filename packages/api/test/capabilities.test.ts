/** A worker that takes other problems than before: its session and what it runs go on, and every replica goes by what it said last. */
import { expect } from 'chai';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Caller, type TestApi } from './support/api.js';

describe('capabilities that a heartbeat changes', () => {
  let api: TestApi;
  let other: Caller;
  beforeEach(async () => {
    api = await startTestApi();
    other = await api.replica();
  });
  afterEach(() => api.stop());

  const to = (supported_problems: string[], max_parallel_tasks = 4) => ({ capabilities: { max_parallel_tasks, supported_problems } });

  it('hold for the next claim at every replica, also where the old ones are known; what runs goes on', async () => {
    const worker = await TestWorker.register(api, { globs: ['old-*'], parallel: 4 });
    const peer = await TestWorker.register(api, { globs: ['old-*'], parallel: 4 });
    const running = await submitTask(api, { problem_id: 'old-1' });
    expect((await worker.at(other).claim()).body.id).to.equal(running);
    expect((await worker.claim()).status).to.equal(204);
    const [old, fresh] = [await submitTask(api, { problem_id: 'old-2' }), await submitTask(api, { problem_id: 'new-1' })];
    const answer = await worker.heartbeat({ ...to(['new-*']), attempts: [{ task_id: running, attempt: 1 }] });
    expect(answer.body.capabilities).to.deep.equal({ max_parallel_tasks: 4, supported_problems: ['new-*'] });
    expect(answer.body).to.deep.include({ session: worker.session, directives: { cancel: [], lost: [], drain: false } });
    // The other replica has read of both that they take old-*, and asks for them in one statement.
    const [mine, theirs] = await Promise.all([worker.at(other).claim(), peer.at(other).claim()]);
    expect([mine.body.id, theirs.body.id]).to.deep.equal([fresh, old]);
    expect((await worker.claim()).status).to.equal(204);
    expect((await worker.report('complete', running, {}, 1)).status).to.equal(200);
  });

  it('let a claim with a wait get what it can take since then', async () => {
    const worker = await TestWorker.register(api, { globs: ['old-*'], parallel: 4 });
    expect((await worker.at(other).claim()).status).to.equal(204);
    await worker.heartbeat(to(['new-*']));
    const claimed = worker.at(other).claim({ wait_seconds: 20, request_id: 'c-1' });
    await eventually(async () => (await other.call('GET', `/api/v1/workers/${worker.id}`)).body.capabilities.supported_problems[0] === 'new-*');
    const fresh = await submitTask(other, { problem_id: 'new-1' });
    expect((await claimed).body.id).to.equal(fresh);
  });

  it('make a task claimable that was not, and bound how many run', async () => {
    const worker = await TestWorker.register(api, { globs: ['old-*'], parallel: 4 });
    const fresh = await submitTask(api, { problem_id: 'new-1' });
    const reason = async () => (await api.call('GET', `/api/v1/tasks/${fresh}`)).body.reason as string;
    await eventually(async () => (await reason()) === 'unclaimable');
    await worker.heartbeat(to(['new-*'], 1));
    await eventually(async () => (await reason()) === 'ready');
    await submitTask(api, { problem_id: 'new-2' });
    expect((await worker.claim()).body.id).to.equal(fresh);
    expect((await worker.claim()).status).to.equal(204);
  });

  it('are refused of a session that has ended, and where they do not fit', async () => {
    const worker = await TestWorker.register(api, { globs: ['old-*'] });
    expect((await worker.heartbeat({ capabilities: { supported_problems: ['a b'] } })).status).to.equal(422);
    await worker.leave();
    expect((await worker.heartbeat(to(['new-*']))).body.code).to.equal('session_ended');
    expect((await api.call('GET', `/api/v1/workers/${worker.id}`)).body.capabilities.supported_problems).to.deep.equal(['old-*']);
  });
});
