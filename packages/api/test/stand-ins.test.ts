/** Stand-ins, step by step: who runs where equal tasks wait for one that ends without a result, and what that leaves in the tables. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { cancelMany } from '../src/queue/cancel.js';
import { claim } from '../src/queue/claim.js';
import { wakeDependents } from '../src/queue/dependents.js';
import { report } from '../src/queue/report.js';
import type { Submission } from '../src/queue/submission.js';
import { submit } from '../src/queue/submit.js';
import { AGEING_MS, LEASE_SECONDS, setScene, settle, submission, type Scene } from './races/scene.js';
import { together } from './races/together.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { expectInvariants } from './support/invariants.js';

describe('stand-ins', function () {
  this.timeout(60_000);
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

  /** Tasks equal to that of the scene, which ask for reuse. */
  const followers = async ({ problem }: Scene, count: number, more: Partial<Submission> = {}): Promise<string[]> => {
    const task = { ...submission(problem), reuseSeconds: 3600, maxAttempts: 1, ...more };
    const { rows } = await db.transaction().execute((on) => submit(on, AGEING_MS, Array.from({ length: count }, () => task)));
    return rows.map(({ id }) => id);
  };
  const claimed = async ({ holder }: Scene): Promise<string | null> => {
    const [one] = await claim(databases.lease, [{ ...holder, requestId: null, wanted: 1, leaseSeconds: LEASE_SECONDS }]);
    return one?.kind === 'claimed' ? one.tasks[0]?.id ?? null : null;
  };
  /** The task ends, and nobody is told yet. */
  const end = async ({ holder }: Scene, taskId: string, outcome: 'completed' | 'failed'): Promise<void> => {
    const [ended] = await report(databases.lease, [{
      reporter: { ...holder, taskId, attempt: 1, leaseSeconds: LEASE_SECONDS },
      report: outcome === 'completed' ? { outcome, result: { by: taskId } } : { outcome, error: 'x', retryable: false, retryAfterSeconds: null },
    }]);
    expect(ended?.fate).to.equal('ended');
  };
  const stateOf = async (id: string): Promise<string | undefined> => (await sql<{ state: string }>`
    select concat_ws(' ', coalesce(o.status, q.state), coalesce(o.reason, q.wait_reason)) as state
      from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id where t.id = ${id}::uuid`.execute(db)).rows[0]?.state;
  const statesOf = (ids: readonly string[]) => Promise.all(ids.map(stateOf));
  /** How many dependencies on an equal task there have been, and are, in the problem. */
  const edgesOf = async ({ problem }: Scene): Promise<number[]> => {
    const { rows: [edges] } = await sql<{ all: number; open: number }>`
      select (select count(*) from dependencies d join tasks t on t.id = d.task_id where t.problem_id = ${problem})::int as all,
             (select count(*) from open_dependencies d join tasks t on t.id = d.task_id where t.problem_id = ${problem})::int as open`.execute(db);
    return [edges!.all, edges!.open];
  };

  it('leave one dependency for each task, and the others untouched, however many fail', async () => {
    const scene = await setScene(db, 'running');
    const ids = await followers(scene, 20);
    const last = ids.at(-1)!;
    const rowOfLast = async () => (await sql<{ place: string }>`select ctid::text as place from queue where task_id = ${last}::uuid`.execute(db)).rows[0]?.place;
    const untouched = await rowOfLast();
    let runs = scene.taskId;
    for (const [n, id] of ids.slice(0, 17).entries()) {
      await end(scene, runs, 'failed');
      await settle(db);
      expect(await claimed(scene)).to.equal(id);
      expect(await edgesOf(scene), `of ${n + 1}`).to.deep.equal([20, 19 - n]);
      runs = id;
    }
    expect(await rowOfLast()).to.equal(untouched);
    await end(scene, runs, 'completed');
    await settle(db);
    expect(await edgesOf(scene)).to.deep.equal([20, 0]);
    const { rows: taken } = await sql<{ id: string; source: string; result: unknown }>`
      select task_id as id, reused_from as source, result from outcomes where task_id = any (${ids}::uuid[]) and reason = 'reused' order by task_id`.execute(db);
    expect(taken).to.deep.equal(ids.slice(17).map((id) => ({ id, source: runs, result: { by: runs } })));
  });

  it('leave nothing behind where all who waited were cancelled meanwhile', async () => {
    const scene = await setScene(db, 'running');
    const [first, ...others] = await followers(scene, 5);
    await end(scene, scene.taskId, 'failed');
    await settle(db);
    expect(await claimed(scene)).to.equal(first);
    await cancelMany(db, others);
    await end(scene, first!, 'failed');
    await settle(db);
    expect(await edgesOf(scene)).to.deep.equal([5, 0]);
  });

  it('are followed by others where all are cancelled, a few at a time', async () => {
    const scene = await setScene(db, 'running');
    const ids = await followers(scene, 6);
    for (const piece of [[scene.taskId, ...ids.slice(0, 2)], ids.slice(1, 4)]) {
      await cancelMany(db, piece);
      await settle(db);
    }
    expect(await statesOf(ids.slice(4))).to.deep.equal(['pending', 'waiting reusing']);
    await cancelMany(db, ids);
    await settle(db);
    expect(await edgesOf(scene)).to.deep.equal([6, 0]);
  });

  it('are those who are left where the first is cancelled in the same moment', async () => {
    const scene = await setScene(db, 'running');
    const [first, second, third] = await followers(scene, 3);
    await end(scene, scene.taskId, 'failed');
    expect((await together(databases, (on) => cancelMany(on, [first!]), wakeDependents)).waited).to.equal(true);
    await settle(db);
    expect(await statesOf([first!, second!, third!])).to.deep.equal(['cancelled cancel_requested', 'pending', 'waiting reusing']);
  });

  it('tell those that depend on them of their end, as well as those they stand in for', async () => {
    const scene = await setScene(db, 'running');
    const [first, second] = await followers(scene, 2);
    const needing = await submit(db, AGEING_MS, [submission(`${scene.problem}-needs`)], [{ child: 0, parent: first!, name: 'first' }]);
    await end(scene, scene.taskId, 'failed');
    await settle(db);
    expect(await claimed(scene)).to.equal(first);
    // One that depends on what has failed is told of it, and that says nothing of who stands in.
    const late = await submit(db, AGEING_MS, [submission(`${scene.problem}-needs`)], [{ child: 0, parent: scene.taskId, name: 'failed' }]);
    await settle(db);
    expect(await statesOf([second!, needing.rows[0]!.id, late.rows[0]!.id])).to.deep.equal(['waiting reusing', 'waiting blocked', 'cancelled dependency_failed']);
    await end(scene, first!, 'completed');
    await settle(db);
    expect(await statesOf([second!, needing.rows[0]!.id])).to.deep.equal(['completed reused', 'pending']);
  });

  for (const [moment, before] of [['of the first', 0], ['of one that stood in', 1]] as const) {
    it(`run alone, though an equal task comes between the end ${moment} and the moment when one stands in`, async () => {
      const scene = await setScene(db, 'running');
      const ids = await followers(scene, 3);
      let runs = scene.taskId;
      for (const id of ids.slice(0, before)) {
        await end(scene, runs, 'failed');
        await settle(db);
        expect(await claimed(scene)).to.equal(id);
        runs = id;
      }
      await end(scene, runs, 'failed');
      const [between] = await followers(scene, 1);
      expect(await statesOf([ids[before]!, between!])).to.deep.equal(['waiting reusing', 'waiting reusing']);
      await settle(db);
      expect(await claimed(scene)).to.equal(ids[before]);
      expect(await stateOf(between!)).to.equal('waiting reusing');
      await end(scene, ids[before]!, 'completed');
      await settle(db);
      expect(await stateOf(between!)).to.equal('completed reused');
    });
  }

  it('take no result that is too old for one that comes between the end and the moment when it is taken', async () => {
    const scene = await setScene(db, 'running');
    const [first, second] = await followers(scene, 2);
    await end(scene, scene.taskId, 'failed');
    await settle(db);
    expect(await claimed(scene)).to.equal(first);
    await end(scene, first!, 'completed');
    const [fresh] = await followers(scene, 1, { reuseSeconds: 0 });
    await settle(db);
    expect(await statesOf([second!, fresh!])).to.deep.equal(['completed reused', 'pending']);
  });

  it('are one, though two act on the end, and each prefers another', async () => {
    const scene = await setScene(db, 'running');
    const [first] = await followers(scene, 1);
    await end(scene, scene.taskId, 'failed');
    let urgent = '';
    const { waited } = await together(databases, wakeDependents, async (on) => {
      [urgent] = await followers(scene, 1, { priority: 10 }) as [string];
      return wakeDependents(on);
    });
    expect(waited).to.equal(true);
    await settle(db);
    expect(await statesOf([first!, urgent])).to.deep.equal(['pending', 'waiting reusing']);
  });

  describe('beside an earlier version', () => {
    it('are told to who depends on them alone', async () => {
      const scene = await setScene(db, 'running');
      const [first, second, earlier] = await followers(scene, 3);
      await end(scene, scene.taskId, 'failed');
      await settle(db);
      expect(await claimed(scene)).to.equal(first);
      // As it submits one that is equal to a task which stands in.
      await sql`insert into dependencies (task_id, parent_id, name, kind) values (${earlier}::uuid, ${first}::uuid, 'equal task', 'reuse')`.execute(db);
      await sql`update open_dependencies set parent_id = ${first}::uuid where task_id = ${earlier}::uuid`.execute(db);
      await end(scene, first!, 'failed');
      await settle(db);
      expect(await statesOf([second!, earlier!])).to.deep.equal(['pending', 'pending']);
    });

    it('go on where it has acted on their end', async () => {
      const scene = await setScene(db, 'running');
      const [first, second, third] = await followers(scene, 3);
      await end(scene, scene.taskId, 'failed');
      await settle(db);
      expect(await claimed(scene)).to.equal(first);
      await end(scene, first!, 'failed');
      // As it takes the notes: of what was awaited, one stands in, and the others depend on that one.
      const { rows: notes } = await sql<{ id: string }>`delete from ended_parents returning task_id as id`.execute(db);
      expect(notes.map(({ id }) => id)).to.have.members([scene.taskId, first]);
      await sql`insert into stand_ins (task_id, fingerprint) select ${second}::uuid, fingerprint from tasks where id = ${scene.taskId}::uuid`.execute(db);
      await sql`delete from open_dependencies where parent_id = ${scene.taskId}::uuid`.execute(db);
      await sql`insert into dependencies (task_id, parent_id, name, kind) values (${third}::uuid, ${second}::uuid, 'equal task', 'reuse')`.execute(db);
      await sql`insert into open_dependencies (task_id, parent_id, kind) values (${third}::uuid, ${second}::uuid, 'reuse')`.execute(db);
      await sql`update queue set blockers = 0, state = 'pending', wait_reason = null, has_dependents = true where task_id = ${second}::uuid`.execute(db);
      const [fourth] = await followers(scene, 1);
      expect(await claimed(scene)).to.equal(second);
      await end(scene, second!, 'failed');
      await settle(db);
      expect(await claimed(scene)).to.equal(third);
      await end(scene, third!, 'completed');
      await settle(db);
      expect(await stateOf(fourth!)).to.equal('completed reused');
    });
  });
});
