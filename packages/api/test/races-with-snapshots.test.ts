/**
 * Statements that look for their rows in a snapshot and then lock them: what was committed in between decides, not what the
 * snapshot showed. Each is held at that point, without luck or sleeps; see races/gate.
 */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { lapseSessions } from '../src/fleet/lapse.js';
import { register } from '../src/fleet/register.js';
import { adjust } from '../src/queue/adjust.js';
import { cancel } from '../src/queue/cancel.js';
import { claim, claimMemory } from '../src/queue/claim.js';
import { Front } from '../src/queue/front.js';
import { report } from '../src/queue/report.js';
import { createSchedule, findSchedule, fireNext } from '../src/queue/schedule.js';
import { submit } from '../src/queue/submit.js';
import { sweepDue, sweepExpired, sweepSessions, sweepTimeouts } from '../src/queue/sweep.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { expectInvariants } from './support/invariants.js';
import { gated, shutGate } from './races/gate.js';
import { AGEING_MS, hasTask, LEASE_SECONDS, registration, setScene, stateOf, submission, type Scene, type TestSession } from './races/scene.js';
import { together } from './races/together.js';

describe('races with snapshots', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let databases: Databases;
  let db: Database;
  before(async () => {
    database = await createTestDatabase();
    databases = openDatabases(database.url, { lease: 1, general: 4 }, pino({ level: 'silent' }));
    db = databases.general;
  });
  afterEach(() => expectInvariants(db, { settled: false }));
  after(async () => {
    await databases.close();
    await database.drop();
  });

  const take = async (on: Database, session: TestSession, plainAt = 0): Promise<boolean> =>
    (await claim(on, [{ ...session, requestId: null, wanted: 1, leaseSeconds: LEASE_SECONDS }], null, { ...claimMemory(new Front()), plainAt })).some(hasTask);
  const release = async (on: Database, { holder, taskId }: Scene): Promise<void> => {
    const reporter = { ...holder, taskId, attempt: 1, leaseSeconds: LEASE_SECONDS };
    expect((await report(on, [{ reporter, report: { outcome: 'released', reason: null } }]))[0]?.fate).to.equal('requeued');
  };
  const registerAnew = async (on: Database, { holder, problem }: Scene): Promise<TestSession> => {
    const registered = await register(on, registration(holder.workerId, problem));
    if (registered === null) throw new Error('the worker could not register');
    return registered;
  };
  /** `late` has its snapshot, then `early` is committed, then `late` locks what it has found at `place`. What `late` gave. */
  async function overtaken<T>(early: (on: Database) => Promise<unknown>, place: string, late: (on: Database) => Promise<T>): Promise<T> {
    const { second, waited } = await together(databases, async (on) => {
      await shutGate(on);
      await early(on);
    }, (on) => late(gated(on, place)));
    expect(waited).to.equal(true);
    return second;
  }

  it('take no task from a session that has registered and claimed since', async () => {
    const scene = await setScene(db, 'running');
    await sql`update workers set ended_at = now(), end_reason = 'lapsed' where id = ${scene.holder.workerId}`.execute(db);
    const swept = await overtaken(async (on) => {
      await sweepSessions(on, [scene.taskId]);
      expect(await take(on, await registerAnew(on, scene))).to.equal(true);
    }, 'from queue q\n', (on) => sweepSessions(on, [scene.taskId]));
    expect([swept, await stateOf(db, scene)]).to.deep.equal([[], 'running attempt 2 of holder lost 0 blockers 0 lines']);
  });

  it('end no attempt that began after the one that was past its deadline', async () => {
    const scene = await setScene(db, 'running');
    await sql`update queue set deadline_at = now() - interval '1 second' where task_id = ${scene.taskId}::uuid`.execute(db);
    const swept = await overtaken(async (on) => {
      await release(on, scene);
      expect(await take(on, scene.claimers[0])).to.equal(true);
    }, 'from queue q\n', (on) => sweepTimeouts(on, [scene.taskId]));
    expect([swept, await stateOf(db, scene)]).to.deep.equal([[], 'running attempt 2 of claimer 1 released 0 blockers 0 lines']);
  });

  it('let no task expire that has ended', async () => {
    const scene = await setScene(db, 'pending');
    await sql`update queue set expires_at = now() - interval '1 second' where task_id = ${scene.taskId}::uuid`.execute(db);
    const swept = await overtaken((on) => cancel(on, scene.taskId), 'from queue q\n', (on) => sweepExpired(on, [scene.taskId]));
    expect([swept, await stateOf(db, scene)]).to.deep.equal([[], 'cancelled cancel_requested attempt 0 0 lines']);
  });

  it('begin no task that was put off', async () => {
    const scene = await setScene(db, 'pending');
    await adjust(db, AGEING_MS, scene.taskId, { priority: null, runAt: '2100-01-01T00:00:00Z' });
    await sql`update queue set available_at = now() - interval '1 second' where task_id = ${scene.taskId}::uuid`.execute(db);
    const due = await overtaken((on) => adjust(on, AGEING_MS, scene.taskId, { priority: null, runAt: '2100-01-01T00:00:00Z' }), 'from queue q\n', (on) => sweepDue(on, [scene.taskId]));
    expect([due, await stateOf(db, scene)]).to.deep.equal([[], 'waiting scheduled attempt 0 0 blockers 0 lines']);
  });

  it('end no session that has registered since', async () => {
    const scene = await setScene(db, 'pending');
    await sql`update workers set lease_until = now() - interval '1 second' where id = ${scene.holder.workerId}`.execute(db);
    const lapsed = await overtaken((on) => registerAnew(on, scene), 'from workers\n', (on) => lapseSessions(on, { presentSeconds: 1, maxGapSeconds: 60, leaseSeconds: 0 }));
    expect(lapsed).to.deep.equal([]);
  });

  it('see the task of a fire that was made since', async () => {
    const schedule = await createSchedule(db, {
      name: null, cron: '* * * * * *', timezone: 'UTC', task: {}, overlap: 'skip', misfire: 'run_once', paused: false,
    });
    if (schedule === null) throw new Error('there are too many schedules');
    // Two fires, of which the second is due as soon as the first is made.
    await sql`update schedules set next_at = date_trunc('second', now()) - interval '10 seconds' where id = ${schedule.id}::uuid`.execute(db);
    const fire = (on: Database): ReturnType<typeof fireNext> => fireNext(on, [], 0, async ({ id }) => {
      const { rows } = await submit(on, AGEING_MS, [{ ...submission('recurs'), scheduleId: id }]);
      return rows[0]?.id ?? '';
    }, () => undefined);
    const second = await overtaken(fire, 'from schedules s\n', (on) => on.transaction().execute(fire));
    expect(second).to.deep.equal({ id: schedule.id, fired: false });
    expect(await findSchedule(db, schedule.id)).to.include({ fires: 1, skips: 1 });
  });

  for (const [name, place, plainAt] of [
    ['the front of the queue, by the shorter statement,', 'from near join', 0], ['the front of the queue', 'from near join', Infinity],
    ['a lane', 'from (select * from candidates', Infinity],
  ] as const) {
    it(`claim no task at ${name} that another has claimed since, and none that has ended`, async () => {
      if (place !== 'from near join') await sql`
        insert into limits (id, key, value, max_running, created_at, updated_at) values (gen_random_uuid(), 'problem_id', null, 1, now(), now())`.execute(db);
      const scene = await setScene(db, 'pending');
      expect(await overtaken((on) => take(on, scene.claimers[0]), place, (on) => take(on, scene.claimers[1], plainAt))).to.equal(false);
      expect(await stateOf(db, scene)).to.equal('running attempt 1 of claimer 1 0 blockers 0 lines');
      const other = await setScene(db, 'pending');
      expect(await overtaken((on) => cancel(on, other.taskId), place, (on) => take(on, other.claimers[0], plainAt))).to.equal(false);
      await sql`delete from limits`.execute(db);
    });
  }
});
