import { expect } from 'chai';
import { sql } from 'kysely';
import { submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('reports', () => {
  let api: TestApi;
  let worker: TestWorker;
  let id: string;
  beforeEach(async () => {
    api = await startTestApi();
    worker = await TestWorker.register(api, { parallel: 5 });
    id = await submitTask(api);
  });
  afterEach(() => api.stop());

  const outcomes = async (): Promise<number> => (await sql`select from outcomes`.execute(api.db)).rows.length;
  const stateOf = async (taskId = id): Promise<unknown> => (await api.call('GET', `/api/v1/tasks/${taskId}`)).body;

  it('keeps the result as it was sent, and answers a repeated report like the first', async () => {
    await worker.claim();
    const result = { z: 1, success: true, deep: { list: [1.5, 'ü', null] } };
    const first = await worker.report('complete', id, result, 1);
    expect(first.status).to.equal(200);
    expect(first.body).to.include({ status: 'completed', worker_id: worker.id, attempt: 1, error_details: null, reason: null });
    expect(JSON.stringify(first.body.result)).to.equal(JSON.stringify(result));
    expect((await worker.report('complete', id, { other: true }, 1)).body).to.deep.equal(first.body);
    expect((await worker.report('complete', id, {})).body).to.deep.equal(first.body);
    expect((await worker.report('fail', id, { error: 'no' }, 1)).status).to.equal(409);
    expect(await outcomes()).to.equal(1);
  });

  it('works without our headers, as simple clients call it', async () => {
    const plain = (path: string, body?: unknown) => api.call('POST', `/api/v1/workers/${worker.id}${path}`, body);
    expect((await plain('/claim')).body.id).to.equal(id);
    expect((await plain('/heartbeat', { status: 'busy', current_task_id: id })).body).to.include({ status: 'busy', current_task_id: id });
    expect((await plain(`/tasks/${id}/logs`, { entries: [{ message: 'hello' }] })).body).to.deep.equal({ accepted: 1, next_offset: 1 });
    expect((await plain(`/tasks/${id}/complete`, { success: true })).body.status).to.equal('completed');
    expect((await plain(`/tasks/${id}/complete`, { success: true })).body.status).to.equal('completed');
  });

  it('fails a task, and again for a repeated report', async () => {
    await worker.claim();
    const first = await worker.report('fail', id, { error: 'broken' }, 1);
    expect(first.body).to.include({ status: 'failed', reason: 'task_failed', error_details: 'broken', result: null });
    expect((await worker.report('fail', id, { error: 'other' }, 1)).body).to.deep.equal(first.body);
    expect((await worker.report('complete', id, {}, 1)).body).to.include({ code: 'attempt_not_held', task_status: 'failed' });
    expect((await worker.report('fail', id, {}, 1)).status).to.equal(422);
  });

  it('retries a failed task as often as its submitter asked', async () => {
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    const retried = await submitTask(api, { retry: { max_attempts: 2, initial_seconds: 0 } });
    await worker.claim();
    expect((await worker.report('fail', retried, { error: 'once' }, 1)).body).to.include({ status: 'pending', attempt: 1, max_attempts: 2 });
    expect((await worker.claim()).body).to.include({ id: retried, attempt: 2 });
    expect((await worker.report('complete', retried, {}, 1)).body).to.include({ code: 'attempt_not_held', current_attempt: 2 });
    expect((await worker.report('fail', retried, { error: 'twice' }, 2)).body).to.include({ status: 'failed', error_details: 'twice' });
    const { rows } = await sql<{ attempt: number; outcome: string; error: string }>`
      select attempt, outcome, error from attempts where task_id = ${retried}::uuid order by attempt`.execute(api.db);
    expect(rows).to.deep.equal([{ attempt: 1, outcome: 'failed', error: 'once' }, { attempt: 2, outcome: 'failed', error: 'twice' }]);
  });

  it('hands a task back without using an attempt up', async () => {
    await worker.claim();
    expect((await worker.report('release', id, { reason: 'going' }, 1)).body).to.include({ status: 'pending', attempt: 1, started_at: null });
    expect((await worker.report('release', id, { reason: 'going' }, 1)).body).to.include({ status: 'pending' });
    expect((await worker.claim()).body).to.include({ id, attempt: 2 });
    expect((await worker.report('fail', id, { error: 'x' }, 2)).body.status).to.equal('failed');
  });

  it('refuses the reports of a worker that does not hold the task', async () => {
    const other = await TestWorker.register(api);
    await worker.claim();
    for (const [verb, body] of [['complete', {}], ['fail', { error: 'x' }], ['release', {}], ['logs', { entries: [{ message: 'x' }] }]] as const) {
      const answer = await other.report(verb, id, body);
      expect(answer.status, verb).to.equal(409);
      expect(answer.body).to.include({ code: 'attempt_not_held', task_status: 'running', current_attempt: 1 });
      expect((await worker.report(verb, id, body, 2)).status, verb).to.equal(409);
      expect((await worker.report(verb, UNKNOWN, body)).body.code).to.equal('task_not_found');
    }
    expect(await stateOf()).to.include({ status: 'running', worker_id: worker.id, attempt: 1 });
    expect((await api.call('GET', `/api/v1/tasks/${id}/logs`)).body.total).to.equal(0);
  });

  it('lets either a cancellation or a completion win, never both', async () => {
    await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    const ids = await Promise.all(Array.from({ length: 5 }, () => submitTask(api)));
    for (let n = 0; n < 5; n++) await worker.claim();
    for (const taskId of ids) {
      const [completed, cancelled] = await Promise.all([
        worker.report('complete', taskId, {}, 1), api.call('POST', `/api/v1/tasks/${taskId}/cancel`),
      ]);
      expect([completed.status, cancelled.status].sort()).to.deep.equal([200, 409]);
      expect(await stateOf(taskId)).to.include({ status: completed.status === 200 ? 'completed' : 'cancelled' });
    }
    expect(await outcomes()).to.equal(6);
  });

  it('accepts one of many simultaneous reports of different outcomes', async () => {
    await worker.claim();
    const answers = await Promise.all([
      worker.report('complete', id, { n: 1 }, 1), worker.report('fail', id, { error: 'x' }, 1), worker.report('release', id, {}, 1),
      worker.report('complete', id, { n: 2 }, 1),
    ]);
    const { rows } = await sql<{ outcome: string }>`select outcome from attempts where task_id = ${id}::uuid`.execute(api.db);
    expect(rows).to.have.length(1);
    expect(answers.some((answer) => answer.status === 200)).to.equal(true);
  });

  it('numbers log lines, skips repeated ones and names gaps', async () => {
    await worker.claim();
    const lines = (from: number, to: number) => Array.from({ length: to - from }, (_none, n) => ({ message: `line ${from + n}`, level: (from + n) % 2 === 0 ? 'info' : 'error' }));
    expect((await worker.report('logs', id, { offset: 0, entries: lines(0, 5) }, 1)).body).to.deep.equal({ accepted: 5, next_offset: 5 });
    expect((await worker.report('logs', id, { offset: 0, entries: lines(0, 5) }, 1)).body).to.deep.equal({ accepted: 0, next_offset: 5 });
    expect((await worker.report('logs', id, { offset: 3, entries: lines(3, 8) }, 1)).body).to.deep.equal({ accepted: 3, next_offset: 8 });
    const gap = await worker.report('logs', id, { offset: 9, entries: lines(9, 10) }, 1);
    expect(gap.body).to.include({ code: 'log_gap', expected_offset: 8 });
    await Promise.all(Array.from({ length: 6 }, () => worker.report('logs', id, { offset: 8, entries: lines(8, 20) }, 1)));
    await worker.report('release', id, {}, 1);
    await worker.claim();
    expect((await worker.report('logs', id, { offset: 0, entries: [{ message: 'second', level: 'debug', context: { a: 1 }, timestamp: '2026-01-05T09:00:00.320Z' }] }, 2)).body)
      .to.deep.equal({ accepted: 1, next_offset: 1 });

    const page = await api.call('GET', `/api/v1/tasks/${id}/logs?limit=15`);
    expect(page.body.logs.map((line: { id: number }) => line.id)).to.deep.equal(Array.from({ length: 15 }, (_none, n) => n + 1));
    expect(page.body).to.include({ total: 21, has_more: true });
    const rest = await api.call('GET', `/api/v1/tasks/${id}/logs?cursor=${page.body.next_cursor}`);
    expect(rest.body.logs).to.have.length(6);
    expect(rest.body.logs[5]).to.deep.equal({ id: 21, task_id: id, attempt: 2, timestamp: '2026-01-05T09:00:00.320Z', level: 'debug', message: 'second', context: { a: 1 } });
    const errors = await api.call('GET', `/api/v1/tasks/${id}/logs?level=error`);
    expect(errors.body.total).to.equal(10);
    expect(errors.body.logs.every((line: { level: string }) => line.level === 'error')).to.equal(true);
    for (const query of ['limit=0', 'limit=1001', 'level=warn', 'cursor=abc']) expect((await api.call('GET', `/api/v1/tasks/${id}/logs?${query}`)).status, query).to.equal(422);
    expect((await worker.report('logs', id, { entries: [{ message: 'x', timestamp: '2026-02-30T00:00:00Z' }] }, 2)).status).to.equal(422);
  });

  it('keeps what was written once', async () => {
    await worker.claim();
    await worker.report('complete', id, {}, 1);
    for (const statement of [sql`update tasks set priority = 1`, sql`delete from outcomes`, sql`update attempts set error = 'x'`, sql`truncate task_logs`]) {
      const refused = await statement.execute(api.db).then(() => false, (error: unknown) => String(error).includes('written once') || String(error).includes('cannot truncate'));
      expect(refused).to.equal(true);
    }
  });
});
