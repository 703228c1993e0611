/**
 * Races in which more than one task has a part: for the last place under a limit or in a session, for a dedupe_key, for an equal
 * task's result, between the ends of two parents of one child, between two reports in one statement. The second has to wait for
 * the first, and then sees what it did; only where another task will do does it leave a locked one alone.
 */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { isDeadlock } from '../src/db/errors.js';
import { adjust } from '../src/queue/adjust.js';
import { advanceBulk, createBulk } from '../src/queue/bulk.js';
import { cancelMany } from '../src/queue/cancel.js';
import { claim } from '../src/queue/claim.js';
import { wakeDependents } from '../src/queue/dependents.js';
import { createLimit } from '../src/queue/limits.js';
import { report } from '../src/queue/report.js';
import { changeSchedule, createSchedule, endSchedule, findSchedule, fireNext } from '../src/queue/schedule.js';
import type { Edge, Submission } from '../src/queue/submission.js';
import { submit, withRaces, type Submitted } from '../src/queue/submit.js';
import { sweepExpired } from '../src/queue/sweep.js';
import { NO_FILTER } from './support/filters.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { expectInvariants } from './support/invariants.js';
import { AGEING_MS, LEASE_SECONDS, setScene, settle, submission, type Scene, type TestSession } from './races/scene.js';
import { together } from './races/together.js';

describe('races between tasks', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let databases: Databases;
  let db: Database;
  before(async () => {
    database = await createTestDatabase();
    databases = openDatabases(database.url, { lease: 1, general: 4 }, pino({ level: 'silent' }));
    db = databases.general;
  });
  afterEach(() => expectInvariants(db, { settled: true }));
  after(async () => {
    await databases.close();
    await database.drop();
  });

  /** The task that a claim got, or null. */
  const take = async (on: Database, session: TestSession, requestId: string | null = null): Promise<string | null> => {
    const [claimed] = await claim(on, [{ ...session, requestId, wanted: 1, leaseSeconds: LEASE_SECONDS }]);
    return claimed?.kind === 'claimed' ? claimed.tasks[0]?.id ?? null : null;
  };
  const offer = (task: Submission, edges: Edge[] = []) => (on: Database): Promise<Submitted> =>
    withRaces(() => (on.isTransaction ? submit(on, AGEING_MS, [task], edges) : on.transaction().execute((own) => submit(own, AGEING_MS, [task], edges))));
  const idOf = ({ rows }: Submitted): string => rows[0]?.id ?? '';
  const end = async (on: Database, { holder, taskId }: Scene) => (await report(on, [{
    reporter: { ...holder, taskId, attempt: 1, leaseSeconds: LEASE_SECONDS }, report: { outcome: 'completed', result: { n: 1 } },
  }]))[0] ?? null;
  const stateOf = async (id: string): Promise<string | undefined> => (await sql<{ state: string }>`
    select concat_ws(' ', coalesce(o.status, q.state), coalesce(o.reason, q.wait_reason)) as state
      from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id where t.id = ${id}::uuid`.execute(db)).rows[0]?.state;
  /** A running task on a worker of its own, and a child of it and of `others`. */
  const withChild = async (others: readonly string[] = []): Promise<{ scene: Scene; child: string }> => {
    const scene = await setScene(db, 'running');
    const parents = [scene.taskId, ...others];
    const child = await offer({ ...submission(scene.problem), backendType: 'none' }, parents.map((parent) => ({ child: 0, parent, name: parent })))(db);
    return { scene, child: idOf(child) };
  };

  for (const value of [null, 'mine'] as const) {
    it(`gives the last place under a limit on ${value === null ? 'each value' : 'one value'} to one of two claims`, async () => {
      const { claimers, problem, taskId } = await setScene(db, 'pending');
      await offer(submission(problem))(db);
      await createLimit(db, { key: 'problem_id', value: value === null ? null : problem, maxRunning: 1 });
      const { first, second, waited } = await together(databases, (on) => take(on, claimers[0]), (on) => take(on, claimers[1]));
      expect([first, second, waited]).to.deep.equal([taskId, null, true]);
      await sql`delete from limits`.execute(db);
    });
  }

  it('gives the last place of a session to one of two claims', async () => {
    const { claimers, problem, taskId } = await setScene(db, 'pending');
    await offer(submission(problem))(db);
    const { first, second, waited } = await together(databases, (on) => take(on, claimers[0]), (on) => take(on, claimers[0]));
    expect([first, second, waited]).to.deep.equal([taskId, null, true]);
  });

  for (const where of ['the front of the queue', 'a lane'] as const) {
    it(`leaves a task at ${where} that is locked to others, and gives the next one`, async () => {
      const { claimers, problem, taskId } = await setScene(db, 'pending');
      const next = idOf(await offer(submission(problem))(db));
      if (where === 'a lane') await createLimit(db, { key: 'problem_id', value: null, maxRunning: 1 });
      const { first, second, waited } = await together(databases, (on) => cancelMany(on, [taskId]), (on) => take(on, claimers[0]));
      expect([first.length, second, waited]).to.deep.equal([1, next, false]);
      await sql`delete from limits`.execute(db);
    });
  }

  it('gives a claim that is repeated while the first one is under way the same task', async () => {
    const { claimers, problem, taskId } = await setScene(db, 'pending');
    await offer(submission(problem))(db);
    const { first, second, waited } = await together(databases, (on) => take(on, claimers[0], 'one'), (on) => take(on, claimers[0], 'one'));
    expect([first, second, waited]).to.deep.equal([taskId, taskId, true]);
  });

  it('stores one of two submissions with a dedupe_key', async () => {
    const { problem } = await setScene(db, 'pending');
    const task = { ...submission(problem), dedupeKey: problem };
    const { first, second, waited } = await together(databases, offer(task), offer(task));
    expect([first.created, second.created, waited]).to.deep.equal([[true], [false], true]);
    expect(idOf(second)).to.equal(idOf(first));
  });

  it('lets one of two equal submissions that ask for reuse wait for the other', async () => {
    const { problem } = await setScene(db, 'pending');
    const task = { ...submission(`${problem}-reuse`), reuseSeconds: 60 };
    const { first, second, waited } = await together(databases, offer(task), offer(task));
    expect(waited).to.equal(true);
    expect([await stateOf(idOf(first)), await stateOf(idOf(second))]).to.deep.equal(['pending', 'waiting reusing']);
  });

  it('does not let a change of a schedule undo a fire, and lets one that counts no fire anew go on', async () => {
    const created = await createSchedule(db, { name: null, cron: '0 0 1 1 *', timezone: 'UTC', task: {}, overlap: 'allow', misfire: 'run_once', paused: false });
    const id = created?.id ?? '';
    for (const [changes, isRefused] of [[{ cron: '5 5 5 5 *' }, true], [{ name: 'renamed' }, false]] as const) {
      await sql`update schedules set next_at = date_trunc('second', now()) where id = ${id}::uuid`.execute(db);
      const before = await findSchedule(db, id);
      const fire = (on: Database) => fireNext(on, [], 0, async () => idOf(await submit(on, AGEING_MS, [submission('race-fire')])), () => undefined);
      const { first, second, waited } = await together(databases, fire, (on) => changeSchedule(on, before!, changes));
      expect([first?.fired, second === null, waited]).to.deep.equal([true, isRefused, true]);
      expect((await findSchedule(db, id))?.next_at?.toISOString()).to.match(/-01-01T00:00:00.000Z$/);
    }
    expect(await changeSchedule(db, (await findSchedule(db, id))!, { cron: '5 5 5 5 *' })).to.include({ cron: '5 5 5 5 *', fires: 2 });
    await endSchedule(db, id);
  });

  it('takes the first of two reports about one attempt in one statement', async () => {
    const scene = await setScene(db, 'running');
    const reporter = { ...scene.holder, taskId: scene.taskId, attempt: 1, leaseSeconds: LEASE_SECONDS };
    const [first, second] = await report(db, [
      { reporter, report: { outcome: 'released', reason: null } }, { reporter, report: { outcome: 'completed', result: {} } },
    ]);
    expect([first?.fate, second]).to.deep.equal(['requeued', null]);
  });

  it('stores a child at once whose parent ends while it is submitted', async () => {
    const scene = await setScene(db, 'running');
    const child = { ...submission(scene.problem), backendType: 'none' };
    const { second, waited } = await together(databases, (on) => end(on, scene), (on) => on.transaction().execute(
      (transaction) => submit(transaction, AGEING_MS, [child], [{ child: 0, parent: scene.taskId, name: 'parent' }])));
    expect(waited).to.equal(true);
    expect(second.rows[0]).to.include({ status: 'pending', reason: null });
  });

  it('frees a child whose two parents end at once', async () => {
    const other = await setScene(db, 'running');
    const { scene, child } = await withChild([other.taskId]);
    await together(databases, (on) => end(on, scene), (on) => end(on, other));
    await settle(db);
    expect(await stateOf(child)).to.equal('pending');
  });

  it('frees a child of which two replicas hear at once, each from one parent', async () => {
    const other = await setScene(db, 'running');
    const { scene, child } = await withChild([other.taskId]);
    await end(db, scene);
    const { first, waited } = await together(databases, async (on) => {
      const woken = await wakeDependents(on);
      await end(db, other);
      return woken;
    }, wakeDependents);
    expect([first?.map(({ fate }) => fate), waited]).to.deep.equal([['waiting'], true]);
    expect(await stateOf(child)).to.equal('pending');
  });

  it('ends a child once whose parents fail at once, and its own children with it', async () => {
    const other = await setScene(db, 'running');
    const { scene, child } = await withChild([other.taskId]);
    const grandchild = idOf(await offer({ ...submission(scene.problem), backendType: 'none' }, [{ child: 0, parent: child, name: 'child' }])(db));
    await together(databases, async (on) => {
      await cancelMany(on, [scene.taskId]);
      return wakeDependents(on);
    }, async (on) => {
      await cancelMany(on, [other.taskId]);
      return wakeDependents(on);
    });
    await settle(db);
    expect([await stateOf(child), await stateOf(grandchild)]).to.deep.equal(['cancelled dependency_failed', 'cancelled dependency_failed']);
  });

  it('cancels a child while its parent completes: either comes first, and nothing comes twice', async () => {
    const { scene, child } = await withChild();
    await end(db, scene);
    const { second, waited } = await together(databases, wakeDependents, (on) => cancelMany(on, [child]));
    expect([second.length, waited]).to.deep.equal([1, true]);
    const { scene: again, child: second2 } = await withChild();
    await end(db, again);
    expect((await together(databases, (on) => cancelMany(on, [second2]), wakeDependents)).waited).to.equal(true);
    expect([await stateOf(child), await stateOf(second2)]).to.deep.equal(['cancelled cancel_requested', 'cancelled cancel_requested']);
  });

  it('stores a submission whose dedupe_key is that of a task that is just expiring', async () => {
    const task = { ...submission('race-expiring'), dedupeKey: 'expiring' };
    const old = idOf(await offer(task)(db));
    await sql`update queue set expires_at = now() - interval '1 second' where task_id = ${old}::uuid`.execute(db);
    const { second, waited } = await together(databases, (on) => sweepExpired(on, [old]), offer({ ...task, expiresAt: null }));
    expect([second.created, waited]).to.deep.equal([[true], true]);
    expect([await stateOf(old), await stateOf(idOf(second))]).to.deep.equal(['timeout expired', 'pending']);
  });

  it('retries a task once that two bulk operations come to at once', async () => {
    const { problem, taskId } = await setScene(db, 'pending');
    await cancelMany(db, [taskId]);
    const filter = { ...NO_FILTER, problemId: problem };
    await createBulk(db, 'retry', filter);
    await createBulk(db, 'retry', filter);
    const advance = (on: Database) => advanceBulk(on, AGEING_MS, 200);
    const { first, second, waited } = await together(databases, advance, (on) => on.transaction().execute(advance));
    expect([first?.submitted.rows.map(({ retry_of: of }) => of), second?.submitted.rows, waited]).to.deep.equal([[taskId], [], true]);
  });

  it('locks many tasks in one order, whatever the order they are named in', async () => {
    const [one, two] = [await setScene(db, 'pending'), await setScene(db, 'pending')];
    const ids = [one.taskId, two.taskId];
    // So that the rows do not lie in the order of their ids.
    await adjust(db, AGEING_MS, one.taskId, { priority: 9, runAt: null });
    const edges = (order: readonly string[]): Edge[] => order.map((parent) => ({ child: 0, parent, name: parent }));
    // While the test holds the second row all have to wait: for it, or for whoever holds the first row and waits for it.
    const child = submission(one.problem);
    let deadlocks = 0;
    // A submission that meets a deadlock is run again, so nothing else would show it.
    const submitOnce = () => db.transaction().execute((own) => submit(own, AGEING_MS, [child], edges([...ids].reverse()))).catch((error: unknown) => {
      deadlocks += Number(isDeadlock(error));
      throw error;
    });
    const acts = [() => cancelMany(db, [...ids].reverse()), () => withRaces(submitOnce), () => cancelMany(db, ids)] as const;
    const { second: ended } = await together(
      databases,
      (on) => sql`select from queue where task_id = ${two.taskId}::uuid for update`.execute(on),
      () => Promise.all([acts[0](), acts[1](), acts[2]()]),
      acts.length,
    );
    const [cancelled, submitted, cancelledToo] = ended;
    expect([cancelled.length + cancelledToo.length, deadlocks]).to.deep.equal([2, 0]);
    await settle(db);
    expect(await stateOf(idOf(submitted))).to.equal('cancelled dependency_failed');
  });
});
