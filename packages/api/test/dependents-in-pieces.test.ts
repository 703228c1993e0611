/**
 * The end of a task that more depend on than one statement acts on: piece by piece all of them move, and of equal tasks that waited in
 * vain one runs, however the pieces fall together with what happens meanwhile.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { cancelMany } from '../src/queue/cancel.js';
import { claim } from '../src/queue/claim.js';
import { wakeDependents, type PieceBounds } from '../src/queue/dependents.js';
import { report } from '../src/queue/report.js';
import type { Edge, Submission } from '../src/queue/submission.js';
import { submit } from '../src/queue/submit.js';
import { AGEING_MS, LEASE_SECONDS, setScene, submission, type Scene, type TestSession } from './races/scene.js';
import { together } from './races/together.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { expectInvariants } from './support/invariants.js';

const SMALL: PieceBounds = { edges: 3, resultBytes: 1_000_000 };
const WAITING = 8;

describe('dependents in pieces', function () {
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

  const small = (on: Database) => wakeDependents(on, SMALL);
  /** How many each piece moved, until nothing was left. */
  async function pieces(bounds = SMALL): Promise<number[]> {
    const moved: number[] = [];
    for (let woken = await wakeDependents(db, bounds); woken !== null; woken = await wakeDependents(db, bounds)) moved.push(woken.length);
    return moved;
  }
  const submitAll = (tasks: readonly Submission[], edges: readonly Edge[] = []): Promise<string[]> =>
    db.transaction().execute(async (on) => (await submit(on, AGEING_MS, tasks, edges)).rows.map(({ id }) => id));
  /** Tasks that depend on `parent`, which no worker takes. */
  const needing = (parent: string, many = WAITING): Promise<string[]> => {
    const tasks = Array.from({ length: many }, () => ({ ...submission('needing'), backendType: 'none' }));
    return submitAll(tasks, tasks.map((_task, child) => ({ child, parent, name: 'parent' })));
  };
  /** Tasks that wait for the equal one of a scene. */
  const reusing = ({ problem }: Scene, many = WAITING): Promise<string[]> =>
    submitAll(Array.from({ length: many }, () => ({ ...submission(problem), reuseSeconds: 60 })));
  const complete = async (holder: TestSession, taskId: string, result: Record<string, unknown>): Promise<void> => {
    const [ended] = await report(db, [{ reporter: { ...holder, taskId, attempt: 1, leaseSeconds: LEASE_SECONDS }, report: { outcome: 'completed', result } }]);
    expect(ended?.fate).to.equal('ended');
  };
  const claimOne = async (session: TestSession): Promise<string> => {
    const [claimed] = await claim(db, [{ ...session, requestId: null, wanted: 1, leaseSeconds: LEASE_SECONDS }]);
    return claimed?.kind === 'claimed' ? claimed.tasks[0]?.id ?? '' : '';
  };
  /** The ids of those of `ids` that are in a state, a status with its reason. */
  async function inState(ids: readonly string[], state: string): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select t.id from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
       where t.id = any (${ids}::uuid[]) and concat_ws(' ', coalesce(o.status, q.state), coalesce(o.reason, q.wait_reason)) = ${state}
       order by t.id`.execute(db);
    return rows.map(({ id }) => id);
  }
  /** The one of `ids` that runs itself, where all others of them wait for it. */
  async function onlyRunner(ids: readonly string[]): Promise<string> {
    const runners = await inState(ids, 'pending');
    expect(runners, 'runs').to.have.length(1);
    const { rows } = await sql<{ parent_id: string }>`
      select distinct parent_id from open_dependencies where task_id = any (${ids}::uuid[])`.execute(db);
    expect(rows).to.deep.equal([{ parent_id: runners[0] }]);
    expect(await inState(ids, 'waiting reusing')).to.have.length(ids.length - 1);
    return runners[0]!;
  }

  it('sets free all that need a task', async () => {
    const scene = await setScene(db, 'running');
    const ids = await needing(scene.taskId);
    await complete(scene.holder, scene.taskId, {});
    expect((await pieces()).filter((moved) => moved > 0)).to.deep.equal([3, 3, 2]);
    expect(await inState(ids, 'pending')).to.have.length(WAITING);
  });

  it('cancels all that need a task which did not complete', async () => {
    const { taskId } = await setScene(db, 'running');
    const ids = await needing(taskId);
    await cancelMany(db, [taskId]);
    expect((await pieces()).filter((moved) => moved > 0)).to.deep.equal([3, 3, 2]);
    expect(await inState(ids, 'cancelled dependency_failed')).to.have.length(WAITING);
  });

  it('gives a result to all that wait for it, of a few bytes at a time', async () => {
    const scene = await setScene(db, 'running');
    const ids = await reusing(scene);
    await complete(scene.holder, scene.taskId, { text: randomBytes(500).toString('hex') });
    expect((await pieces({ edges: 100, resultBytes: 2_500 })).filter((moved) => moved > 0)).to.deep.equal([2, 2, 2, 2]);
    expect(await inState(ids, 'completed reused')).to.have.length(WAITING);
  });

  it('gives one its result, however large that is', async () => {
    const scene = await setScene(db, 'running');
    const ids = await reusing(scene, 2);
    await complete(scene.holder, scene.taskId, { text: randomBytes(500).toString('hex') });
    expect((await pieces({ edges: 100, resultBytes: 1 })).filter((moved) => moved > 0)).to.deep.equal([1, 1]);
    expect(await inState(ids, 'completed reused')).to.have.length(2);
  });

  it('has a task of one dependent not wait for those of one with many', async () => {
    const [many, few] = [await setScene(db, 'running'), await setScene(db, 'running')];
    await needing(many.taskId);
    const ids = await needing(few.taskId, 1);
    await complete(many.holder, many.taskId, {});
    await complete(few.holder, few.taskId, {});
    expect(await small(db)).to.have.length(3);
    expect(await inState(ids, 'pending')).to.have.length(1);
    await pieces();
  });

  describe('of those that waited for an equal task in vain', () => {
    /** What waits for a task that was cancelled, of which one piece has been acted on; and who stands in. */
    async function begun(): Promise<{ scene: Scene; ids: string[]; standIn: string }> {
      const scene = await setScene(db, 'running');
      const ids = await reusing(scene);
      await cancelMany(db, [scene.taskId]);
      expect(await small(db)).to.have.length(3);
      const [standIn] = await inState(ids, 'pending');
      return { scene, ids, standIn: standIn! };
    }

    it('runs one, and the others take its result', async () => {
      const { scene, ids, standIn } = await begun();
      await pieces();
      expect(await onlyRunner(ids)).to.equal(standIn);
      expect(await claimOne(scene.claimers[0])).to.equal(standIn);
      await complete(scene.claimers[0], standIn, { n: 1 });
      await pieces();
      expect(await inState(ids, 'completed reused')).to.deep.equal(ids.filter((id) => id !== standIn));
    });

    it('gives the result of one that stood in and completed before the others were told', async () => {
      const { scene, ids, standIn } = await begun();
      expect(await claimOne(scene.claimers[0])).to.equal(standIn);
      await complete(scene.claimers[0], standIn, { n: 1 });
      await pieces();
      expect(await inState(ids, 'completed reused')).to.deep.equal(ids.filter((id) => id !== standIn));
    });

    it('runs one other where who stood in has ended before the others were told', async () => {
      const { ids, standIn } = await begun();
      await cancelMany(db, [standIn]);
      await pieces();
      await onlyRunner(ids.filter((id) => id !== standIn));
    });

    it('runs one other where two replicas hear of the two ends at once', async () => {
      const { scene, ids, standIn } = await begun();
      await cancelMany(db, [standIn]);
      const held = await db.startTransaction().execute();
      await sql`select from ended_parents where task_id = ${scene.taskId}::uuid for update`.execute(held);
      await together(databases, async (on) => {
        await small(on);
        await held.rollback().execute();
      }, small);
      await pieces();
      await onlyRunner(ids.filter((id) => id !== standIn));
    });

    it('runs one where two replicas act on two notes of the same task at once', async () => {
      const scene = await setScene(db, 'running');
      const ids = await reusing(scene);
      await cancelMany(db, [scene.taskId]);
      const { second, waited } = await together(databases, async (on) => {
        await small(on);
        // Leaves a note of its own.
        await needing(scene.taskId, 1);
        // A piece may be smaller for what it holds of other tasks: this one is larger than the first.
      }, (on) => wakeDependents(on, { ...SMALL, edges: 2 * SMALL.edges }));
      expect([second, waited]).to.deep.equal([[], true]);
      await pieces();
      await onlyRunner(ids);
    });
  });
});
