/** Lanes: tasks that limits on labels tell apart do not hide each other, whatever their labels say. */
import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases } from '../src/db/database.js';
import { migrate } from '../src/db/migrate.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { createEarlierDatabase, NAMES } from './support/earlier.js';
import { testSweeper } from './support/sweeper.js';

/** More tasks than a claim looks at in one lane. */
const MORE_THAN_A_LOOK = 70;

describe('lanes', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    for (const key of ['label:a', 'label:b', 'label:c', 'label:d']) {
      expect((await api.call('POST', '/api/v1/limits', { key, max_running: 1 })).status).to.equal(201);
    }
    await eventually(async () => (await sql`select from limits where lanes_after is not null`.execute(api.db)).rows.length === 0);
  });
  after(() => api.stop());

  it('keep a value that looks like two labels apart from these', async () => {
    const worker = await TestWorker.register(api, { parallel: 10, globs: ['apart'] });
    const alike = Array.from({ length: MORE_THAN_A_LOOK }, () => ({ problem_id: 'apart', priority: 9, labels: { a: 'x,b=y' } }));
    expect((await api.call('POST', '/api/v1/tasks/batch', { tasks: alike })).status).to.equal(201);
    const other = await submitTask(api, { problem_id: 'apart', labels: { a: 'x', b: 'y' } });
    expect((await worker.claim()).body.labels).to.deep.equal({ a: 'x,b=y' });
    expect((await worker.claim()).body.id).to.equal(other);
    expect((await worker.claim()).status).to.equal(204);
  });

  it('are of labels of any length', async () => {
    const worker = await TestWorker.register(api, { parallel: 10, globs: ['long'] });
    // Characters of four bytes, in no order that could be compressed.
    const value = (): string => Array.from({ length: 250 }, () => String.fromCodePoint(0x20000 + randomInt(0x10000))).join('');
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) ids.push(await submitTask(api, { problem_id: 'long', labels: { a: value(), b: value(), c: value(), d: value() } }));
    for (const id of ids) expect((await worker.claim()).body.id).to.equal(id);
  });

  it('of what an earlier version left are sorted anew, and for limits that it still makes', async () => {
    const database = await createEarlierDatabase(NAMES.indexOf('0017_lanes'));
    const log = pino({ level: 'silent' });
    let databases = openDatabases(database.url, { lease: 1, general: 2 }, log);
    try {
      await sql`update limits set regroup_after = null`.execute(databases.general);
      await sql`update queue set labels = '{"team": "red", "user": "eve"}', lane = 'team=red'`.execute(databases.general);
      await databases.close();
      await migrate({ databaseUrl: database.url, log });
      databases = openDatabases(database.url, { lease: 1, general: 2 }, log);
      const db = databases.general;
      const sweep = testSweeper(db, database.url);
      const lanes = async (): Promise<string[]> => (await sql<{ lane: string }>`select distinct lane from queue where labels is not null`.execute(db)).rows.map(({ lane }) => lane);
      await eventually(async () => {
        await sweep();
        return (await sql`select from limits where lanes_after is not null`.execute(db)).rows.length === 0;
      });
      expect(await lanes()).to.deep.equal(['{"team": "red"}']);
      await sql`
        insert into limits (id, key, value, max_running, regroup_after, created_at, updated_at)
        values ('00000000-0000-4000-8000-0000000001a3', 'label:user', null, 1, '00000000-0000-0000-0000-000000000000', now(), now())`.execute(db);
      await eventually(async () => {
        await sweep();
        return (await sql`select from limits where lanes_after is not null`.execute(db)).rows.length === 0;
      });
      expect(await lanes()).to.deep.equal(['{"team": "red", "user": "eve"}']);
    } finally {
      await databases.close();
      await database.drop();
    }
  });
});
