/** The API behind a real PgBouncer in transaction mode, which keeps nothing of a session from one transaction to the next. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { explainFailure } from '../src/cli.js';
import { readConfig } from '../src/config.js';
import { ROLE_SETTINGS } from '../src/db/settings.js';
import { startServer, type RunningServer } from '../src/server.js';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { callerOf, type Caller } from './support/api.js';
import { createEmptyDatabase, type TestDatabase } from './support/database.js';
import { findPgBouncer, PgBouncer, POOL_SIZE } from './support/pgbouncer.js';

const log = pino({ level: 'silent' });
const program = findPgBouncer();

/** The statements of docs/operating.md, for the role and the database of a test. */
function documentedSettings(role: string, database: string): string[] {
  const text = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^alter role task_executor_api in database task_executor set .*;$/gm)]
    .map(([statement]) => statement.replace('role task_executor_api', `role ${role}`).replace('database task_executor ', `database ${database} `));
}

describe('behind a pooler in transaction mode', () => {
  let database: TestDatabase;
  let direct: pg.Client;
  let bouncer: PgBouncer;
  const servers: RunningServer[] = [];
  let one: Caller;
  let other: Caller;

  before(async function () {
    if (program === null) {
      console.log('      pgbouncer is not installed: these tests are skipped');
      this.skip();
    }
    database = await createEmptyDatabase();
    direct = new pg.Client({ connectionString: database.url });
    await direct.connect();
    bouncer = await PgBouncer.start(program, database.url);
  });
  after(async () => {
    if (program === null) return;
    await Promise.all(servers.map((server) => server.stop()));
    await bouncer.stop();
    await direct.end();
    await database.drop();
  });

  const start = async (environment: Record<string, string> = {}, by = bouncer): Promise<Caller> => {
    const databaseUrl = by.through(database.url);
    const config = readConfig({
      PORT: '0', AUTO_START_WORKERS: 'false', NUM_INTERNAL_WORKERS: '0', SWEEP_INTERVAL_MS: '100', DATABASE_POOLER: 'transaction',
      DATABASE_URL: databaseUrl, ...environment,
    });
    try {
      const server = await startServer({ config, databaseUrl, log });
      servers.push(server);
      return { call: callerOf(server.url) };
    } catch (error) {
      throw new Error(explainFailure(error, config).message);
    }
  };
  const refusal = (environment: Record<string, string>, by = bouncer): Promise<string> =>
    start(environment, by).then(() => 'it started', (error: unknown) => (error as Error).message);
  const identifiers = async (): Promise<[role: string, name: string]> => {
    const { rows: [row] } = await direct.query<{ role: string; name: string }>(
      'select quote_ident(current_user) as role, quote_ident(current_database()) as name');
    return [row?.role ?? '', row?.name ?? ''];
  };
  /** Who holds the lock of migrations. */
  const migrating = async (): Promise<number> => (await direct.query(`
    select from pg_locks l join pg_database d on d.oid = l.database
     where d.datname = current_database() and locktype = 'advisory' and (classid::bigint << 32 | objid::bigint) = 3853314791062309107`)).rowCount ?? 0;

  it('does not start before the role bounds statements, locks and idle transactions, and says how to make it', async () => {
    const [role, name] = await identifiers();
    const bounds = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    for (const bound of bounds) await direct.query(`alter role ${role} in database ${name} set ${bound} = 0`);
    const message = await refusal({});
    const told = message.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('alter role'));
    for (const setting of bounds) {
      expect(told).to.include(`alter role ${role} in database ${name} set ${setting} = '${ROLE_SETTINGS[setting] ?? ''}';`);
    }
    // A bound that is longer than ours is none; neither is one that other sessions have already.
    await direct.query(`alter role ${role} in database ${name} set lock_timeout = '1h'`);
    for (const statement of told.filter((one) => !one.includes('lock_timeout'))) await direct.query(statement);
    await bouncer.reconnect();
    const second = await refusal({});
    expect(second).to.include(' set lock_timeout = ').and.not.to.include('statement_timeout');
  });

  it('needs what the documentation says', async () => {
    const [role, name] = await identifiers();
    const statements = documentedSettings(role, name);
    expect(statements).to.deep.equal(Object.entries(ROLE_SETTINGS)
      .map(([setting, value]) => `alter role ${role} in database ${name} set ${setting} = '${value}';`));
    for (const statement of statements) await direct.query(statement);
    await bouncer.reconnect();
  });

  it('says so where it is not told of the pooler, whether that refuses the settings of sessions or ignores them', async () => {
    expect(await refusal({ DATABASE_POOLER: '' })).to.include('DATABASE_POOLER=transaction').and.include('options');
    const ignoring = await PgBouncer.start(program ?? '', database.url, { ignore_startup_parameters: 'options' });
    try {
      expect(await refusal({ DATABASE_POOLER: '' }, ignoring)).to.include('DATABASE_POOLER=transaction').and.include('`options`');
    } finally {
      await ignoring.stop();
    }
    expect(await refusal({ DATABASE_URL: database.url, DATABASE_LISTEN_URL: 'mysql://x' })).to.include('DATABASE_LISTEN_URL');
  });

  it('migrates an empty database once, by whichever replica, and leaves no lock behind', async () => {
    [one, other] = await Promise.all([start(), start()]);
    expect(await migrating()).to.equal(0);
    for (const replica of [one, other]) await submitTask(replica, { problem_id: 'migrated' });
    const { rows } = await direct.query<{ name: string }>('select name from schema_migrations order by name');
    const files = readdirSync(new URL('../migrations/', import.meta.url)).sort();
    expect(rows.map(({ name }) => `${name}.sql`)).to.deep.equal(files);
    expect((await one.call('GET', '/api/v1/tasks?problem_id=migrated')).body.total).to.equal(2);
  });

  it('does everything that it does without, on few connections', async () => {
    const worker = await TestWorker.register(one, { globs: ['flow-*'], parallel: 50 });
    const waiting = worker.claim({ wait_seconds: 30 });
    const first = await submitTask(one, { problem_id: 'flow-a', labels: { team: 'x' } });
    expect((await waiting).body.id).to.equal(first);

    // More repetitions at once than there are connections: a statement that one of them had prepared would be missing in the others.
    const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => submitTask(n % 2 === 0 ? one : other, { problem_id: 'flow-b' })));
    const batch = await other.call('POST', '/api/v1/tasks/batch', {
      tasks: [{ problem_id: 'flow-c', parameters: {} }, { problem_id: 'flow-c', parameters: { n: 1 } }],
    });
    expect(batch.status).to.equal(201);
    const keyed = (): Promise<{ status: number; body: { id: string } }> =>
      one.call('POST', '/api/v1/tasks', { problem_id: 'other-a', parameters: {} }, { 'idempotency-key': 'pooled-1' });
    const [left, right] = await Promise.all([keyed(), keyed()]);
    expect(left.body.id).to.equal(right.body.id);
    const child = await submitTask(other, { problem_id: 'flow-d', depends_on: [first] });

    const claimed = await Promise.all(ids.map(async (_, n) => worker.at(n % 2 === 0 ? one : other).claim()));
    expect(new Set(claimed.map(({ body }) => body.id as string)).size).to.equal(ids.length);
    const { rowCount } = await direct.query(`
      select from pg_stat_activity
       where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`);
    expect(rowCount).to.be.within(1, POOL_SIZE);
    expect((await worker.heartbeat({ status: 'busy' })).status).to.equal(200);
    await Promise.all([first, ...claimed.map(({ body }) => body.id as string)].map(async (id, n) => {
      const at = worker.at(n % 2 === 0 ? one : other);
      expect((await at.report('logs', id, { entries: [{ level: 'info', message: `line of ${id}` }] })).status).to.equal(200);
      expect((await at.report('progress', id, { step: 1 })).status).to.equal(204);
      expect((await at.report(n === 1 ? 'fail' : 'complete', id, n === 1 ? { error: 'no', retryable: false } : { n })).status).to.equal(200);
    }));

    expect((await other.call('GET', `/api/v1/tasks/${first}/logs`)).body.logs.map((entry: { message: string }) => entry.message)).to.deep.equal([`line of ${first}`]);
    const listed = await one.call('GET', '/api/v1/tasks?status=completed&label=team=x&page_size=10');
    expect(listed.body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([first]);
    expect((await other.call('GET', '/api/v1/tasks/stats')).body).to.include({ completed_tasks: ids.length, failed_tasks: 1 });
    const exported = await one.call('GET', '/api/v1/tasks/export?problem_id=flow-b');
    expect(String(exported.body).split('\n').filter((line) => line.includes('"type":"task"'))).to.have.length(ids.length);
    expect((await taskIn(one, child, 'pending')).reason).to.equal('ready');
    const cancelled = batch.body.tasks[0].id as string;
    expect((await other.call('POST', `/api/v1/tasks/${cancelled}/cancel`)).body.status).to.equal('cancelled');
    const bulk = await one.call('POST', '/api/v1/bulk-operations', { action: 'cancel', filter: { problem_id: 'flow-c' } });
    await eventually(async () => (await other.call('GET', `/api/v1/bulk-operations/${bulk.body.id}`)).body.changed === 1);
    const schedule = await one.call('POST', '/api/v1/schedules', { cron: '* * * * * *', task: { problem_id: 'other-s' } });
    await eventually(async () => (await other.call('GET', `/api/v1/schedules/${schedule.body.id}`)).body.fires > 0);
    expect((await one.call('DELETE', `/api/v1/schedules/${schedule.body.id}`)).status).to.equal(204);
  });

  it('finds by polling what came over another replica, and hears of it where there is a way past the pooler', async () => {
    const listening = async (): Promise<number> => (await direct.query(`
      select from pg_stat_activity
       where datname = current_database() and application_name = 'task-executor-api listener'`)).rowCount ?? 0;
    expect(await listening()).to.equal(0);
    const worker = await TestWorker.register(other, { globs: ['wake-*'] });
    expect((await worker.claim()).status).to.equal(204);
    const waiting = worker.claim({ wait_seconds: 30 });
    const id = await submitTask(one, { problem_id: 'wake-a' });
    expect((await waiting).body.id).to.equal(id);
    const ended = other.call('GET', `/api/v1/tasks/${id}?wait_seconds=30`);
    await worker.at(one).report('complete', id, {});
    expect((await ended).body.status).to.equal('completed');

    const [third, fourth] = await Promise.all([start({ DATABASE_LISTEN_URL: database.url }), start({ DATABASE_LISTEN_URL: database.url })]);
    expect(await listening()).to.equal(2);
    const told = await submitTask(third, { problem_id: 'wake-b' });
    expect((await worker.at(third).claim()).body.id).to.equal(told);
    // Nothing but a hint ends this heartbeat before its time.
    const heartbeat = worker.at(fourth).heartbeat({ attempts: [{ task_id: told, attempt: 1 }], wait_seconds: 30 });
    await third.call('POST', `/api/v1/tasks/${told}/cancel`);
    expect((await heartbeat).body.directives.cancel).to.have.length(1);
  });

  it('tells an idle worker of a drain that was asked of another replica', async () => {
    const third = await start({ LEASE_SECONDS: '3', HEARTBEAT_INTERVAL_SECONDS: '0.5' });
    const worker = await TestWorker.register(third, { globs: ['drained-*'] });
    const claim = third.call('POST', `/api/v1/workers/${worker.id}/claim-batch`, { idle: true, wait_seconds: 300 }, { 'worker-session': worker.session });
    // By then the claim has looked for directives at its beginning.
    const moments = new Set<string>();
    await eventually(async () => moments.add((await one.call('GET', `/api/v1/workers/${worker.id}`)).body.last_heartbeat as string).size > 2);
    await one.call('POST', `/api/v1/workers/${worker.id}/drain`);
    expect((await claim).body).to.deep.include({ tasks: [], directives: { cancel: [], lost: [], drain: true } });
  });

  it('recovers when the pooler dies and comes back', async () => {
    const api = one;
    const worker = await TestWorker.register(api, { globs: ['again-*'] });
    const id = await submitTask(api, { problem_id: 'again-a' });
    expect((await worker.claim()).body.id).to.equal(id);
    await bouncer.kill();
    const refused = await api.call('POST', '/api/v1/tasks', { problem_id: 'again-b', parameters: {} });
    expect(refused.body).to.include({ status: 503, code: 'database_unavailable', retryable: true });
    await bouncer.resume();
    await eventually(async () => (await worker.report('complete', id, {})).status === 200);
    expect(await readTask(api, id)).to.include({ status: 'completed', attempt: 1 });
  });
});
