import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('workers', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50' });
  });
  afterEach(() => api.stop());

  it('registers with an id and without, and lists', async () => {
    const named = await TestWorker.register(api, { id: 'worker-002-kind', backend: 'gpu' });
    const first = await TestWorker.register(api);
    const third = await TestWorker.register(api);
    expect([named.id, first.id, third.id]).to.deep.equal(['worker-002-kind', 'worker-001-kind', 'worker-003-kind']);
    await first.leave();
    expect((await TestWorker.register(api)).id).to.equal('worker-001-kind');
    const all = await api.call('GET', '/api/v1/workers');
    expect(all.body.total).to.equal(3);
    expect(all.body.workers.map((worker: { id: string }) => worker.id)).to.deep.equal(['worker-001-kind', 'worker-002-kind', 'worker-003-kind']);
    expect((await api.call('GET', '/api/v1/workers?backend_type=gpu')).body.workers.map((worker: { id: string }) => worker.id)).to.deep.equal(['worker-002-kind']);
    expect((await api.call('GET', '/api/v1/workers?status=offline')).body.total).to.equal(0);
    const page = await api.call('GET', '/api/v1/workers?limit=2');
    expect((await api.call('GET', `/api/v1/workers?limit=2&cursor=${page.body.next_cursor}`)).body.workers).to.have.length(1);
  });

  it('gives simultaneous registrations different ids', async () => {
    const workers = await Promise.all(Array.from({ length: 12 }, () => TestWorker.register(api)));
    expect(new Set(workers.map((worker) => worker.id)).size).to.equal(12);
  });

  it('refuses registrations that do not fit', async () => {
    for (const body of [{}, { backend_type: 'kind', worker_id: 'worker-1-kind' }, { backend_type: 'kind', capabilities: { max_parallel_tasks: 0 } },
      { backend_type: 'kind', capabilities: { supported_problems: ['a b'] } }, { backend_type: 'kind', metadata: { text: 'x'.repeat(20_000) } }]) {
      expect((await api.call('POST', '/api/v1/workers/register', body)).status).to.equal(422);
    }
  });

  it('answers 404 for workers that are not there', async () => {
    const path = '/api/v1/workers/worker-999-kind';
    for (const [method, suffix, body] of [['GET', ''], ['GET', '/stats'], ['DELETE', ''], ['POST', '/heartbeat', {}], ['POST', '/claim'],
      ['POST', `/tasks/${UNKNOWN}/complete`, {}], ['POST', `/tasks/${UNKNOWN}/fail`, { error: 'x' }], ['POST', `/tasks/${UNKNOWN}/release`],
      ['POST', `/tasks/${UNKNOWN}/logs`, { entries: [{ message: 'x' }] }]] as [string, string, unknown?][]) {
      const answer = await api.call(method, `${path}${suffix}`, body);
      expect(answer.body.code, `${method} ${suffix}`).to.equal('worker_not_found');
    }
    expect((await api.call('GET', '/api/v1/workers/nobody')).status).to.equal(422);
  });

  it('claims by priority, then age', async () => {
    const ids = [await submitTask(api, { priority: 1 }), await submitTask(api, { priority: 9 }), await submitTask(api, { priority: 9 }), await submitTask(api, { priority: 0 })];
    const worker = await TestWorker.register(api, { parallel: 4 });
    const claimed: string[] = [];
    for (let n = 0; n < 4; n++) claimed.push((await worker.claim()).body.id as string);
    expect(claimed).to.deep.equal([ids[1], ids[2], ids[0], ids[3]]);
  });

  it('never gives a task to two workers, nor a worker more than it may run', async () => {
    const total = 40;
    await Promise.all(Array.from({ length: total }, () => submitTask(api)));
    const workers = await Promise.all(Array.from({ length: 5 }, () => TestWorker.register(api, { parallel: 6 })));
    const answers = await Promise.all(workers.flatMap((worker) => Array.from({ length: 10 }, () => worker.claim())));
    const claimed = answers.filter((answer) => answer.status === 200).map((answer) => answer.body as { id: string; worker_id: string });
    expect(new Set(claimed.map((task) => task.id)).size).to.equal(claimed.length);
    for (const worker of workers) expect(claimed.filter((task) => task.worker_id === worker.id).length).to.be.at.most(6);
    for (const worker of workers) {
      while ((await worker.claim()).status === 200);
      expect((await api.call('GET', `/api/v1/workers/${worker.id}`)).body).to.include({ running_tasks: 6, status: 'busy' });
    }
  });

  it('gives a worker only what it fits, also behind many that it does not', async () => {
    await api.db.executeQuery((await import('kysely')).sql`
      with t as (
        insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at)
        select uuid_v7(now() - interval '1 hour' + n * interval '1 millisecond'), 'other-' || n % 50, '{}', 9, 60, 1, 3, now() - interval '1 hour'
          from generate_series(1, 2000) n returning *)
      insert into queue (task_id, problem_id, backend_type, priority, rank, state, timeout_seconds, max_attempts, max_lost, updated_at)
      select id, problem_id, '', priority, 0, 'pending', 60, 1, 3, created_at from t`.compile(api.db));
    const gpuOnly = await submitTask(api, { problem_id: 'test-x', backend_type: 'gpu', priority: 3 });
    const low = await submitTask(api, { problem_id: 'test-y', priority: 2 });
    const high = await submitTask(api, { problem_id: 'test-z', priority: 4 });
    const kind = await TestWorker.register(api, { globs: ['test-?'], parallel: 5 });
    expect((await kind.claim()).body.id).to.equal(high);
    expect((await kind.claim()).body.id).to.equal(low);
    expect((await kind.claim()).status).to.equal(204);
    const gpu = await TestWorker.register(api, { globs: ['test-*'], backend: 'gpu' });
    expect((await gpu.claim()).body.id).to.equal(gpuOnly);
    const none = await TestWorker.register(api, { globs: ['nothing-*', 'other_1'] });
    expect((await none.claim()).status).to.equal(204);
  });

  it('gives a repeated claim the same task', async () => {
    const ids = [await submitTask(api), await submitTask(api)];
    const worker = await TestWorker.register(api, { parallel: 2 });
    const answers = await Promise.all(Array.from({ length: 4 }, () => worker.claim({ request_id: 'one' })));
    expect(answers.map((answer) => answer.body.id)).to.deep.equal([ids[0], ids[0], ids[0], ids[0]]);
    expect((await worker.claim({ request_id: 'two' })).body.id).to.equal(ids[1]);
  });

  it('answers a waiting claim when a task arrives, on any replica', async () => {
    const other = await api.replica();
    const worker = await TestWorker.register(api, { globs: ['test-*'], parallel: 3 });
    const first = worker.claim({ wait_seconds: 20 });
    await submitTask(api, { problem_id: 'unfit' });
    const id = await submitTask(api);
    expect((await first).body.id).to.equal(id);
    const second = fetch(`${other.url}/api/v1/workers/${worker.id}/claim`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ wait_seconds: 20 }),
    });
    const next = await submitTask(api);
    expect(((await (await second).json()) as { id: string }).id).to.equal(next);
    expect((await worker.claim({ wait_seconds: 0.05 })).status).to.equal(204);
  });

  it('does not look again for what was found to be nothing, until something is heard of', async () => {
    const worker = await TestWorker.register(api, { parallel: 3 });
    const other = await TestWorker.register(api, { parallel: 3 });
    expect((await worker.claim({ wait_seconds: 0.05 })).status).to.equal(204);
    const seen = async (): Promise<string> => (await api.call('GET', `/api/v1/workers/${other.id}`)).body.last_heartbeat as string;
    const before = await seen();
    await api.db.transaction().execute(async (transaction) => {
      // A claim reads this table, so one that looked would hang.
      await sql`lock table dependencies in access exclusive mode`.execute(transaction);
      expect((await other.claim({ wait_seconds: 0.5 })).status).to.equal(204);
      // Its lease is renewed all the same.
      await eventually(async () => (await seen()) > before);
    });
    const waiting = other.claim({ wait_seconds: 20 });
    const id = await submitTask(api);
    expect((await waiting).body.id).to.equal(id);
  });

  it('gives a repeated claim the same task, and a superseded session none, also where there is nothing new', async () => {
    const worker = await TestWorker.register(api, { parallel: 3 });
    const id = await submitTask(api);
    expect((await worker.claim({ request_id: 'one', wait_seconds: 20 })).body.id).to.equal(id);
    expect((await worker.claim({ request_id: 'two', wait_seconds: 0.05 })).status).to.equal(204);
    expect((await worker.claim({ request_id: 'one', wait_seconds: 20 })).body.id).to.equal(id);
    const again = await TestWorker.register(api, { id: worker.id, parallel: 3 });
    expect((await again.claim()).body.id).to.equal(id);
    expect((await again.claim({ wait_seconds: 0.05 })).status).to.equal(204);
    expect((await worker.claim({ wait_seconds: 20 })).status).to.equal(409);
  });

  it('does not give a task to a waiting claim whose caller has gone', async () => {
    const worker = await TestWorker.register(api);
    const gone = new AbortController();
    const waiting = fetch(`${api.url}/api/v1/workers/${worker.id}/claim`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ wait_seconds: 20 }), signal: gone.signal,
    }).catch(() => null);
    // Its lease shows that the claim has reached the database.
    const before = (await api.call('GET', `/api/v1/workers/${worker.id}`)).body.registered_at as string;
    await eventually(async () => ((await api.call('GET', `/api/v1/workers/${worker.id}`)).body.last_heartbeat as string) > before);
    gone.abort();
    await waiting;
    const id = await submitTask(api);
    const other = await TestWorker.register(api);
    expect((await eventually(async () => {
      const answer = await other.claim();
      return answer.status === 200 && answer;
    })).body.id).to.equal(id);
  });

  it('fences a session that was superseded, and takes its tasks back at once', async () => {
    const id = await submitTask(api);
    const old = await TestWorker.register(api, { id: 'worker-007-kind' });
    expect((await old.claim()).body.attempt).to.equal(1);
    const fresh = await TestWorker.register(api, { id: 'worker-007-kind' });
    expect((await api.call('GET', `/api/v1/tasks/${id}`)).body).to.include({ status: 'pending', worker_id: null, attempt: 1 });
    for (const answer of [await old.heartbeat(), await old.claim(), await old.report('complete', id, {}, 1), await old.leave()]) {
      expect(answer.status).to.equal(409);
      expect(answer.body.code).to.equal('session_superseded');
    }
    expect((await fresh.claim()).body).to.include({ id, attempt: 2 });
    expect((await old.report('complete', id, {}, 2)).status).to.equal(409);
    expect((await fresh.report('complete', id, { by: 'fresh' }, 2)).body).to.include({ status: 'completed' });
  });

  it('hands tasks back when a worker leaves, without using an attempt up', async () => {
    const id = await submitTask(api, { max_lost: 1 });
    const worker = await TestWorker.register(api);
    await worker.claim();
    expect((await worker.leave()).status).to.equal(204);
    expect((await worker.leave()).status).to.equal(204);
    expect((await api.call('GET', `/api/v1/tasks/${id}`)).body).to.include({ status: 'pending', attempt: 1 });
    expect((await api.call('GET', `/api/v1/workers/${worker.id}`)).body).to.include({ status: 'offline', current_task_id: null });
    expect((await worker.heartbeat()).body.code).to.equal('session_ended');
    expect((await worker.claim()).body.code).to.equal('session_ended');
  });

  it('tells a worker with its heartbeat what to stop', async () => {
    const worker = await TestWorker.register(api, { parallel: 3 });
    const [kept, cancelled, foreign] = [await submitTask(api), await submitTask(api), await submitTask(api)];
    for (let n = 0; n < 3; n++) await worker.claim();
    await api.call('POST', `/api/v1/tasks/${cancelled}/cancel`);
    await worker.report('release', foreign, undefined);
    const { body } = await worker.heartbeat({ status: 'busy', attempts: [kept, cancelled, foreign].map((task_id) => ({ task_id, attempt: 1 })) });
    expect(body.directives).to.deep.equal({
      cancel: [{ task_id: cancelled, attempt: 1, reason: 'cancelled' }],
      lost: [{ task_id: foreign, attempt: 1, reason: 'pending' }],
      drain: false,
    });
    const simple = await worker.heartbeat({ status: 'busy', current_task_id: cancelled });
    expect(simple.body.directives.cancel).to.deep.equal([{ task_id: cancelled, attempt: null, reason: 'cancelled' }]);
    expect((await worker.heartbeat({ status: 'idle', current_task_id: null })).body.directives).to.deep.equal({ cancel: [], lost: [], drain: false });
  });
});

describe('lapsed leases and timeouts', () => {
  it('takes tasks from workers that fall silent, until max_lost', async () => {
    const api = await startTestApi({ SWEEP_INTERVAL_MS: '50' });
    try {
      await api.replica({ SWEEP_INTERVAL_MS: '50' });
      const id = await submitTask(api, { max_lost: 2 });
      for (let attempt = 1; attempt <= 2; attempt++) {
        const worker = await TestWorker.register(api);
        expect((await worker.claim({ wait_seconds: 5 })).body).to.include({ id, attempt });
        await sql`update workers set lease_until = now() where id = ${worker.id}`.execute(api.db);
        expect((await api.call('GET', `/api/v1/workers/${worker.id}`)).body.status).to.equal('offline');
        await eventually(async () => (await api.call('GET', `/api/v1/tasks/${id}`)).body.status !== 'running');
        expect((await worker.heartbeat()).body.code).to.equal('session_ended');
        expect((await worker.report('complete', id, {}, attempt)).status).to.equal(409);
      }
      const { body } = await api.call('GET', `/api/v1/tasks/${id}`);
      expect(body).to.include({ status: 'failed', reason: 'workers_lost', attempt: 2 });
      expect(body.error_details).to.match(/2 attempts were lost/);
    } finally {
      await api.stop();
    }
  });

  it('ends attempts past their timeout, and retries them where asked to', async () => {
    const api = await startTestApi({ SWEEP_INTERVAL_MS: '50' });
    try {
      const worker = await TestWorker.register(api, { parallel: 2 });
      const once = await submitTask(api);
      const twice = await submitTask(api, { retry: { max_attempts: 2, initial_seconds: 0 } });
      await worker.claim();
      await worker.claim();
      await sql`update queue set deadline_at = now()`.execute(api.db);
      const ended = await eventually(async () => {
        const { body } = await api.call('GET', `/api/v1/tasks/${once}`);
        return body.status === 'timeout' && body;
      });
      expect(ended).to.include({ reason: 'timed_out', worker_id: worker.id, result: null });
      expect((await worker.report('complete', once, {}, 1)).body).to.include({ code: 'attempt_not_held', task_status: 'timeout' });
      await eventually(async () => (await api.call('GET', `/api/v1/tasks/${twice}`)).body.status === 'pending');
      const { body } = await worker.heartbeat({ attempts: [{ task_id: once, attempt: 1 }] });
      expect(body.directives.cancel).to.deep.equal([{ task_id: once, attempt: 1, reason: 'timeout' }]);
      expect((await worker.claim()).body).to.include({ id: twice, attempt: 2 });
    } finally {
      await api.stop();
    }
  });
});
