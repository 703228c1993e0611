/** How many rows the statements of workers read in a large fleet: as many as they are about, whatever the planner knows of it. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { findWorkers } from '../src/fleet/find.js';
import { renewLeases } from '../src/fleet/heartbeat.js';
import { register } from '../src/fleet/register.js';
import { readSessions } from '../src/fleet/sessions.js';
import { claim } from '../src/queue/claim.js';
import { directivesFor } from '../src/queue/directives.js';
import { reportProgress } from '../src/queue/progress.js';
import { appendLogs } from '../src/queue/logs.js';
import { report } from '../src/queue/report.js';
import { foldDeltas } from '../src/queue/stats.js';
import { submitPlain } from '../src/queue/submit-plain.js';
import { AGEING_MS, LEASE_SECONDS, submission } from './races/scene.js';
import { rowsRead } from './support/rows-read.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';

const FLEET = 3_000;
const BACKLOG = 3_000;
const TOGETHER = 16;
/** What a call of one worker may read of all tables together, and one about TOGETHER workers. */
const FEW = 100;
const SOME = FEW + TOGETHER * 20;

describe('the rows that are read in a large fleet', function () {
  let database: TestDatabase;
  let databases: Databases;
  let db: Database;
  const asking: { workerId: string; sessionId: string }[] = [];
  before(async () => {
    database = await createTestDatabase();
    // One connection: it has made its plans when there was nobody.
    databases = openDatabases(database.url, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    db = databases.lease;
    for (let n = 0; n < TOGETHER; n++) {
      asking.push((await register(db, {
        workerId: null, backendType: 'kind', maxParallelTasks: 1000, supportedProblems: [], metadata: {}, leaseSeconds: LEASE_SECONDS,
      }))!);
    }
  });
  after(async () => {
    await databases.close();
    await database.drop();
  });

  async function work(isMeasured: boolean): Promise<void> {
    const few = isMeasured ? FEW : Infinity;
    const some = isMeasured ? SOME : Infinity;
    const measured = async <T>(what: string, most: number, statement: (on: Database) => Promise<T>): Promise<T> => {
      const { rows, result } = await rowsRead(db, statement);
      expect(rows, what).to.be.below(most);
      return result;
    };
    for (const [who, most] of [[asking.slice(0, 1), few], [asking, some]] as const) {
      while ((await foldDeltas(databases.general)) > 0);
      await submitPlain(db, AGEING_MS, who.map(() => submission('bench')));
      const of = `of ${who.length}`;
      await measured(`the session ${of}`, most, (on) => readSessions(on, who));
      await measured(`heartbeats ${of}`, most, (on) => renewLeases(on, LEASE_SECONDS, who.map((one) => ({ ...one, requestId: null }))));
      await measured(`the worker ${of}`, most, (on) => findWorkers(on, who.map(({ workerId }) => workerId)));
      const found = await measured(`a claim ${of}`, most, (on) => claim(on, who.map((one) => ({ ...one, requestId: 'once', wanted: 1, leaseSeconds: LEASE_SECONDS }))));
      const reporters = found.flatMap((one, n) => (one.kind === 'claimed' ? one.tasks : []).map(({ id, attempt }) => (
        { ...who[n]!, taskId: id, attempt, leaseSeconds: LEASE_SECONDS })));
      expect(reporters).to.have.length(who.length);
      await measured(`directives ${of}`, most, (on) => directivesFor(on, reporters.map(({ taskId, attempt, ...one }) => ({ ...one, named: [{ taskId, attempt }], isAll: true }))));
      await measured('a line of a log', few, (on) => appendLogs(on, reporters[0]!, [{ level: 'info', message: 'x', context: null, timestamp: null }], null));
      await measured('progress', few, (on) => reportProgress(on, reporters[0]!, { step: 1 }));
      await measured(`reports ${of}`, most, (on) => report(on, reporters.map((reporter) => ({ reporter, report: { outcome: 'completed', result: {} } }))));
    }
  }

  for (const [where, prepare] of [
    ['that the planner takes for small', null], ['that the planner knows', sql`analyze`],
  ] as const) {
    it(`are few in one ${where}`, async () => {
      if (prepare === null) {
        // Often enough for each statement to have the plan that is kept.
        await work(false);
        await sql`vacuum analyze`.execute(db);
        for (let n = 0; n < 8; n++) await work(false);
        await sql`
          insert into workers (id, session_id, backend_type, max_parallel_tasks, supported_problems, problem_patterns, metadata, registered_at, last_seen_at, lease_until)
          select 'worker-' || (900000 + n) || '-kind', gen_random_uuid(), 'kind', 1, '{}', '{}', '{}', now(), now(), now() + interval '1 hour'
            from generate_series(1, ${FLEET}::int) as n`.execute(db);
        await sql`
          insert into totals (axis, key, submitted, completed, failed, timeout, cancelled, executed, completed_milliseconds)
          select 'worker', 'worker-' || (900000 + n) || '-kind', 0, 1, 0, 0, 0, 1, 1 from generate_series(1, ${FLEET}::int) as n`.execute(db);
        for (let n = 0; n < BACKLOG; n += 1000) await submitPlain(db, AGEING_MS, Array.from({ length: 1000 }, () => submission('bench')));
      } else {
        await prepare.execute(db);
      }
      for (let n = 0; n < 3; n++) await work(true);
    });
  }
});
