/** Several replicas on one database: they start together on an empty one, and do without each other's hints. */
import { expect } from 'chai';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import { readConfig } from '../src/config.js';
import { MIGRATION_NAME, openDatabases } from '../src/db/database.js';
import { migrate } from '../src/db/migrate.js';
import { startServer, type RunningServer } from '../src/server.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { callerOf, type Answer, type Caller } from './support/api.js';
import { createEmptyDatabase, type TestDatabase } from './support/database.js';

const log = pino({ level: 'silent' });

describe('replicas', () => {
  let database: TestDatabase;
  let servers: RunningServer[] = [];
  beforeEach(async () => {
    database = await createEmptyDatabase();
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    servers = [];
    await database.drop();
  });

  async function startTogether(count: number): Promise<Caller[]> {
    const config = readConfig({ PORT: '0', AUTO_START_WORKERS: 'false', NUM_INTERNAL_WORKERS: '0', GENERAL_POOL_SIZE: '3', LEASE_POOL_SIZE: '3', SWEEP_INTERVAL_MS: '100' });
    servers = await Promise.all(Array.from({ length: count }, () => startServer({ config, databaseUrl: database.url, log })));
    return servers.map(({ url }) => ({ call: callerOf(url) }));
  }

  it('start at once on an empty database, each fit to serve', async () => {
    const replicas = await startTogether(3);
    for (const replica of replicas) {
      expect((await replica.call('GET', '/ready')).body.ready).to.equal(true);
      await submitTask(replica);
    }
    const databases = openDatabases(database.url, { lease: 1, general: 1 }, log);
    const { rows } = await sql<{ name: string }>`select name from schema_migrations order by name`.execute(databases.general);
    await databases.close();
    expect(new Set(rows.map(({ name }) => name)).size).to.equal(rows.length);
    expect((await replicas[2]?.call('GET', '/api/v1/tasks'))?.body.total).to.equal(3);
  }).timeout(180_000);

  it('wait for a replica that migrates', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    try {
      // As a replica of any version takes it.
      await other.query('select pg_advisory_lock(3853314791062309107)');
      const migrating = migrate({ databaseUrl: database.url, log });
      await eventually(async () => (await other.query(
        "select from pg_stat_activity where datname = current_database() and application_name = $1 and query like '%pg_try_advisory_xact_lock%'", [MIGRATION_NAME])).rows.length === 1);
      await other.query('select pg_advisory_unlock(3853314791062309107)');
      expect(await migrating).to.include('0001_core');
    } finally {
      await other.end();
    }
  }).timeout(60_000);

  it('take a caller without a session for the current one, also where another replica has registered it since', async () => {
    const [one, other] = await startTogether(2) as [Caller, Caller];
    const { id } = await TestWorker.register(one, { globs: ['first-*'] });
    const claim = (): Promise<Answer> => one.call('POST', `/api/v1/workers/${id}/claim`);
    expect((await claim()).status).to.equal(204);
    const again = await TestWorker.register(other, { id, globs: ['second-*'] });
    const task = await submitTask(one, { problem_id: 'second-a' });
    expect((await claim()).body.id).to.equal(task);
    // It is that session's, which can report it by name.
    expect((await again.report('complete', task, {}, 1)).status).to.equal(200);
    await again.leave();
    expect((await claim()).body.code).to.equal('session_ended');
    expect((await one.call('POST', '/api/v1/workers/worker-777-kind/claim')).body.code).to.equal('worker_not_found');
  }).timeout(180_000);

  it('find a task without the hint of the replica that took it', async () => {
    const [one, other] = await startTogether(2) as [Caller, Caller];
    const databases = openDatabases(database.url, { lease: 1, general: 1 }, log);
    const worker = await TestWorker.register(other);
    const waiting = worker.claim({ wait_seconds: 30 });
    const { rows: [before] } = await sql<{ claim_seq: number }>`select claim_seq from workers`.execute(databases.general);
    await eventually(async () => {
      const { rows: [now] } = await sql<{ claim_seq: number }>`select claim_seq from workers`.execute(databases.general);
      return (now?.claim_seq ?? 0) > 0 || (before?.claim_seq ?? 0) > 0;
    });
    // Both listeners lose their connections; the hint about the task that comes now reaches nobody.
    const { rows: cut } = await sql<{ ended: boolean }>`
      select pg_terminate_backend(pid) as ended from pg_stat_activity
       where datname = current_database() and application_name = 'task-executor-api listener'`.execute(databases.general);
    expect(cut.map(({ ended }) => ended)).to.deep.equal([true, true]);
    const id = await submitTask(one);
    const claimed = await waiting;
    expect(claimed.body.id).to.equal(id);
    // And hints are heard again: a heartbeat that hangs is told from the other replica.
    await eventually(async () => {
      const { rows } = await sql`select from pg_stat_activity where datname = current_database() and application_name = 'task-executor-api listener'`.execute(databases.general);
      return rows.length === 2;
    });
    const heartbeat = worker.heartbeat({ attempts: [{ task_id: id, attempt: 1 }], wait_seconds: 5 });
    await one.call('POST', `/api/v1/tasks/${id}/cancel`);
    expect((await heartbeat).body.directives.cancel).to.have.length(1);
    await databases.close();
  }).timeout(180_000);
});
