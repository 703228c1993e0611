/** Leases while the API itself was away: whom it could not hear it does not take for silent. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { Presence } from '../src/waiting/presence.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

describe('presence', () => {
  it('counts from the first answer, and begins anew after an absence or a pause of the process', () => {
    let now = 0;
    const presence = new Presence({ maxGapMs: 10_000, now: () => now });
    const pass = (ms: number): void => {
      for (const end = now + ms; now < end; now += 1_000) presence.tick();
    };
    pass(5_000);
    expect(presence.seconds).to.equal(0);
    presence.answered();
    pass(30_000);
    presence.answered();
    expect(presence.seconds).to.equal(30);
    now += 11_000;
    expect(presence.seconds).to.equal(0);
    presence.answered();
    pass(2_000);
    expect(presence.seconds).to.equal(2);
    presence.absent();
    expect(presence.seconds).to.equal(0);
  });
});

describe('leases after an absence of the API', () => {
  let api: TestApi;
  beforeEach(async () => {
    // This API sweeps nothing while the test runs: it stands for none.
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000' });
  });
  afterEach(() => api.stop());

  const statusOf = async (id: string): Promise<string> => (await api.call('GET', `/api/v1/tasks/${id}`)).body.status as string;

  it('leaves tasks to workers that it could not hear, and takes what they finished meanwhile', async () => {
    const worker = await TestWorker.register(api);
    const id = await submitTask(api);
    await worker.claim();
    // An hour ago: nobody has been there since.
    await sql`update workers set last_seen_at = now() - interval '1 hour', lease_until = now() - interval '1 hour'`.execute(api.db);
    await api.replica({ SWEEP_INTERVAL_MS: '20', LEASE_SECONDS: '1000', HEARTBEAT_INTERVAL_SECONDS: '5' });
    // The replica sweeps: what is past its deadline ends, the silent worker does not.
    const late = await submitTask(api);
    const other = await TestWorker.register(api);
    expect(other.id).to.not.equal(worker.id);
    await other.claim();
    await sql`update queue set deadline_at = now() where task_id = ${late}::uuid`.execute(api.db);
    await eventually(async () => (await statusOf(late)) === 'timeout');
    expect(await statusOf(id)).to.equal('running');
    expect((await worker.report('complete', id, { kept: true }, 1)).body).to.include({ status: 'completed', attempt: 1 });
  });

  it('takes them at once from a worker that it has heard since, and has fallen silent', async () => {
    const silent = await TestWorker.register(api);
    const [first, second] = [await submitTask(api), await submitTask(api)];
    await silent.claim();
    await sql`update workers set last_seen_at = now() - interval '1 hour', lease_until = now() - interval '1 hour'`.execute(api.db);
    await api.replica({ SWEEP_INTERVAL_MS: '20', LEASE_SECONDS: '1000', HEARTBEAT_INTERVAL_SECONDS: '5' });
    const seen = await TestWorker.register(api);
    await eventually(async () => {
      // Heard until the replica has been there to hear it, and then no more.
      await sql`update workers set lease_until = now() + interval '1 hour' where id = ${seen.id} and ended_at is null`.execute(api.db);
      await seen.claim();
      await sql`update workers set lease_until = now() where id = ${seen.id} and ended_at is null`.execute(api.db);
      return (await statusOf(second)) === 'pending' && (await seen.heartbeat()).status === 409;
    });
    expect(await statusOf(first)).to.equal('running');
  });

  it('takes them after a whole lease in which it heard nothing', async () => {
    const silent = await TestWorker.register(api);
    const id = await submitTask(api);
    await silent.claim();
    await sql`update workers set last_seen_at = now() - interval '1 hour', lease_until = now() - interval '1 hour'`.execute(api.db);
    await api.replica({ SWEEP_INTERVAL_MS: '20', LEASE_SECONDS: '1', HEARTBEAT_INTERVAL_SECONDS: '0.3' });
    await eventually(async () => (await statusOf(id)) === 'pending');
    expect((await silent.report('complete', id, {}, 1)).body.code).to.equal('attempt_not_held');
  });
});
