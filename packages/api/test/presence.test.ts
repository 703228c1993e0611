/** Leases while the API itself was away: whom it could not hear it does not take for silent. */
import { expect } from 'chai';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import { DatabaseAway } from '../src/db/errors.js';
import { Presence } from '../src/waiting/presence.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Caller, type TestApi } from './support/api.js';

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

  it('begins anew where leases cannot be written, or only after as long as a pause', async () => {
    let now = 0;
    const presence = new Presence({ maxGapMs: 10_000, now: () => now });
    const pass = (ms: number): void => {
      for (const end = now + ms; now < end; now += 1_000) presence.tick();
    };
    presence.answered();
    pass(30_000);
    await presence.writing(() => {
      pass(9_000);
      return Promise.resolve();
    });
    const refused = new Error('what somebody asked for is wrong');
    expect(await presence.writing(() => Promise.reject(refused)).catch((error: unknown) => error)).to.equal(refused);
    expect(presence.seconds).to.equal(39);
    await presence.writing(() => Promise.reject(new DatabaseAway())).catch(() => undefined);
    expect(presence.seconds).to.equal(0);
    presence.answered();
    pass(30_000);
    await presence.writing(() => {
      pass(12_000);
      presence.answered();
      // While it is under way, too.
      expect(presence.seconds).to.equal(0);
      return Promise.resolve();
    });
    expect(presence.seconds).to.equal(0);
    presence.answered();
    pass(2_000);
    expect(presence.seconds).to.equal(2);
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

describe('leases after a time in which the database could only be read', () => {
  let api: TestApi;
  let replica: Caller;
  let own: pg.Client;
  let failedSweeps = 0;
  const log = pino({ level: 'warn' }, {
    write(line: string) {
      if (line.includes('sweep_failed')) failedSweeps += 1;
    },
  });
  beforeEach(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000' }, {}, log);
    own = new pg.Client({ connectionString: api.databaseUrl });
    await own.connect();
    // As the database refuses it while it is read-only, without the loss of connections that goes with a switch-over.
    await own.query(`
      create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'read-only' using errcode = 'read_only_sql_transaction'; end $$`);
    await own.query('set session_replication_role = replica');
  });
  afterEach(async () => {
    await own.end();
    await api.stop();
  });

  const readOnly = () => own.query('create trigger refused before update on workers for each statement execute function refuse()');
  const writable = () => own.query('drop trigger refused on workers');
  const lapse = () => own.query(`update workers set lease_until = now() - interval '1 second'`);
  /** Has the replica do at least one whole round that begins from now on. */
  async function swept(): Promise<void> {
    const due = await submitTask(api, { problem_id: 'due', run_at: '2100-01-01T00:00:00Z' });
    await sql`update queue set available_at = now() where task_id = ${due}::uuid`.execute(api.db);
    await eventually(async () => {
      const { rows: [task] } = await sql<{ state: string }>`select state from queue where task_id = ${due}::uuid`.execute(api.db);
      return task?.state === 'pending';
    });
  }
  /** A worker with a task, heard by a replica that has been there for a while. */
  async function heard(settings: Record<string, string>): Promise<{ worker: TestWorker; id: string }> {
    replica = await api.replica({ SWEEP_INTERVAL_MS: '20', ...settings });
    await swept();
    const worker = await TestWorker.register(replica, { globs: ['runs'] });
    const id = await submitTask(api, { problem_id: 'runs' });
    expect((await worker.claim()).body.id).to.equal(id);
    return { worker, id };
  }
  const LONG = { LEASE_SECONDS: '1000', HEARTBEAT_INTERVAL_SECONDS: '5' };

  it('leaves tasks to workers whose leases lapsed meanwhile', async () => {
    const { worker, id } = await heard(LONG);
    await readOnly();
    await lapse();
    failedSweeps = 0;
    // Of as many steps that fail at least one is that of the leases, in a whole round.
    await eventually(() => Promise.resolve(failedSweeps >= 20));
    await writable();
    await swept();
    await swept();
    expect((await worker.report('complete', id, {}, 1)).body).to.include({ status: 'completed', attempt: 1 });
  });

  it('leaves tasks to workers whose heartbeats were refused, where leases lapse soon after it', async () => {
    const { worker, id } = await heard(LONG);
    await readOnly();
    expect((await worker.heartbeat()).status).to.equal(503);
    await writable();
    await lapse();
    await swept();
    await swept();
    expect((await worker.report('complete', id, {}, 1)).body).to.include({ status: 'completed', attempt: 1 });
  });

  it('leaves tasks to workers whose leases lapsed while somebody held a lock on all of them', async () => {
    const { worker, id } = await heard({ LEASE_SECONDS: '5', HEARTBEAT_INTERVAL_SECONDS: '1' });
    await own.query('begin');
    await own.query('lock table workers in share mode');
    await eventually(async () => (await sql`
      select from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and query like '%lapsed%'
         and clock_timestamp() > query_start + interval '1.7 seconds'`.execute(api.db)).rows.length === 1);
    await own.query('commit');
    await swept();
    expect((await worker.report('complete', id, {}, 1)).body).to.include({ status: 'completed', attempt: 1 });
  });
});
