/**
 * The order of recorded times. now() is when a transaction began, and a statement may take long to arrive: what is recorded of a
 * task must follow what was recorded before it all the same.
 */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { claim } from '../src/queue/claim.js';
import { report } from '../src/queue/report.js';
import { hasTask, LEASE_SECONDS, setScene, type TestSession } from './races/scene.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { expectInvariants } from './support/invariants.js';

describe('recorded times', () => {
  let database: TestDatabase;
  let databases: Databases;
  before(async () => {
    database = await createTestDatabase();
    databases = openDatabases(database.url, { lease: 1, general: 4 }, pino({ level: 'silent' }));
  });
  after(async () => {
    await databases.close();
    await database.drop();
  });

  const claimFor = async (db: Database, session: TestSession): Promise<void> => {
    const [claimed] = await claim(db, [{ ...session, requestId: null, wanted: 1, leaseSeconds: LEASE_SECONDS }]);
    expect(claimed !== undefined && hasTask(claimed)).to.equal(true);
  };
  const fail = (db: Database, session: TestSession, taskId: string) => report(db, [{
    reporter: { ...session, taskId, attempt: null, leaseSeconds: LEASE_SECONDS },
    report: { outcome: 'failed', error: 'x', retryable: true, retryAfterSeconds: 0 },
  }]);

  it('let no attempt begin before the one before it has ended', async () => {
    const db = databases.general;
    const scene = await setScene(db, 'pending');
    await db.transaction().execute(async (early) => {
      await sql`select now()`.execute(early);
      await db.transaction().execute(async (late) => {
        await sql`select now()`.execute(late);
        await claimFor(db, scene.claimers[0]);
        await fail(late, scene.claimers[0], scene.taskId);
      });
      await claimFor(early, scene.claimers[1]);
    });
    const { rows } = await sql<{ follows: boolean }>`
      select q.started_at >= a.ended_at as follows from queue q join attempts a on a.task_id = q.task_id where q.task_id = ${scene.taskId}::uuid`.execute(db);
    expect(rows).to.deep.equal([{ follows: true }]);
    await fail(db, scene.claimers[1], scene.taskId);
    await expectInvariants(db, { settled: false });
  });
});
