/** A dedupe_key whose task has expired and waits for the sweep: it is free, and a submission with it is a new task. */
import { expect } from 'chai';
import { readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { NO_SWEEPS } from './support/sweeper.js';
import { moveTime } from './model/time.js';

describe('a dedupe_key whose task has expired', () => {
  let api: TestApi;
  let tests = 0;
  let submission: Record<string, unknown>;
  before(async () => {
    api = await startTestApi({}, NO_SWEEPS);
  });
  beforeEach(() => {
    submission = { problem_id: 'twin', dedupe_key: `key-${++tests}` };
  });
  after(() => api.stop());

  /** A task with the key that has expired; nobody sweeps. */
  async function expired(more: Record<string, unknown> = {}): Promise<string> {
    const id = await submitTask(api, { ...submission, expires_at: '2100-01-01T00:00:00Z', ...more });
    await moveTime(api.db, 'expire', id);
    return id;
  }

  it('is free: the task ends as expired, and what depends on it is told', async () => {
    const old = await expired();
    const child = await submitTask(api, { problem_id: 'child', depends_on: [old] });
    const answer = await api.call('POST', '/api/v1/tasks', submission);
    expect([answer.status, answer.body.status]).to.deep.equal([201, 'pending']);
    expect(answer.body.id).to.not.equal(old);
    expect(await readTask(api, old)).to.include({ status: 'timeout', reason: 'expired' });
    expect(await readTask(api, child)).to.include({ status: 'cancelled', reason: 'dependency_failed' });
    expect((await api.call('POST', '/api/v1/tasks', submission)).body.id, 'the key is that of the new task').to.equal(answer.body.id);
  });

  it('is free for a batch, a submission under a key and a retry, too', async () => {
    const first = await expired();
    const batch = await api.call('POST', '/api/v1/tasks/batch', { tasks: [submission, submission] });
    expect(batch.body).to.deep.include({ created: 1 });
    const [{ id: second }] = batch.body.tasks as [{ id: string }];
    await api.call('POST', `/api/v1/tasks/${second}/cancel`);
    const third = await expired();
    const keyed = await api.call('POST', '/api/v1/tasks', submission, { 'idempotency-key': 'twin' });
    expect(keyed.status).to.equal(201);
    await api.call('POST', `/api/v1/tasks/${keyed.body.id}/cancel`);
    const fifth = await expired();
    const retry = await api.call('POST', `/api/v1/tasks/${second}/retry`);
    expect([retry.status, retry.body.retry_of]).to.deep.equal([201, second]);
    for (const id of [first, third, fifth]) expect((await readTask(api, id)).reason).to.equal('expired');
  });

  it('stays with it where the submission is refused', async () => {
    const old = await expired();
    const refused = await api.call('POST', '/api/v1/tasks', { ...submission, depends_on: ['0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01'] });
    expect([refused.status, (await readTask(api, old)).status]).to.deep.equal([422, 'pending']);
  });

  it('is taken where the task has begun once, and so does not expire', async () => {
    const worker = await TestWorker.register(api, { globs: ['twin'] });
    const id = await submitTask(api, { ...submission, priority: 10, expires_at: '2100-01-01T00:00:00Z', retry: { max_attempts: 2, initial_seconds: 600 } });
    expect((await worker.claim()).body.id).to.equal(id);
    await worker.report('fail', id, { error: 'x' });
    await moveTime(api.db, 'expire', id);
    const answer = await api.call('POST', '/api/v1/tasks', submission);
    expect([answer.status, answer.body.id, answer.body.reason]).to.deep.equal([200, id, 'backing_off']);
  });
});
