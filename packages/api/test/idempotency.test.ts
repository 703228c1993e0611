/** Idempotency keys on every call that creates, and deduplication of tasks that have not ended. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type Caller, type TestApi } from './support/api.js';

describe('idempotency', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    // Fewer connections than callers: whoever waits for another's key must not need a second one.
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', GENERAL_POOL_SIZE: '3', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 1000, globs: ['run-*'] });
  });
  after(() => api.stop());

  let keys = 0;
  const newKey = (): string => `key-${++keys}`;
  const keyed = (by: Caller, path: string, key: string, body?: unknown): Promise<Answer> => by.call('POST', path, body, { 'idempotency-key': key });
  const totalTasks = async (): Promise<number> => (await api.call('GET', '/api/v1/tasks')).body.total as number;
  async function endedTask(): Promise<string> {
    const id = await submitTask(api);
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    return id;
  }
  async function endedWorkflow(): Promise<string> {
    const { body } = await api.call('POST', '/api/v1/workflows', { tasks: [{ name: 'a', problem_id: 'test' }] });
    await api.call('POST', `/api/v1/workflows/${body.id}/cancel`);
    return body.id as string;
  }

  let limits = 0;
  const creations: [string, () => Promise<string> | string, () => unknown, unknown][] = [
    ['a task', () => '/api/v1/tasks', () => ({ problem_id: 'test-a', parameters: { b: 1, a: 2 } }), { problem_id: 'test-a', parameters: { b: 1, a: 3 } }],
    ['a batch', () => '/api/v1/tasks/batch', () => ({ tasks: [{ problem_id: 'test-a' }, { problem_id: 'test-b' }] }), { tasks: [{ problem_id: 'test-a' }] }],
    ['a workflow', () => '/api/v1/workflows', () => ({ tasks: [{ name: 'a', problem_id: 'w' }, { name: 'b', problem_id: 'w', depends_on: ['a'] }] }), { tasks: [{ name: 'a', problem_id: 'w' }] }],
    ['a schedule', () => '/api/v1/schedules', () => ({ cron: '0 0 1 1 *', task: { problem_id: 'test-a' } }), { cron: '0 0 2 1 *', task: { problem_id: 'test-a' } }],
    ['a bulk operation', () => '/api/v1/bulk-operations', () => ({ action: 'cancel', filter: { problem_id: 'nothing' } }), { action: 'retry', filter: { problem_id: 'nothing' } }],
    ['a limit', () => '/api/v1/limits', () => ({ key: 'label:idem', value: `v${++limits}`, max_running: 5 }), { key: 'label:idem', value: 'other', max_running: 5 }],
    ['a retry of a task', async () => `/api/v1/tasks/${await endedTask()}/retry`, () => undefined, undefined],
    ['a retry of a workflow', async () => `/api/v1/workflows/${await endedWorkflow()}/retry`, () => undefined, undefined],
  ];
  for (const [name, pathOf, bodyOf, other] of creations) {
    it(`creates ${name} once for a key, and gives the same answer for ever`, async () => {
      const [path, body, key] = [await pathOf(), bodyOf(), newKey()];
      const first = await keyed(api, path, key, body);
      expect(first.status).to.be.oneOf([201, 202]);
      expect(first.headers).to.not.have.property('idempotency-replayed');
      const before = await totalTasks();
      for (let n = 0; n < 3; n++) {
        const again = await keyed(api, path, key, body);
        expect(again.status).to.equal(first.status);
        expect(again.body).to.deep.equal(first.body);
        expect(again.headers.location).to.equal(first.headers.location);
        expect(again.headers['idempotency-replayed']).to.equal('true');
      }
      expect(await totalTasks()).to.equal(before);
      if (other !== undefined) expect((await keyed(api, path, key, other)).body.code).to.equal('idempotency_key_reused');
      const elsewhere = path === '/api/v1/tasks' ? '/api/v1/tasks/batch' : '/api/v1/tasks';
      const foreign = elsewhere.endsWith('batch') ? { tasks: [{ problem_id: 'x' }] } : { problem_id: 'x' };
      expect((await keyed(api, elsewhere, key, foreign)).status).to.equal(422);
    });

    it(`creates ${name} once for simultaneous requests with a key, at two replicas`, async () => {
      const replica = await api.replica({ GENERAL_POOL_SIZE: '2' });
      const [path, body, key] = [await pathOf(), bodyOf(), newKey()];
      const answers = await Promise.all(Array.from({ length: 12 }, (_one, n) => keyed(n % 2 === 0 ? api : replica, path, key, body)));
      for (const answer of answers) {
        expect(answer.status).to.be.oneOf([201, 202]);
        expect(answer.body).to.deep.equal(answers[0]?.body);
      }
      expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).to.have.length(1);
      await replica.stop();
    });
  }

  it('takes bodies as equal whatever the order of their keys', async () => {
    const key = newKey();
    const first = await keyed(api, '/api/v1/tasks', key, '{"problem_id": "test-a", "parameters": {"x": 1, "y": {"a": 1.0, "b": 2}}}');
    const again = await keyed(api, '/api/v1/tasks', key, '{"parameters": {"y": {"b": 2, "a": 1}, "x": 1}, "problem_id": "test-a"}');
    expect(again.body).to.deep.equal(first.body);
  });

  it('keeps no key of a request that was refused', async () => {
    const key = newKey();
    const body = { problem_id: 'test-a', depends_on: ['0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01'] };
    expect((await keyed(api, '/api/v1/tasks', key, body)).status).to.equal(422);
    expect((await keyed(api, '/api/v1/tasks', key, { problem_id: 'test-a' })).status).to.equal(201);
    const running = await submitTask(api);
    const retryKey = newKey();
    expect((await keyed(api, `/api/v1/tasks/${running}/retry`, retryKey)).status).to.equal(409);
    await api.call('POST', `/api/v1/tasks/${running}/cancel`);
    expect((await keyed(api, `/api/v1/tasks/${running}/retry`, retryKey)).status).to.equal(201);
  });

  it('refuses keys that are no keys', async () => {
    for (const key of ['', 'x'.repeat(256), 'a b']) {
      expect((await keyed(api, '/api/v1/tasks', key, { problem_id: 'a' })).status, key).to.equal(422);
    }
  });

  it('serves keyed and other submissions side by side with few connections', async () => {
    const before = await totalTasks();
    const answers = await Promise.all(Array.from({ length: 40 }, (_one, n) => (n % 2 === 0
      ? keyed(api, '/api/v1/tasks', newKey(), { problem_id: 'many' }) : api.call('POST', '/api/v1/tasks', { problem_id: 'many', reuse: { max_age_seconds: 0 }, parameters: { n } }))));
    for (const answer of answers) expect(answer.status).to.equal(201);
    expect(await totalTasks()).to.equal(before + 40);
  });

  describe('dedupe_key', () => {
    it('gives the task that has not ended, and makes a new one afterwards', async () => {
      const submission = { problem_id: 'run-dedupe', dedupe_key: 'nightly ä' };
      const first = await api.call('POST', '/api/v1/tasks', submission);
      expect(first.body.dedupe_key).to.equal('nightly ä');
      const second = await api.call('POST', '/api/v1/tasks', { ...submission, parameters: { other: true }, priority: 9 });
      expect(second.status).to.equal(200);
      expect(second.headers.location).to.equal(first.headers.location);
      expect(second.body).to.deep.include({ id: first.body.id, parameters: {}, priority: 5 });
      expect((await worker.claim()).body.id).to.equal(first.body.id);
      expect((await api.call('POST', '/api/v1/tasks', submission)).body).to.include({ id: first.body.id, status: 'running' });
      await worker.report('complete', first.body.id as string, {});
      const third = await api.call('POST', '/api/v1/tasks', submission);
      expect(third.status).to.equal(201);
      expect(third.body.id).to.not.equal(first.body.id);
      const retried = await api.call('POST', `/api/v1/tasks/${first.body.id}/retry`);
      expect([retried.status, retried.body.id]).to.deep.equal([200, third.body.id]);
      await api.call('POST', `/api/v1/tasks/${third.body.id}/cancel`);
      expect((await api.call('POST', `/api/v1/tasks/${first.body.id}/retry`)).body).to.include({ dedupe_key: 'nightly ä', retry_of: first.body.id });
    });

    it('makes one task of simultaneous submissions', async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => api.call('POST', '/api/v1/tasks', { problem_id: 'test-d', dedupe_key: 'same' })));
      expect(new Set(answers.map(({ body }) => body.id as string)).size).to.equal(1);
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      expect(answers.filter(({ status }) => status === 200)).to.have.length(29);
    });

    it('answers a replayed 200 with 200', async () => {
      const key = newKey();
      const first = await api.call('POST', '/api/v1/tasks', { problem_id: 'test-d', dedupe_key: 'replay' });
      const second = await keyed(api, '/api/v1/tasks', key, { problem_id: 'test-d', dedupe_key: 'replay' });
      expect([second.status, second.body.id]).to.deep.equal([200, first.body.id]);
      await api.call('POST', `/api/v1/tasks/${first.body.id}/cancel`);
      const third = await keyed(api, '/api/v1/tasks', key, { problem_id: 'test-d', dedupe_key: 'replay' });
      expect([third.status, third.body.id, third.body.status]).to.deep.equal([200, first.body.id, 'pending']);
    });

    it('refuses keys of too many bytes', async () => {
      for (const dedupe of ['', 'ä'.repeat(200)]) {
        expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', dedupe_key: dedupe })).status).to.equal(422);
      }
    });
  });

  describe('batches', () => {
    it('stores a thousand in their order, or none', async () => {
      const before = await totalTasks();
      const tasks = Array.from({ length: 1000 }, (_one, n) => ({ problem_id: 'batch', parameters: { n } }));
      const created = await api.call('POST', '/api/v1/tasks/batch', { tasks });
      expect(created.status).to.equal(201);
      expect(created.body.created).to.equal(1000);
      const ids = created.body.tasks.map(({ id }: { id: string }) => id) as string[];
      expect([...ids].sort()).to.deep.equal(ids);
      expect((await readTask(api, ids[999] ?? '')).parameters).to.deep.equal({ n: 999 });
      expect(await totalTasks()).to.equal(before + 1000);
      for (const bad of [{ problem_id: 'batch', depends_on: ['0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01'] }, { problem_id: 'no good' },
        { problem_id: 'batch', run_at: '2030-01-01T00:00:00Z', delay_seconds: 1 }]) {
        expect((await api.call('POST', '/api/v1/tasks/batch', { tasks: [...tasks.slice(0, 10), bad] })).status).to.equal(422);
      }
      expect((await api.call('POST', '/api/v1/tasks/batch', { tasks: [] })).status).to.equal(422);
      expect((await api.call('POST', '/api/v1/tasks/batch', { tasks: [...tasks, tasks[0]] })).status).to.equal(422);
      expect(await totalTasks()).to.equal(before + 1000);
    });

    it('takes keys of items, alone and in other batches', async () => {
      const [one, two, three] = [newKey(), newKey(), newKey()];
      const first = await api.call('POST', '/api/v1/tasks/batch', { tasks: [{ problem_id: 'item', idempotency_key: one }, { problem_id: 'item', idempotency_key: two }] });
      const second = await api.call('POST', '/api/v1/tasks/batch', {
        tasks: [{ problem_id: 'item', idempotency_key: three }, { problem_id: 'item', idempotency_key: two }, { problem_id: 'item' }],
      });
      expect(second.body.created).to.equal(2);
      expect(second.body.tasks[1]).to.deep.equal({ id: first.body.tasks[1].id, created: false });
      const before = await totalTasks();
      const all = await api.call('POST', '/api/v1/tasks/batch', { tasks: [{ problem_id: 'item', idempotency_key: one }, { problem_id: 'item', idempotency_key: three }] });
      expect(all.body).to.deep.equal({ created: 0, tasks: [{ id: first.body.tasks[0].id, created: false }, { id: second.body.tasks[0].id, created: false }] });
      const reused = await api.call('POST', '/api/v1/tasks/batch', { tasks: [{ problem_id: 'item' }, { problem_id: 'other', idempotency_key: one }] });
      expect(reused.body.code).to.equal('idempotency_key_reused');
      expect(reused.body.detail).to.contain('tasks[1]');
      const twice = await api.call('POST', '/api/v1/tasks/batch', { tasks: [{ problem_id: 'item', idempotency_key: 'k' }, { problem_id: 'item', idempotency_key: 'k' }] });
      expect(twice.body.code).to.equal('validation_failed');
      expect(await totalTasks()).to.equal(before);
    });

    it('creates each keyed item once in simultaneous batches that overlap', async () => {
      const shared = Array.from({ length: 20 }, newKey);
      const answers = await Promise.all(Array.from({ length: 8 }, (_one, n) => {
        const order = n % 2 === 0 ? shared : [...shared].reverse();
        return api.call('POST', '/api/v1/tasks/batch', { tasks: order.map((key) => ({ problem_id: 'overlap', idempotency_key: key })) });
      }));
      expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 8 }, () => 201));
      expect(answers.reduce((sum, { body }) => sum + (body.created as number), 0)).to.equal(20);
      expect(new Set(answers.flatMap(({ body }) => body.tasks.map(({ id }: { id: string }) => id) as string[])).size).to.equal(20);
    });

    it('dedupes within a batch and against the queue', async () => {
      const earlier = await submitTask(api, { dedupe_key: 'batch-1' });
      const { body } = await api.call('POST', '/api/v1/tasks/batch', { tasks: [
        { problem_id: 'x', dedupe_key: 'batch-1' }, { problem_id: 'x', dedupe_key: 'batch-2' }, { problem_id: 'y', dedupe_key: 'batch-2' }, { problem_id: 'x' }, { problem_id: 'x' },
      ] });
      expect(body.created).to.equal(3);
      expect(body.tasks.map(({ created }: { created: boolean }) => created)).to.deep.equal([false, true, false, true, true]);
      expect(body.tasks[0].id).to.equal(earlier);
      expect(body.tasks[2].id).to.equal(body.tasks[1].id);
    });
  });

  it('leaves every task with exactly one place', async () => {
    const { rows } = await sql`
      select t.id from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
       where (q.task_id is null) = (o.task_id is null)`.execute(api.db);
    expect(rows).to.deep.equal([]);
  });
});
