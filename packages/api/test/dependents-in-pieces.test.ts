/**
 * The end of a task that more depend on than one statement acts on: piece by piece all of them move.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { cancelMany } from '../src/queue/cancel.js';
import { wakeDependents, type PieceBounds } from '../src/queue/dependents.js';
import { report } from '../src/queue/report.js';
import type { Edge, Submission } from '../src/queue/submission.js';
import { submit } from '../src/queue/submit.js';
import { AGEING_MS, LEASE_SECONDS, setScene, submission, type Scene, type TestSession } from './races/scene.js';
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
  /** The ids of those of `ids` that are in a state, a status with its reason. */
  async function inState(ids: readonly string[], state: string): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select t.id from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
       where t.id = any (${ids}::uuid[]) and concat_ws(' ', coalesce(o.status, q.state), coalesce(o.reason, q.wait_reason)) = ${state}
       order by t.id`.execute(db);
    return rows.map(({ id }) => id);
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
});
