/** Too much to do: who goes first, who is told to come again, and that what keeps leases alive is never among them. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { eventually, submitTask, TestWorker, workerWithTask } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { openDatabases } from '../src/db/database.js';

describe('overload', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ LEASE_POOL_SIZE: '2', GENERAL_POOL_SIZE: '4' });
  });
  after(() => api.stop());

  it('lets heartbeats go before reports, these before logs, claims, submissions and reading last', async () => {
    const databases = openDatabases(api.databaseUrl, { lease: 1, general: 3 }, pino({ level: 'silent' }));
    try {
      const order: string[] = [];
      const ask = (name: 'heartbeats' | 'reports' | 'logs' | 'lease' | 'general' | 'reads'): Promise<unknown> =>
        sql`select 1`.execute(databases[name]).then(() => order.push(name));
      await databases.lease.connection().execute(async () => {
        const asked = (['lease', 'logs', 'reports', 'heartbeats', 'lease', 'heartbeats'] as const).map(ask);
        void Promise.allSettled(asked);
        await sql`select 1`.execute(databases.general);
        expect(order).to.deep.equal([]);
      });
      await eventually(() => Promise.resolve(order.length === 6));
      expect(order).to.deep.equal(['heartbeats', 'heartbeats', 'reports', 'logs', 'lease', 'lease']);
      order.length = 0;
      await databases.general.connection().execute(async () => {
        // One of three is taken, and reading leaves two to others.
        const reading = ask('reads');
        await ask('general');
        await ask('general');
        expect(order).to.deep.equal(['general', 'general']);
        void reading;
      });
      await eventually(() => Promise.resolve(order.length === 3));
    } finally {
      await databases.close();
    }
  });

  it('is told by lists alone, while submissions, claims, reports and heartbeats pass', async () => {
    const { worker, id } = await workerWithTask(api);
    expect((await worker.claim()).body.id).to.equal(id);
    const locked = openDatabases(api.databaseUrl, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    const reading: Promise<Answer>[] = [];
    try {
      await locked.general.transaction().execute(async (transaction) => {
        await sql`lock table task_logs in access exclusive mode`.execute(transaction);
        for (let n = 0; n < 150; n++) reading.push(api.call('GET', `/api/v1/tasks/${id}/logs`));
        const refused = await Promise.race(reading);
        expect([refused.status, refused.body.code, refused.headers['retry-after']]).to.deep.equal([429, 'too_many_requests', '1']);
        expect((await worker.heartbeat()).status).to.equal(200);
        await submitTask(api, { problem_id: 'overload-a' });
        const another = await TestWorker.register(api, { globs: ['overload-*'] });
        expect((await another.claim()).status).to.equal(200);
        expect((await worker.report('complete', id, {})).status).to.equal(200);
      });
      const statuses = (await Promise.all(reading)).map(({ status }) => status);
      // Those that had begun may have given up waiting for the lock.
      expect(statuses.filter((status) => ![200, 429, 503].includes(status))).to.deep.equal([]);
      expect((await api.call('GET', `/api/v1/tasks/${id}/logs`)).status).to.equal(200);
    } finally {
      await Promise.allSettled(reading);
      await locked.close();
    }
  });

  it('is over when its cause is: no connection is lost to those who waited too long or failed', async () => {
    const databases = openDatabases(api.databaseUrl, { lease: 2, general: 3 }, pino({ level: 'silent' }));
    try {
      const failing = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? sql`select 1 / 0` : sql`select 1`).execute(n % 3 === 0 ? databases.reads : databases.lease));
      const results = await Promise.allSettled(failing);
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(20);
      for (const db of [databases.reads, databases.general, databases.lease, databases.heartbeats]) {
        await Promise.all([1, 2, 3, 4].map(() => sql`select 1`.execute(db)));
      }
    } finally {
      await databases.close();
    }
  });
});
