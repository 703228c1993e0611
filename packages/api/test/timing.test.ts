/** When tasks run: moments, delays, expiry, priority and its ageing, and adjustments while they wait. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
const FUTURE = '2100-01-01T00:00:00.000Z';
const PAST = '2020-01-01T00:00:00.000Z';

describe('timing', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 1000 });
  });
  after(() => api.stop());

  const adjust = (id: string, body: unknown): Promise<Answer> => api.call('PATCH', `/api/v1/tasks/${id}`, body);
  const cancel = (id: string): Promise<unknown> => api.call('POST', `/api/v1/tasks/${id}/cancel`);
  const arrive = (id: string): Promise<unknown> => sql`update queue set available_at = now() where task_id = ${id}::uuid`.execute(api.db);

  it('holds a task back until its moment', async () => {
    const id = await submitTask(api, { run_at: FUTURE });
    expect(await readTask(api, id)).to.include({ status: 'pending', reason: 'scheduled', run_at: FUTURE });
    expect((await worker.claim()).status).to.equal(204);
    await arrive(id);
    const claimed = await worker.claim({ wait_seconds: 20 });
    expect(claimed.body.id).to.equal(id);
    await worker.report('complete', id, {});
    expect((await readTask(api, id)).run_at).to.equal(FUTURE);
  });

  it('counts a delay by the clock of the database', async () => {
    const { body } = await api.call('POST', '/api/v1/tasks', { problem_id: 'test-a', delay_seconds: 3600.5 });
    expect(body.reason).to.equal('scheduled');
    expect(Date.parse(body.run_at as string) - Date.parse(body.created_at as string)).to.be.within(3_600_499, 3_600_501);
    await cancel(body.id as string);
  });

  it('runs at once what lies in the past or waits for nothing', async () => {
    for (const when of [{ run_at: PAST }, { delay_seconds: 0 }, { run_at: null }]) {
      const { body } = await api.call('POST', '/api/v1/tasks', { problem_id: 'test-a', ...when });
      expect(body.reason, JSON.stringify(when)).to.equal('ready');
      expect((await worker.claim()).body.id).to.equal(body.id);
      await worker.report('complete', body.id as string, {});
    }
  });

  it('refuses times that are none, or two of them', async () => {
    for (const body of [{ run_at: FUTURE, delay_seconds: 5 }, { run_at: 'tomorrow' }, { run_at: '2030-02-30T00:00:00Z' }, { delay_seconds: -1 },
      { delay_seconds: 1e9 }, { expires_at: 'never' }]) {
      expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', ...body })).status, JSON.stringify(body)).to.equal(422);
    }
  });

  it('expires what has not begun in time, and never runs it', async () => {
    const ids = [
      await submitTask(api, { expires_at: PAST }), await submitTask(api, { expires_at: PAST, run_at: FUTURE }),
    ];
    const blocked = await submitTask(api, { depends_on: [await submitTask(api, { run_at: FUTURE })], expires_at: FUTURE });
    const child = await submitTask(api, { depends_on: [blocked] });
    await sql`update queue set expires_at = now() where task_id = ${blocked}::uuid`.execute(api.db);
    expect((await worker.claim()).status).to.equal(204);
    for (const id of [...ids, blocked]) {
      expect(await taskIn(api, id, 'timeout')).to.include({ reason: 'expired', attempt: 0, worker_id: null, started_at: null, result: null });
    }
    expect(await taskIn(api, child, 'cancelled')).to.include({ reason: 'dependency_failed' });
    const stats = (await api.call('GET', '/api/v1/tasks/stats')).body;
    expect(stats.timeout_tasks).to.equal(3);
  });

  it('lets go on what had begun before it expired', async () => {
    const id = await submitTask(api, { expires_at: FUTURE, retry: { max_attempts: 3, initial_seconds: 0 } });
    await worker.claim();
    await sql`update queue set expires_at = now() where task_id = ${id}::uuid`.execute(api.db);
    await worker.report('fail', id, { error: 'x', retry_after_seconds: 3600 });
    const other = await submitTask(api, { expires_at: PAST });
    await taskIn(api, other, 'timeout');
    expect(await readTask(api, id)).to.include({ status: 'pending', reason: 'backing_off' });
    await arrive(id);
    expect((await worker.claim({ wait_seconds: 20 })).body).to.include({ id, attempt: 2 });
    expect((await worker.report('complete', id, {})).body.status).to.equal('completed');
  });

  it('ranks by priority, then age', async () => {
    const ids = [await submitTask(api, { priority: 3 }), await submitTask(api, { priority: 7 }), await submitTask(api, { priority: 3 }), await submitTask(api, { priority: 0 })];
    for (const id of [ids[1], ids[0], ids[2], ids[3]]) expect((await worker.claim()).body.id).to.equal(id);
    for (const id of ids) await worker.report('complete', id, {});
  });

  it('lets nothing wait for ever behind newer tasks of higher priority', async () => {
    const day = 86_400_000;
    const low = await submitTask(api, { priority: 0 });
    const high = await submitTask(api, { priority: 1 });
    // As if the lower one had waited for a day and a second more: a level of priority is worth a day.
    await sql`update queue set rank = rank - ${day + 1000}::bigint where task_id = ${low}::uuid`.execute(api.db);
    const higher = await submitTask(api, { priority: 2 });
    for (const id of [higher, low, high]) {
      expect((await worker.claim()).body.id).to.equal(id);
      await worker.report('complete', id, {});
    }
  });

  it('ages as PRIORITY_AGEING_MINUTES says', async () => {
    const replica = await api.replica({ PRIORITY_AGEING_MINUTES: '0' });
    const first = await submitTask(replica, { priority: 0 });
    await submitTask(replica, { priority: 10 });
    expect((await worker.claim()).body.id).to.equal(first);
    await worker.report('complete', first, {});
    const { body } = await worker.claim();
    await worker.report('complete', body.id as string, {});
    await replica.stop();
  });

  it('ranks a scheduled task from its moment, not from its submission', async () => {
    const scheduled = await submitTask(api, { run_at: FUTURE });
    await adjust(scheduled, { run_at: new Date(Date.now() + 3_600_000).toISOString() });
    const now = await submitTask(api);
    await arrive(scheduled);
    await eventually(async () => (await readTask(api, scheduled)).reason === 'ready');
    for (const id of [now, scheduled]) {
      expect((await worker.claim()).body.id).to.equal(id);
      await worker.report('complete', id, {});
    }
  });

  describe('adjustments', () => {
    it('change the priority while a task waits', async () => {
      const [one, two] = [await submitTask(api, { priority: 5 }), await submitTask(api, { priority: 5 })];
      const adjusted = await adjust(two, { priority: 6 });
      expect(adjusted.status).to.equal(200);
      expect(adjusted.body).to.include({ id: two, priority: 6, status: 'pending' });
      expect((await worker.claim()).body).to.include({ id: two, priority: 6 });
      await adjust(one, { priority: 0 });
      expect((await readTask(api, one)).priority).to.equal(0);
      expect((await worker.claim()).body.id).to.equal(one);
      for (const id of [one, two]) await worker.report('complete', id, {});
      expect((await readTask(api, two)).priority).to.equal(6);
    });

    it('move the moment, there and back', async () => {
      const id = await submitTask(api);
      expect((await adjust(id, { run_at: FUTURE })).body).to.include({ reason: 'scheduled', run_at: FUTURE });
      expect((await worker.claim()).status).to.equal(204);
      const waiting = worker.claim({ wait_seconds: 20 });
      expect((await adjust(id, { run_at: PAST })).body.status).to.be.oneOf(['pending', 'running']);
      expect((await waiting).body.id).to.equal(id);
      await worker.report('complete', id, {});
    });

    it('end the wait for another attempt', async () => {
      const id = await submitTask(api, { retry: { max_attempts: 2, initial_seconds: 1000 } });
      await worker.claim();
      await worker.report('fail', id, { error: 'x' });
      expect((await adjust(id, { priority: 8 })).body).to.include({ reason: 'backing_off', priority: 8 });
      expect((await adjust(id, { run_at: PAST })).body.reason).to.equal('ready');
      expect((await worker.claim()).body).to.include({ id, attempt: 2 });
      await worker.report('complete', id, {});
    });

    it('are refused once the task has begun, or has ended', async () => {
      const id = await submitTask(api);
      await worker.claim();
      expect((await adjust(id, { priority: 1 })).body).to.include({ code: 'task_running', task_status: 'running', current_attempt: 1 });
      await worker.report('complete', id, {});
      expect((await adjust(id, { run_at: PAST })).body).to.include({ code: 'task_terminal', task_status: 'completed' });
      expect((await adjust(UNKNOWN, { priority: 1 })).body.code).to.equal('task_not_found');
      for (const body of [{}, { priority: 11 }, { priority: null }, { run_at: 'now' }, { timeout_seconds: 5 }]) {
        expect((await adjust(id, body)).status, JSON.stringify(body)).to.equal(422);
      }
    });

    it('lose or win against a claim, and never both', async () => {
      for (let round = 0; round < 20; round++) {
        const id = await submitTask(api);
        const [adjusted, claimed] = await Promise.all([adjust(id, { run_at: FUTURE }), worker.claim()]);
        if (claimed.status === 200) {
          expect(adjusted.body.code, `round ${round}`).to.equal('task_running');
        } else {
          expect(adjusted.status).to.equal(200);
        }
        await cancel(id);
      }
    });
  });
});
