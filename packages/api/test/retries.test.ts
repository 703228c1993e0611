/** Retries: automatic ones as attempts of a task, asked-for ones as new tasks, and what comes too late for either. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

interface AttemptShown {
  attempt: number;
  outcome: string | null;
  late: Record<string, unknown> | null;
}

describe('retries', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50' });
  });
  after(() => api.stop());
  beforeEach(async () => {
    worker = await TestWorker.register(api, { parallel: 100 });
  });
  afterEach(async () => {
    // What a test leaves must not be claimed by the next one.
    await worker.leave();
    const { rows } = await sql<{ id: string }>`select task_id as id from queue`.execute(api.db);
    for (const { id } of rows) await api.call('POST', `/api/v1/tasks/${id}/cancel`);
  });

  /** Lets the wait of every task be over. */
  const letTimePass = (): Promise<unknown> => sql`update queue set available_at = now() where state = 'waiting' and blockers = 0`.execute(api.db);
  const attemptsOf = async (id: string, query = ''): Promise<AttemptShown[]> => {
    const answer = await api.call('GET', `/api/v1/tasks/${id}/attempts${query}`);
    expect(answer.status).to.equal(200);
    return answer.body.attempts as AttemptShown[];
  };
  /** Claims until the task comes. */
  const claimTask = (by: TestWorker, id: string): Promise<number> => eventually(async () => {
    const answer = await by.claim();
    if (answer.status === 204) return null;
    expect(answer.body.id).to.equal(id);
    return answer.body.attempt as number;
  });

  /** Between which seconds from its failure the task may begin again. */
  async function waitOf(id: string): Promise<number> {
    const { rows } = await sql<{ seconds: number }>`
      select extract(epoch from available_at - updated_at)::float8 as seconds from queue where task_id = ${id}::uuid`.execute(api.db);
    return rows[0]?.seconds ?? NaN;
  }

  it('waits longer after each failure, up to the bound, and then fails', async () => {
    const retry = { max_attempts: 5, initial_seconds: 10, factor: 3, max_seconds: 60, jitter: 0 };
    const id = await submitTask(api, { retry });
    expect((await readTask(api, id)).retry).to.deep.equal(retry);
    for (const [n, seconds] of [10, 30, 60, 60].entries()) {
      expect(await claimTask(worker, id)).to.equal(n + 1);
      const failed = await worker.report('fail', id, { error: `failure ${n + 1}` }, n + 1);
      expect(failed.body).to.include({ status: 'pending', reason: 'backing_off', worker_id: null, attempt: n + 1, error_details: null });
      expect(Date.parse(failed.body.run_at as string)).to.be.greaterThan(Date.parse(failed.body.updated_at as string));
      expect(await waitOf(id)).to.be.closeTo(seconds, 0.01);
      expect((await worker.claim()).status).to.equal(204);
      await letTimePass();
    }
    await claimTask(worker, id);
    const last = await worker.report('fail', id, { error: 'failure 5' }, 5);
    expect(last.body).to.include({ status: 'failed', reason: 'task_failed', attempt: 5, error_details: 'failure 5', worker_id: worker.id });
    const attempts = await attemptsOf(id);
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).to.deep.equal([1, 2, 3, 4, 5].map((n) => [n, 'failed']));
  });

  for (const factor of [1.05, 100]) {
    it(`waits ${factor} times as long after each of as many failures as there may be, up to the bound`, async () => {
      const id = await submitTask(api, { retry: { max_attempts: 100, initial_seconds: 1, factor, max_seconds: 604_800, jitter: 0 } });
      for (let n = 0; n < 99; n++) {
        const attempt = await claimTask(worker, id);
        await worker.report('fail', id, { error: 'x' }, attempt);
        expect(await waitOf(id), `after failure ${n + 1}`).to.be.closeTo(Math.min(factor ** n, 604_800), 0.01);
        await letTimePass();
      }
      expect(await claimTask(worker, id)).to.equal(100);
      expect((await worker.report('fail', id, { error: 'x' }, 100)).body).to.include({ status: 'failed', attempt: 100 });
    }).timeout(60_000);
  }

  it('shortens the wait at random by no more than the jitter', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => submitTask(api, {
      retry: { max_attempts: 2, initial_seconds: 100, factor: 2, max_seconds: 1000, jitter: 0.5 },
    })));
    for (;;) {
      const { status, body } = await worker.claim();
      if (status === 204) break;
      await worker.report('fail', body.id as string, { error: 'x' }, 1);
    }
    const waits = await Promise.all(ids.map(waitOf));
    for (const wait of waits) expect(wait).to.be.within(49.9, 100.1);
    expect(new Set(waits.map((wait) => wait.toFixed(2))).size).to.be.greaterThan(10);
  });

  it('counts a timed-out attempt like a failed one', async () => {
    const id = await submitTask(api, { retry: { max_attempts: 3, initial_seconds: 20, factor: 2, max_seconds: 3600, jitter: 0 } });
    await claimTask(worker, id);
    await worker.report('fail', id, { error: 'first' }, 1);
    await letTimePass();
    await claimTask(worker, id);
    await sql`update queue set deadline_at = now() where task_id = ${id}::uuid`.execute(api.db);
    expect(await taskIn(api, id, 'pending')).to.include({ reason: 'backing_off', attempt: 2 });
    expect(await waitOf(id)).to.be.closeTo(40, 0.01);
    await letTimePass();
    await claimTask(worker, id);
    await sql`update queue set deadline_at = now() where task_id = ${id}::uuid`.execute(api.db);
    expect(await taskIn(api, id, 'timeout')).to.include({ reason: 'timed_out', attempt: 3, worker_id: worker.id });
    expect((await attemptsOf(id)).map(({ outcome }) => outcome)).to.deep.equal(['failed', 'timeout', 'timeout']);
  });

  it('takes the word of the worker: not again, or not before', async () => {
    const retry = { max_attempts: 3, initial_seconds: 5, factor: 2, max_seconds: 60, jitter: 0 };
    const hopeless = await submitTask(api, { retry });
    await claimTask(worker, hopeless);
    expect((await worker.report('fail', hopeless, { error: 'no use', retryable: false })).body).to.include({ status: 'failed', attempt: 1 });
    const busy = await submitTask(api, { retry });
    await claimTask(worker, busy);
    await worker.report('fail', busy, { error: 'quota', retry_after_seconds: 500 });
    expect(await waitOf(busy)).to.be.closeTo(500, 0.01);
    await letTimePass();
    await claimTask(worker, busy);
    expect((await worker.report('fail', busy, { error: 'now', retry_after_seconds: 0 })).body).to.include({ status: 'pending', reason: 'ready' });
    expect(await claimTask(worker, busy)).to.equal(3);
    for (const body of [{}, { error: '' , retryable: 'no' }, { error: 'x', retry_after_seconds: -1 }, { error: 'x', retry_after_seconds: 1e9 }]) {
      expect((await worker.report('fail', busy, body)).status, JSON.stringify(body)).to.equal(422);
    }
  });

  it('begins again at once where the task names no wait', async () => {
    const id = await submitTask(api, { retry: { max_attempts: 2, initial_seconds: 0 } });
    await claimTask(worker, id);
    expect((await worker.report('fail', id, { error: 'x' })).body).to.include({ status: 'pending', reason: 'ready' });
    expect(await claimTask(worker, id)).to.equal(2);
  });

  it('refuses rules that make no sense', async () => {
    for (const retry of [{ max_attempts: 0 }, { max_attempts: 101 }, { max_attempts: 2, jitter: 1.1 }, { max_attempts: 2, factor: 0.5 },
      { max_attempts: 2, initial_seconds: -1 }, { max_attempts: 2, max_seconds: 1e9 }, { attempts: 2 }]) {
      expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', retry })).status, JSON.stringify(retry)).to.equal(422);
    }
  });

  it('keeps the log of each attempt apart', async () => {
    const id = await submitTask(api, { retry: { max_attempts: 3, initial_seconds: 0 } });
    for (const attempt of [1, 2, 3]) {
      await claimTask(worker, id);
      for (let n = 0; n < attempt; n++) {
        const stored = await worker.report('logs', id, { offset: n, entries: [{ message: `${attempt}.${n}` }] }, attempt);
        expect(stored.body).to.deep.equal({ accepted: 1, next_offset: n + 1 });
      }
      await worker.report('fail', id, { error: `e${attempt}` }, attempt);
    }
    const logs = async (query: string): Promise<string[]> =>
      (await api.call('GET', `/api/v1/tasks/${id}/logs?${query}`)).body.logs.map((line: { message: string }) => line.message) as string[];
    expect(await logs('')).to.deep.equal(['1.0', '2.0', '2.1', '3.0', '3.1', '3.2']);
    expect(await logs('attempt=2')).to.deep.equal(['2.0', '2.1']);
    expect(await logs('attempt=4')).to.deep.equal([]);
    expect((await api.call('GET', `/api/v1/tasks/${id}/logs?attempt=3&limit=2`)).body).to.include({ total: 3, has_more: true });
    expect((await api.call('GET', `/api/v1/tasks/${id}/logs?attempt=0`)).status).to.equal(422);
  });

  it('pages through attempts, the running one last', async () => {
    const id = await submitTask(api, { retry: { max_attempts: 6, initial_seconds: 0 } });
    for (let n = 1; n <= 4; n++) {
      await claimTask(worker, id);
      await worker.report('fail', id, { error: `e${n}` }, n);
    }
    await claimTask(worker, id);
    const seen: [number, string | null][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await api.call('GET', `/api/v1/tasks/${id}/attempts?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...(body.attempts as AttemptShown[]).map(({ attempt, outcome }): [number, string | null] => [attempt, outcome]));
      cursor = body.next_cursor as string | null;
    }
    expect(seen).to.deep.equal([[1, 'failed'], [2, 'failed'], [3, 'failed'], [4, 'failed'], [5, null]]);
    expect((await api.call('GET', `/api/v1/tasks/${UNKNOWN}/attempts`)).body.code).to.equal('task_not_found');
    for (const query of ['limit=0', 'limit=101', 'cursor=abc']) {
      expect((await api.call('GET', `/api/v1/tasks/${id}/attempts?${query}`)).status, query).to.equal(422);
    }
    expect(await attemptsOf(await submitTask(api))).to.deep.equal([]);
  });

  it('keeps what is reported too late on its attempt, and changes nothing else', async () => {
    const id = await submitTask(api, { retry: { max_attempts: 3, initial_seconds: 0 } });
    await claimTask(worker, id);
    await sql`update queue set deadline_at = now() where task_id = ${id}::uuid`.execute(api.db);
    await taskIn(api, id, 'pending');
    expect((await worker.report('complete', id, { answer: 42 }, 1)).body).to.include({ code: 'attempt_not_held', task_status: 'pending', current_attempt: 1 });
    expect((await worker.report('complete', id, { answer: 43 }, 1)).status).to.equal(409);
    await claimTask(worker, id);
    expect((await worker.report('fail', id, { error: 'late again' }, 1)).status).to.equal(409);
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    expect((await worker.report('fail', id, { error: 'too late' }, 2)).status).to.equal(409);
    const [first, second] = await attemptsOf(id);
    expect(first).to.deep.include({ attempt: 1, outcome: 'timeout' });
    expect(first?.late).to.deep.include({ outcome: 'completed', result: { answer: 42 }, error_details: null });
    expect(second).to.deep.include({ attempt: 2, outcome: 'cancelled' });
    expect(second?.late).to.deep.include({ outcome: 'failed', result: null, error_details: 'too late' });
    expect(await readTask(api, id)).to.deep.include({ status: 'cancelled', result: null, attempt: 2 });
  });

  it('keeps a late result also for a client that names neither session nor attempt', async () => {
    const id = await submitTask(api);
    await claimTask(worker, id);
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    const path = `/api/v1/workers/${worker.id}/tasks/${id}/complete`;
    expect((await api.call('POST', path, { simple: true })).body.code).to.equal('attempt_not_held');
    expect((await attemptsOf(id))[0]?.late).to.deep.include({ outcome: 'completed', result: { simple: true } });
    const other = await TestWorker.register(api);
    const foreign = await submitTask(api);
    await claimTask(worker, foreign);
    await api.call('POST', `/api/v1/tasks/${foreign}/cancel`);
    expect((await other.report('complete', foreign, { stolen: true })).status).to.equal(409);
    expect((await attemptsOf(foreign))[0]?.late).to.equal(null);
    await other.leave();
  });

  it('keeps the late result of a lost attempt while another worker runs the task', async () => {
    const id = await submitTask(api);
    const lost = await TestWorker.register(api);
    await claimTask(lost, id);
    await sql`update workers set lease_until = now() where id = ${lost.id}`.execute(api.db);
    await taskIn(api, id, 'pending');
    expect(await claimTask(worker, id)).to.equal(2);
    expect((await lost.report('complete', id, { from: 'lost' }, 1)).body.code).to.equal('attempt_not_held');
    expect((await worker.report('complete', id, { from: 'second' }, 2)).body.result).to.deep.equal({ from: 'second' });
    const attempts = await attemptsOf(id);
    expect(attempts.map(({ outcome }) => outcome)).to.deep.equal(['lost', 'completed']);
    expect(attempts[0]?.late).to.deep.include({ result: { from: 'lost' } });
    expect(attempts[1]?.late).to.equal(null);
  });

  it('ends a task that takes its workers with it', async () => {
    const id = await submitTask(api, { max_lost: 2, retry: { max_attempts: 5, initial_seconds: 0 } });
    for (const attempt of [1, 2]) {
      const victim = await TestWorker.register(api);
      expect(await claimTask(victim, id)).to.equal(attempt);
      await sql`update workers set lease_until = now() where id = ${victim.id}`.execute(api.db);
      await eventually(async () => (await readTask(api, id)).status !== 'running');
    }
    expect(await readTask(api, id)).to.include({ status: 'failed', reason: 'workers_lost', attempt: 2 });
    expect((await attemptsOf(id)).map(({ outcome }) => outcome)).to.deep.equal(['lost', 'lost']);
  });

  it('counts lost attempts apart from failed ones, and released ones not at all', async () => {
    const id = await submitTask(api, { max_lost: 2, retry: { max_attempts: 2, initial_seconds: 0 } });
    await claimTask(worker, id);
    await worker.report('release', id, { reason: 'going home' });
    const victim = await TestWorker.register(api);
    await claimTask(victim, id);
    await sql`update workers set lease_until = now() where id = ${victim.id}`.execute(api.db);
    await taskIn(api, id, 'pending');
    await claimTask(worker, id);
    expect((await worker.report('fail', id, { error: 'one' })).body.status).to.equal('pending');
    await claimTask(worker, id);
    expect((await worker.report('fail', id, { error: 'two' })).body.status).to.equal('failed');
    expect((await attemptsOf(id)).map(({ outcome }) => outcome)).to.deep.equal(['released', 'lost', 'failed', 'failed']);
  });

  it('runs a task that has ended again as a new one', async () => {
    const submission = {
      problem_id: 'test-again', parameters: { b: 1, a: [2] }, name: 'a name', labels: { team: 'red' }, priority: 7, backend_type: 'kind',
      timeout_seconds: 77, max_lost: 2, retry: { max_attempts: 2, initial_seconds: 0, factor: 2, max_seconds: 10, jitter: 0.25 },
      run_at: '2020-01-01T00:00:00Z', expires_at: '2100-01-01T00:00:00Z',
    };
    const old = await submitTask(api, submission);
    for (const status of ['pending', 'running']) {
      const refused = await api.call('POST', `/api/v1/tasks/${old}/retry`);
      expect(refused.body).to.include({ code: 'task_not_terminal', task_status: status });
      if (status === 'pending') await claimTask(worker, old);
    }
    await worker.report('fail', old, { error: 'x', retryable: false });
    const retried = await api.call('POST', `/api/v1/tasks/${old}/retry`);
    expect(retried.status).to.equal(201);
    expect(retried.headers.location).to.equal(`/api/v1/tasks/${retried.body.id}`);
    const same = Object.fromEntries(Object.entries(submission).filter(([name]) => name !== 'run_at' && name !== 'expires_at'));
    expect(retried.body).to.deep.include({ ...same, status: 'pending', attempt: 0, retry_of: old, expires_at: null, run_at: null });
    expect(retried.body.id).to.not.equal(old);
    expect((await readTask(api, old))).to.include({ status: 'failed', retry_of: null });
    await claimTask(worker, retried.body.id as string);
    await worker.report('complete', retried.body.id as string, {});
    expect((await api.call('POST', `/api/v1/tasks/${retried.body.id}/retry`)).body.retry_of).to.equal(retried.body.id);
    expect((await api.call('POST', `/api/v1/tasks/${UNKNOWN}/retry`)).body.code).to.equal('task_not_found');
    expect((await api.call('POST', '/api/v1/tasks/nonsense/retry')).status).to.equal(422);
  });

  it('retries with the priority that the task was given last', async () => {
    const id = await submitTask(api, { priority: 1 });
    await api.call('PATCH', `/api/v1/tasks/${id}`, { priority: 9 });
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    expect((await readTask(api, id)).priority).to.equal(9);
    expect((await api.call('POST', `/api/v1/tasks/${id}/retry`)).body.priority).to.equal(9);
  });

  it('answers a repeated report like the first, also after the next attempt has begun', async () => {
    const id = await submitTask(api, { retry: { max_attempts: 3, initial_seconds: 0 } });
    await claimTask(worker, id);
    await worker.report('fail', id, { error: 'x' }, 1);
    expect((await worker.report('fail', id, { error: 'x' }, 1)).status).to.equal(200);
    await claimTask(worker, id);
    expect((await worker.report('fail', id, { error: 'x' }, 1)).status).to.equal(200);
    expect((await worker.report('complete', id, {}, 1)).body).to.include({ code: 'attempt_not_held', current_attempt: 2 });
    expect((await readTask(api, id)).status).to.equal('running');
  });
});
