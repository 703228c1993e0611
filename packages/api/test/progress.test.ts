import { LIMITS } from '@task-executor/shared';
import { expect } from 'chai';
import { sql } from 'kysely';
import { TestWorker, workerWithTask } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('progress', () => {
  let api: TestApi;
  let worker: TestWorker;
  let id: string;
  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: '600' });
  });
  after(() => api.stop());
  // Each test has a worker of its own, which alone takes its task.
  beforeEach(async () => {
    ({ worker, id } = await workerWithTask(api, { retry: { max_attempts: 2, initial_seconds: 0 } }));
  });

  const progressOf = async (taskId = id) => (await api.call('GET', `/api/v1/tasks/${taskId}`)).body.progress as Record<string, unknown> | null;

  it('is what the attempt said last, and stays for ever', async () => {
    expect(await progressOf()).to.equal(null);
    expect((await worker.claim()).body.progress).to.equal(null);
    expect((await worker.report('progress', id, { step: 1, total: 30, message: 'ü', metrics: { loss: 0.1, tokens: 12 } }, 1)).status).to.equal(204);
    expect(await progressOf()).to.deep.include({ attempt: 1, step: 1, total: 30, message: 'ü', metrics: { loss: 0.1, tokens: 12 } });
    expect((await worker.report('progress', id, { step: 2.5 }, 1)).status).to.equal(204);
    const first = await progressOf();
    expect(first).to.deep.include({ attempt: 1, step: 2.5, total: null, message: null, metrics: {} });

    expect((await worker.report('fail', id, { error: 'x' }, 1)).body.progress).to.deep.equal(first);
    expect((await worker.claim()).body).to.deep.include({ id, attempt: 2, progress: first });
    await worker.report('progress', id, { metrics: { loss: 1e-9 } }, 2);
    await worker.report('complete', id, {}, 2);
    const last = await progressOf();
    expect(last).to.deep.include({ attempt: 2, step: null, metrics: { loss: 1e-9 } });
    const attempts = (await api.call('GET', `/api/v1/tasks/${id}/attempts`)).body.attempts as { progress: unknown }[];
    expect(attempts.map(({ progress }) => progress)).to.deep.equal([first, last]);
    expect((await api.call('GET', '/api/v1/tasks')).body.tasks[0].progress).to.deep.equal(last);
    for (const statement of [sql`delete from attempt_progress`, sql`truncate attempt_progress`]) {
      expect(await statement.execute(api.db).then(() => '', String)).to.include('kept for ever');
    }
  });

  it('is shown on the running attempt', async () => {
    await worker.claim();
    await worker.report('progress', id, { message: 'begun' });
    const [attempt] = (await api.call('GET', `/api/v1/tasks/${id}/attempts`)).body.attempts as { outcome: unknown; progress: { message: string } }[];
    expect(attempt?.outcome).to.equal(null);
    expect(attempt?.progress.message).to.equal('begun');
  });

  it('is taken from the attempt that holds the task alone', async () => {
    const other = await TestWorker.register(api, { globs: ['none'] });
    expect((await worker.report('progress', id, { step: 1 })).body).to.include({ code: 'attempt_not_held', task_status: 'pending' });
    await worker.claim();
    expect((await other.report('progress', id, { step: 1 }, 1)).body).to.include({ code: 'attempt_not_held', current_attempt: 1 });
    expect((await worker.report('progress', id, { step: 1 }, 2)).body.code).to.equal('attempt_not_held');
    expect((await worker.report('progress', UNKNOWN, { step: 1 })).body.code).to.equal('task_not_found');
    await TestWorker.register(api, { id: worker.id });
    expect((await worker.report('progress', id, { step: 1 }, 1)).body.code).to.equal('session_superseded');
    expect(await progressOf()).to.equal(null);
  });

  it('is bounded', async () => {
    await worker.claim();
    const metrics = (count: number) => Object.fromEntries(Array.from({ length: count }, (_none, n) => [`m${n}`, n]));
    const refused = [
      {}, { step: -1 }, { step: '1' }, { step: 1, more: true }, { message: 'x'.repeat(LIMITS.maxProgressMessageChars + 1) },
      { metrics: metrics(LIMITS.maxProgressMetrics + 1) }, { metrics: { ['x'.repeat(LIMITS.maxProgressMetricNameChars + 1)]: 1 } },
      { metrics: { a: 'b' } }, { metrics: { a: null } }, { message: 'a\u0000b' },
    ];
    for (const body of refused) expect((await worker.report('progress', id, body, 1)).status, JSON.stringify(body).slice(0, 80)).to.equal(422);
    const most = { message: '😀'.repeat(LIMITS.maxProgressMessageChars / 2), metrics: metrics(LIMITS.maxProgressMetrics) };
    expect((await worker.report('progress', id, most, 1)).status).to.equal(204);
    expect(await progressOf()).to.deep.include(most);
  });

  it('keeps one row of an attempt, whatever comes at once', async () => {
    await worker.claim();
    const answers = await Promise.all(Array.from({ length: 10 }, (_none, n) => worker.report('progress', id, { step: n }, 1)));
    expect(answers.every(({ status }) => status === 204)).to.equal(true);
    expect((await sql`select from attempt_progress where task_id = ${id}::uuid`.execute(api.db)).rows).to.have.length(1);
  });
});
