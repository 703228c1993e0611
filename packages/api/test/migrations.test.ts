/** Migrations beside others: those that hold what is to be changed, that migrate too, that serve, and those that come too late. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { readConfig } from '../src/config.js';
import { MIGRATION_NAME } from '../src/db/database.js';
import { migrate, MigrationError } from '../src/db/migrate.js';
import { startServer } from '../src/server.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from './support/database.js';
import { createEarlierDatabase, folderOf, NAMES, runSql, type MigrationFolder } from './support/earlier.js';

const log = pino({ level: 'silent' });

/** A schema as it is, whatever way it came to be so. */
const SCHEMA = `
  select indexname as name, indexdef as text from pg_indexes where schemaname = 'public'
  union all select conname || ' of ' || conrelid::regclass, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
  union all select proname || '(' || pg_get_function_identity_arguments(oid) || ')', prosrc from pg_proc where pronamespace = 'public'::regnamespace
  union all select table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '') from information_schema.columns where table_schema = 'public'
  order by 1, 2`;

const QUIET = { PORT: '0', AUTO_START_WORKERS: 'false', NUM_INTERNAL_WORKERS: '0' };

describe('migrations', function () {
  this.timeout(60_000);
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  });

  async function connect({ url }: { url: string }, name = 'a test'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, application_name: name });
    await client.connect();
    undo.push(() => client.end());
    return client;
  }
  async function made(creating: Promise<TestDatabase>): Promise<TestDatabase> {
    const database = await creating;
    undo.push(() => database.drop());
    return database;
  }
  /** All of ours, and one more. */
  function folderWith(name: string, text: string): MigrationFolder & { path: string } {
    const folder = folderOf(NAMES.length);
    undo.push(() => folder.remove());
    writeFileSync(join(folder.path, `${name}.sql`), text);
    return folder;
  }
  async function api(): Promise<TestApi> {
    const started = await startTestApi();
    undo.push(() => started.stop());
    return started;
  }
  const applied = async (client: pg.Client): Promise<string[]> =>
    (await client.query<{ name: string }>('select name from schema_migrations order by name')).rows.map(({ name }) => name);

  it('wait for a transaction that holds a table, and let a claim through meanwhile', async () => {
    const served = await api();
    const client = await connect({ url: served.databaseUrl });
    const holder = await connect({ url: served.databaseUrl });
    const held = await submitTask(served, { problem_id: 'held' });
    const free = await submitTask(served, { problem_id: 'free' });
    const worker = await TestWorker.register(served, { globs: ['free'] });
    await holder.query('begin');
    await holder.query('select from queue where task_id = $1 for update', [held]);

    const folder = folderWith('9000_more', 'alter table queue add column more integer');
    const migrating = migrate({ databaseUrl: served.databaseUrl, log, folder: folder.url });
    await eventually(async () => (await client.query(
      `select from pg_locks l join pg_stat_activity a using (pid) where a.application_name = $1 and l.relation = 'queue'::regclass and not l.granted`, [MIGRATION_NAME])).rowCount === 1);
    const claimed = await worker.claim();
    expect(claimed.status).to.equal(200);
    expect(claimed.body.id).to.equal(free);
    expect(await applied(client)).to.deep.equal(NAMES);

    await holder.query('commit');
    expect(await migrating).to.deep.equal(['9000_more']);
    // Plans that were made before are stale: whoever meets one is asked to repeat.
    const completed = await eventually(async () => {
      const answer = await worker.report('complete', free, {});
      return answer.status !== 503 && answer;
    });
    expect(completed.status).to.equal(200);
  });

  it('are tried again where they and a statement of an earlier API wait for each other', async () => {
    const database = await made(createTestDatabase());
    const [holder, gate, client] = [await connect(database), await connect(database), await connect(database)];
    await gate.query('select pg_advisory_lock(77)');
    await holder.query('begin; lock table tasks in row exclusive mode');
    // Whoever waits last finds the deadlock: the migration, which then looks at once.
    const folder = folderWith('9000_both', `
      set local deadlock_timeout = '1ms'; set local lock_timeout = 0;
      lock table queue in access exclusive mode; select pg_advisory_xact_lock(77); lock table tasks in access exclusive mode`);
    const migrating = migrate({ databaseUrl: database.url, log, folder: folder.url });
    const waits = (what: string) => eventually(async () => (await client.query(`select from pg_locks where not granted and ${what}`)).rowCount === 1);
    await waits(`locktype = 'advisory' and objid = 77`);
    const held = holder.query('lock table queue in row exclusive mode; commit');
    await waits(`locktype = 'relation' and relation = 'queue'::regclass`);
    await gate.query('select pg_advisory_unlock(77)');
    await held;
    expect(await migrating).to.deep.equal(['9000_both']);
  });

  it('are not bound by the time that a statement of the service may take', async () => {
    const database = await made(createTestDatabase());
    const folder = folderWith('9000_seen', `create table seen as select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`);
    await migrate({ databaseUrl: database.url, log, folder: folder.url });
    const { rows } = await (await connect(database)).query('select * from seen');
    expect(rows).to.deep.equal([{ statement: '0', lock: '1s' }]);
  });

  it('are applied once by two replicas that start at once', async () => {
    const database = await made(createEarlierDatabase(4));
    const both = await Promise.all([1, 2].map(() => migrate({ databaseUrl: database.url, log })));
    expect(both.flat().sort()).to.deep.equal(NAMES.slice(4));
    expect(await applied(await connect(database))).to.deep.equal(NAMES);
  });

  it('leave the schema before them whole where they are killed half way, and are repeated', async () => {
    const database = await made(createEarlierDatabase(1));
    const client = await connect(database);
    const half = folderWith('9000_half', 'create table half (n integer); select pg_terminate_backend(pg_backend_pid())');
    const error = await migrate({ databaseUrl: database.url, log, folder: half.url }).then(() => null, (reason: unknown) => reason);
    expect(error).to.be.an.instanceOf(Error);
    expect(await applied(client)).to.deep.equal(NAMES);
    expect((await client.query(SCHEMA)).rows).to.deep.equal((await (await connect(await made(createTestDatabase()))).query(SCHEMA)).rows);
    const whole = folderWith('9000_half', 'create table half (n integer)');
    expect(await migrate({ databaseUrl: database.url, log, folder: whole.url })).to.deep.equal(['9000_half']);
  });

  it('are refused on a database of a newer version, and so is serving it', async () => {
    const database = await made(createTestDatabase());
    await runSql(database.url, `insert into schema_migrations (name, timestamp) values ('9999_later', '2030-01-01T00:00:00.000Z')`);
    const config = readConfig(QUIET);
    for (const attempt of [() => migrate({ databaseUrl: database.url, log }), () => startServer({ config, databaseUrl: database.url, log })]) {
      const error = await attempt().then(() => null, (reason: unknown) => reason);
      expect(error).to.be.an.instanceOf(MigrationError);
      expect((error as Error).message).to.match(/a newer version of Task Executor: it has 9999_later/);
    }
  });

  it('go on from what was applied by hosts whose clocks differ', async () => {
    const database = await made(createEarlierDatabase(2));
    await runSql(database.url, `update schema_migrations set timestamp = '2001-01-01T00:00:00.000Z' where name like '0002%'`);
    expect(await migrate({ databaseUrl: database.url, log })).to.deep.equal(NAMES.slice(2));
  });

  it('that an earlier API cannot serve beside are refused while one is connected', async () => {
    const database = await made(createEarlierDatabase(1));
    const client = await connect(database);
    const earlier = new pg.Client({ connectionString: database.url, application_name: 'task-executor-api lease' });
    await earlier.connect();
    const error = await migrate({ databaseUrl: database.url, log }).then(() => null, (reason: unknown) => reason);
    expect(error).to.be.an.instanceOf(MigrationError);
    expect((error as Error).message).to.match(/Stop every API/);
    expect(await applied(client)).to.deep.equal(NAMES.slice(0, 1));
    await earlier.end();
    await eventually(async () => (await client.query(`select from pg_stat_activity where application_name = 'task-executor-api lease' and datname = current_database()`)).rowCount === 0);
    // Whose own connections do not count.
    await (await startServer({ config: readConfig(QUIET), databaseUrl: database.url, log })).stop();
    expect(await applied(client)).to.deep.equal(NAMES);
  });

  it('make a database of drafts the same as any other', async () => {
    const database = await made(createEmptyDatabase());
    const folder = folderOf(7);
    undo.push(() => folder.remove());
    await migrate({ databaseUrl: database.url, log, folder: folder.url });
    await runSql(database.url, `
      alter table ended_parents add primary key (task_id);
      drop index queue_expiring;
      create index queue_expiring on queue (expires_at) where expires_at is not null and state <> 'running';
      drop index workers_live;
      create index workers_by_lease on workers (lease_until) where ended_at is null;
      drop function uuid_v7(bigint, text);
      -- 0005 came later than 0006.
      delete from schema_migrations where name like '0005%';
      drop table attempt_progress, artifacts;
      drop function refuse_removal()`);
    await migrate({ databaseUrl: database.url, log });
    const usual = await made(createTestDatabase());
    expect((await (await connect(database)).query(SCHEMA)).rows).to.deep.equal((await (await connect(usual)).query(SCHEMA)).rows);
  });
});
