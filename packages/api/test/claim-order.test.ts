/** The order of claims where what a worker fits lies in many lanes, behind a long front that it does not fit. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { NO_SWEEPS, testSweeper } from './support/sweeper.js';

/** More than the claim looks at of the whole order. */
const FRONT = 260;
/** More than it looks into. */
const LANES = 150;
const EACH = 4;

describe('claims out of many lanes', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: '600' }, NO_SWEEPS);
  });
  after(() => api.stop());

  it('take what is first in the whole order, one by one and many at once, and leave out what is paused or has expired', async () => {
    const submit = async (tasks: object[]): Promise<void> => {
      expect((await api.call('POST', '/api/v1/tasks/batch', { tasks })).status).to.equal(201);
    };
    await submit(Array.from({ length: FRONT }, () => ({ problem_id: 'nobody', priority: 10 })));
    // The lanes' first tasks come in an order that is neither that of their names nor that of their submission.
    await submit(Array.from({ length: LANES * EACH }, (_none, n) => ({ problem_id: `lane-${String(n % LANES).padStart(3, '0')}`, priority: (n * 7) % 10 })));
    for (const paused of ['lane-003', 'lane-100']) expect((await api.call('POST', '/api/v1/queue/pause', { problem_id: paused })).status).to.equal(200);
    await sql`
      update queue set expires_at = now() - interval '1 second'
       where task_id in (select task_id from queue where problem_id like 'lane-%' order by rank, task_id limit 20)`.execute(api.db);
    const { rows } = await sql<{ id: string }>`
      select task_id as id from queue
       where problem_id like 'lane-%' and problem_id not in ('lane-003', 'lane-100') and expires_at is null
       order by rank, task_id`.execute(api.db);
    const worker = await TestWorker.register(api, { globs: ['lane-*'], parallel: 1000 });
    const claimed: string[] = [];
    for (const wanted of [1, 1, 40, 1, 100, 3]) {
      const answer = await api.call('POST', `/api/v1/workers/${worker.id}/claim-batch`, { max_tasks: wanted }, { 'worker-session': worker.session });
      expect(answer.body.tasks).to.have.length(wanted);
      claimed.push(...(answer.body.tasks as { id: string }[]).map(({ id }) => id));
    }
    expect(claimed).to.deep.equal(rows.slice(0, claimed.length).map(({ id }) => id));
  });

  it('do not take the queue for dry where only what they looked at has expired', async () => {
    const lanes = Array.from({ length: LANES }, (_none, n) => `late-${n}`);
    for (const priority of [9, 1]) {
      expect((await api.call('POST', '/api/v1/tasks/batch', { tasks: lanes.map((problem) => ({ problem_id: problem, priority })) })).status).to.equal(201);
    }
    await sql`update queue set expires_at = now() - interval '1 second' where problem_id like 'late-%' and priority = 9`.execute(api.db);
    const worker = await TestWorker.register(api, { globs: ['late-*'], parallel: 10 });
    expect((await worker.claim({ wait_seconds: 0.2 })).status).to.equal(204);
    await testSweeper(api.db, api.databaseUrl)();
    expect((await worker.claim({ wait_seconds: 0.2 })).body.priority).to.equal(1);
  });
});
