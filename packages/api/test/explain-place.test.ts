/** Explanations: what goes before a task that nothing else holds back, and when it may start. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import { MAX_COMPARED } from '../src/queue/explain.js';
import { submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

interface Explanation {
  reason: string;
  summary: string;
  position: number;
  position_is_lower_bound: boolean;
  ahead: number;
  estimated_start: { earliest: string; latest: string } | null;
}

describe('explanations of a place', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000', LEASE_SECONDS: '600' });
  });
  afterEach(() => api.stop());

  const explain = async (id: string): Promise<Explanation> => (await api.call('GET', `/api/v1/tasks/${id}/explain`)).body as Explanation;
  /** Seconds from the earliest to the latest start. */
  const spanOf = ({ estimated_start: start }: Explanation): number => (Date.parse(start?.latest ?? '') - Date.parse(start?.earliest ?? '')) / 1000;
  const submitMany = async (count: number, submission: Record<string, unknown>): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) {
      const tasks = Array.from({ length: Math.min(1000, count - ids.length) }, () => submission);
      const { status, body } = await api.call('POST', '/api/v1/tasks/batch', { tasks });
      expect(status).to.equal(201);
      ids.push(...(body.tasks as { id: string }[]).map(({ id }) => id));
    }
    return ids;
  };

  it('call only the first of them next, and say of the others how many its workers take before', async () => {
    await TestWorker.register(api, { globs: ['ex-*'], parallel: 5 });
    const [first, second, third] = [await submitTask(api, { problem_id: 'ex-a' }), await submitTask(api, { problem_id: 'ex-b' }), await submitTask(api, { problem_id: 'ex-a' })];
    expect(await explain(first)).to.deep.include({ position: 1, ahead: 0, summary: 'Nothing holds it back: it is next when a worker claims.' });
    expect(await explain(second)).to.deep.include({
      position: 2, ahead: 1, summary: 'Nothing holds it back, but its workers take 1 task that ranks before it.',
    });
    expect(await explain(third)).to.deep.include({
      position: 3, ahead: 2, summary: 'Nothing holds it back, but its workers take 2 tasks that rank before it.',
    });
  });

  it('count before a task only what its own workers take, and estimate by that', async () => {
    const worker = await TestWorker.register(api, { globs: ['ex-a*', 'ex-paused', 'ex-expired'] });
    await TestWorker.register(api, { globs: ['ex-other'] });
    await TestWorker.register(api, { globs: ['ex-a', 'ex-unfit'], metadata: { unfit: 'no disk' } });
    const drained = await TestWorker.register(api, { globs: ['ex-a', 'ex-drained'] });
    await api.call('POST', `/api/v1/workers/${drained.id}/drain`);
    const done = await submitTask(api, { problem_id: 'ex-a' });
    await worker.claim();
    await sql`update queue set started_at = now() - interval '100 seconds' where task_id = ${done}::uuid`.execute(api.db);
    await worker.report('complete', done, {});
    await api.call('POST', '/api/v1/queue/pause', { problem_id: 'ex-paused' });
    for (const problem of ['ex-nobody', 'ex-other', 'ex-unfit', 'ex-drained', 'ex-paused']) await submitMany(50, { problem_id: problem });
    await submitTask(api, { problem_id: 'ex-a', backend_type: 'gpu' });
    const expired = await submitTask(api, { problem_id: 'ex-expired', expires_at: '2100-01-01T00:00:00Z' });
    await sql`update queue set expires_at = now() where task_id = ${expired}::uuid`.execute(api.db);

    const next = await explain(await submitTask(api, { problem_id: 'ex-a' }));
    expect(next).to.deep.include({ reason: 'ready', position: 253, position_is_lower_bound: false, ahead: 0 });
    expect(next.summary).to.equal('Nothing holds it back: it is next when a worker claims.');
    // As soon as the worker claims, at the latest when a task that it may just have taken is done.
    expect(spanOf(next)).to.be.within(100, 103);
    const third = (await submitMany(2, { problem_id: 'ex-also' }))[1] ?? '';
    const behind = await explain(third);
    expect(behind).to.deep.include({ position: 255, ahead: 2 });
    // Of these three one begins at once, the last after two rounds of about 100 seconds: one at the earliest.
    expect(spanOf(behind)).to.be.within(100, 103);
  });

  it('compare a bounded number of problems, and say that there may be more', async () => {
    await TestWorker.register(api, { globs: [] });
    const problems = Array.from({ length: MAX_COMPARED }, (_none, n) => ({ problem_id: `ex-${n}` }));
    await api.call('POST', '/api/v1/tasks/batch', { tasks: problems });
    const last = await submitTask(api, { problem_id: 'ex-last' });
    expect(await explain(last)).to.deep.include({ position: MAX_COMPARED + 1, position_is_lower_bound: false, ahead: MAX_COMPARED });
    await submitMany(2, { problem_id: 'ex-0' });
    expect(await explain(await submitTask(api, { problem_id: 'ex-last' }))).to.deep.include({
      position: MAX_COMPARED + 4, position_is_lower_bound: true, ahead: MAX_COMPARED + 2,
      summary: `Nothing holds it back, but its workers take at least ${MAX_COMPARED + 2} tasks that rank before it.`,
    });
  });

  it('compare a bounded number of globs, and say that there may be more', async () => {
    for (let n = 0; n < MAX_COMPARED; n += 99) await TestWorker.register(api, { globs: ['ex-a', ...Array.from({ length: 99 }, (_none, k) => `ex-other-${n + k}`)] });
    expect(await explain(await submitTask(api, { problem_id: 'ex-a' }))).to.deep.include({ position: 1, position_is_lower_bound: false, ahead: 0 });
    // Among the longest, so it is not known that the workers take it.
    await submitTask(api, { problem_id: `ex-other-${MAX_COMPARED}` });
    await submitTask(api, { problem_id: 'ex-other-0' });
    expect(await explain(await submitTask(api, { problem_id: 'ex-a' }))).to.deep.include({ position: 4, position_is_lower_bound: true, ahead: 2 });
  });

  it('look at a bounded number of tasks, and say that there may be more', async () => {
    await TestWorker.register(api, { globs: ['ex-a'] });
    await TestWorker.register(api, { globs: ['ex-b'] });
    await TestWorker.register(api, { globs: ['ex-b', 'ex-c'] });
    await submitMany(3, { problem_id: 'ex-a' });
    await submitMany(LIMITS.maxCountedAhead - 4, { problem_id: 'ex-b' });
    const [last, cutOff] = await submitMany(2, { problem_id: 'ex-c' });
    const exact = await explain(last ?? '');
    expect(exact).to.deep.include({ position: LIMITS.maxCountedAhead, position_is_lower_bound: false, ahead: LIMITS.maxCountedAhead - 4 });
    expect((await explain(cutOff ?? '')).position_is_lower_bound).to.equal(true);
    await submitMany(5, { problem_id: 'ex-b' });
    const [behind, first] = [await submitTask(api, { problem_id: 'ex-a' }), await submitTask(api, { problem_id: 'ex-d' })];
    expect(await explain(behind)).to.deep.include({
      position: LIMITS.maxCountedAhead + 1, position_is_lower_bound: true, ahead: 3,
      summary: 'Nothing holds it back, but its workers take at least 3 tasks that rank before it.',
    });
    await TestWorker.register(api, { globs: ['ex-d'] });
    expect(await explain(first)).to.deep.include({
      position_is_lower_bound: true, ahead: 0,
      summary: `Nothing holds it back; of the first ${LIMITS.maxCountedAhead} tasks that rank before it, its workers take none.`,
    });
  });
});
