/**
 * How many rows the statements of workers, and those of submissions, read: few, however long the queue is and whatever the planner knows of it. PostgreSQL
 * counts what a transaction has read.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import { openDatabases, type Database, type Databases } from '../src/db/database.js';
import { renewLeases } from '../src/fleet/heartbeat.js';
import { register } from '../src/fleet/register.js';
import { advanceBulk, createBulk } from '../src/queue/bulk.js';
import { cancelMany } from '../src/queue/cancel.js';
import { claim } from '../src/queue/claim.js';
import { wakeDependents } from '../src/queue/dependents.js';
import { directivesFor } from '../src/queue/directives.js';
import type { TaskFilter } from '../src/queue/filter.js';
import { listTasks } from '../src/queue/list.js';
import { appendLogs } from '../src/queue/logs.js';
import { report } from '../src/queue/report.js';
import { foldDeltas } from '../src/queue/stats.js';
import { submit } from '../src/queue/submit.js';
import { submitPlain } from '../src/queue/submit-plain.js';
import { DUE_TASKS, sweepDue } from '../src/queue/sweep.js';
import { storeWorkflow } from '../src/queue/workflow.js';
import { AGEING_MS, LEASE_SECONDS, submission } from './races/scene.js';
import { NO_FILTER } from './support/filters.js';
import { rowsRead as rowsReadOn } from './support/rows-read.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';

const TASKS = 6_000;
const PROBLEMS = 200;
/** A statement about one task may look at this many rows of all tables together: far fewer than the queue has. */
const FIXED_ROWS = 60;
const FRONT_ROWS = 300;

describe('the rows that are read', function () {
  let database: TestDatabase;
  let databases: Databases;
  let db: Database;
  let worker: { workerId: string; sessionId: string };
  before(async () => {
    database = await createTestDatabase();
    // One connection: it has made its plans when the queue was empty.
    databases = openDatabases(database.url, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    db = databases.lease;
    const registered = await register(db, {
      workerId: null, backendType: 'kind', maxParallelTasks: 1000, supportedProblems: ['bench-*'], metadata: {}, leaseSeconds: LEASE_SECONDS,
    });
    worker = registered!;
    // A table that was vacuumed while it was empty is taken for empty, one that never was is not.
    await sql`vacuum dependencies`.execute(db);
  });
  after(async () => {
    await databases.close();
    await database.drop();
  });

  const rowsRead = <T>(work: (on: Database) => Promise<T>, pool = db) => rowsReadOn(pool, work);

  const claims = (wanted: number) => (on: Database) => claim(on, [{ ...worker, requestId: null, wanted, leaseSeconds: LEASE_SECONDS }]);
  const claimed = ([one]: Awaited<ReturnType<typeof claim>>) => (one?.kind === 'claimed' ? one.tasks : []);

  /** What dies in the queue while a snapshot is held stays in it, and what is said of it then is that it is empty. */
  async function bloat(): Promise<void> {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select from queue');
    await sql`update queue set updated_at = now()`.execute(db);
    await sql`delete from queue`.execute(db);
    await sql`vacuum analyze queue`.execute(db);
    await holder.end();
  }

  for (const [where, prepare] of [
    ['in a queue that the planner takes for empty', null], ['where the planner knows the queue', null], ['in a queue that was full of dead rows', bloat],
  ] as const) {
    it(`are few ${where}`, async () => {
      await prepare?.();
      for (let n = 0; n < TASKS; n += 1000) await submitPlain(db, AGEING_MS, Array.from({ length: 1000 }, (_none, k) => submission(`bench-${k % PROBLEMS}`)));
      if (where === 'where the planner knows the queue') await sql`analyze`.execute(db);
      const one = await rowsRead(claims(1));
      expect(claimed(one.result)).to.have.length(1);
      expect(one.rows, 'a claim of one').to.be.within(3, FRONT_ROWS);
      const fifty = await rowsRead(claims(50));
      const tasks = claimed(fifty.result);
      expect(tasks).to.have.length(50);
      expect(fifty.rows, 'a claim of 50').to.be.within(50, FRONT_ROWS + 50 * 10);
      const reporterOf = ({ id, attempt }: { id: string; attempt: number }) => ({ ...worker, taskId: id, attempt, leaseSeconds: LEASE_SECONDS });
      const [first, ...rest] = tasks;
      const logged = await rowsRead((on) => appendLogs(on, reporterOf(first!), [{ level: 'info', message: 'x', context: null, timestamp: null }], null));
      expect(logged.rows, 'a line of a log').to.be.below(FIXED_ROWS);
      const beat = await rowsRead((on) => renewLeases(on, LEASE_SECONDS, [{ ...worker, requestId: null }]));
      expect(beat.rows, 'a heartbeat').to.be.below(FIXED_ROWS + 100);
      const named = await rowsRead((on) => directivesFor(on, [{ ...worker, named: tasks.map(({ id, attempt }) => ({ taskId: id, attempt })), isAll: true }]));
      expect(named.rows, 'the directives for 50 attempts').to.be.below(FIXED_ROWS + 50 * 10);
      const done = await rowsRead((on) => report(on, [{ reporter: reporterOf(first!), report: { outcome: 'completed', result: {} } }]));
      expect(done.result[0]?.fate).to.equal('ended');
      expect(done.rows, 'a report').to.be.below(FIXED_ROWS);
      const many = await rowsRead((on) => report(on, rest.map((task) => ({ reporter: reporterOf(task), report: { outcome: 'completed', result: {} } }))));
      expect(many.rows, '49 reports').to.be.below(FIXED_ROWS + 49 * 10);
      const cancelled = await rowsRead((on) => cancelMany(on, [claimed(one.result)[0]!.id]));
      expect(cancelled.rows, 'a cancellation').to.be.below(FIXED_ROWS);
      // What fits nobody is now before all else: the claim looks at the first task of each problem, and into the best of them.
      const others = await submitPlain(db, AGEING_MS, Array.from({ length: FRONT_ROWS }, () => ({ ...submission('other'), priority: 10 })));
      const behind = await rowsRead(claims(1));
      expect(claimed(behind.result)).to.have.length(1);
      expect(behind.rows, 'a claim behind others').to.be.within(FRONT_ROWS / 2, FRONT_ROWS + 4 * PROBLEMS);
      await cancelMany(db, others.map(({ id }) => id));
    });
  }

  it('do not grow with the dependencies of others', async () => {
    const parents = await submitPlain(db, AGEING_MS, Array.from({ length: 100 }, () => submission('other')));
    await sql`
      insert into dependencies (task_id, parent_id, name, kind)
      select t.id, p.id, p.id::text, 'needs'
        from unnest(${parents.map(({ id }) => id)}::uuid[]) as t (id) cross join unnest(${parents.map(({ id }) => id)}::uuid[]) as p (id)`.execute(db);
    const one = await rowsRead(claims(1));
    expect(claimed(one.result)).to.have.length(1);
    expect(one.rows).to.be.below(FRONT_ROWS);
  });

  it('do not grow with the tasks that wait on where one is due', async () => {
    const later = Array.from({ length: 1000 }, () => ({ ...submission('other'), runAt: '2999-01-01T00:00:00Z' }));
    const [first] = await submitPlain(db, AGEING_MS, later);
    await sql`update queue set available_at = now() where task_id = ${first!.id}::uuid`.execute(db);
    const { rows: [answer] } = await sql<{ tasks: string[] }>`select to_json(${DUE_TASKS}) as tasks`.execute(db);
    expect(answer!.tasks).to.deep.equal([first!.id]);
    const due = await rowsRead((on) => sweepDue(on, answer!.tasks));
    expect(due.result.map(({ task_id: id }) => id)).to.deep.equal([first!.id]);
    expect(due.rows).to.be.below(FIXED_ROWS);
  });

  it('do not grow with what is queued beside what a list is about', async () => {
    await submitPlain(db, AGEING_MS, [...Array.from({ length: 30 }, () => ({ ...submission('sought'), priority: 10 })), ...Array.from({ length: 3000 }, () => submission('other'))]);
    await submitPlain(db, AGEING_MS, Array.from({ length: 30 }, () => ({ ...submission('sought'), runAt: '2999-01-01T00:00:00Z' })));
    await sql`analyze queue`.execute(db);
    while (await foldDeltas(databases.general) > 0);
    const { workerId } = worker;
    const running = claimed(await claims(5)(db));
    const page = (filter: Partial<TaskFilter>) => (on: Database) => listTasks(on, {
      filter: { ...NO_FILTER, ...filter }, sort: 'created_at', descending: true, pageSize: 20, page: 1, cursor: null,
    });
    const sought: [Partial<TaskFilter>, number][] = [
      [{ workerId }, 20], [{ statuses: ['running'] }, 5], [{ statuses: ['running'], problemId: running[0]!.problem_id }, 1],
      [{ statuses: ['pending'], problemId: 'sought' }, 20], [{ statuses: ['pending', 'running'], problemId: 'nobody-has-this' }, 0],
      [{ statuses: ['pending'], workerId }, 0], [{ problemGlob: '?ought' }, 20], [{ problemGlob: '*-has-*' }, 0],
    ];
    for (const [filter, least] of sought) {
      const { rows, result } = await rowsRead(page(filter), databases.reads);
      expect(result.rows.length, JSON.stringify(filter)).to.be.within(least, 20);
      expect(rows, JSON.stringify(filter)).to.be.below(FRONT_ROWS * 3);
    }
    await report(db, running.map(({ id, attempt }) => ({
      reporter: { ...worker, taskId: id, attempt, leaseSeconds: LEASE_SECONDS }, report: { outcome: 'completed', result: {} },
    })));
  });

  it('do not grow with the equal tasks that wait for a result, or took it', async () => {
    const { general } = databases;
    const equal = { ...submission('bench-equal'), priority: 10, reuseSeconds: 3600, maxAttempts: 1 };
    const submitting = (tasks: number) => (on: Database) => submit(on, AGEING_MS, Array.from({ length: tasks }, () => equal));
    const submitMany = async () => {
      for (let n = 0; n < 1000; n += 200) await general.transaction().execute(submitting(200));
    };
    const end = async (outcome: 'completed' | 'failed') => {
      const [held] = claimed(await claims(1)(db));
      expect(held?.problem_id).to.equal('bench-equal');
      const reporter = { ...worker, taskId: held!.id, attempt: held!.attempt, leaseSeconds: LEASE_SECONDS };
      await report(db, [{ reporter, report: outcome === 'completed' ? { outcome, result: {} } : { outcome, error: 'x', retryable: true, retryAfterSeconds: null } }]);
      while ((await wakeDependents(db)) !== null);
    };
    for (const [where, prepare, status, reason] of [
      ['behind those that wait', submitMany, 'pending', 'reusing'],
      ['where one of them stands in', () => end('failed'), 'pending', 'reusing'],
      ['behind those that waited', () => end('completed'), 'completed', 'reused'],
      ['behind those that took it at once', submitMany, 'completed', 'reused'],
    ] as const) {
      await prepare();
      const one = await rowsRead(submitting(1), general);
      expect(one.result.rows[0]).to.include({ status, reason });
      expect(one.rows, where).to.be.below(FIXED_ROWS);
    }
  });

  it('do not grow with how often equal tasks ran too long ago', async () => {
    const { general } = databases;
    const old = { ...submission('bench-old'), priority: 10, maxAttempts: 1 };
    const submitting = () => rowsRead((on) => submit(on, AGEING_MS, [{ ...old, reuseSeconds: 0 }]), general);
    const runMany = async (runs: number): Promise<void> => {
      for (let n = 0; n < runs; n += 50) {
        await submitPlain(db, AGEING_MS, Array.from({ length: 50 }, () => old));
        const held = claimed(await claims(50)(db));
        expect(held.map(({ problem_id: problem }) => problem)).to.deep.equal(held.map(() => 'bench-old')).and.have.length(50);
        await report(db, held.map(({ id, attempt }) => ({
          reporter: { ...worker, taskId: id, attempt, leaseSeconds: LEASE_SECONDS }, report: { outcome: 'completed', result: {} },
        })));
      }
    };
    await runMany(100);
    const behind = await submitting();
    expect(behind.result.rows[0]).to.include({ status: 'pending', reason: null });
    await cancelMany(db, behind.result.rows.map(({ id }) => id));
    await runMany(400);
    const far = await submitting();
    expect(far.result.rows[0]).to.include({ status: 'pending', reason: null });
    expect(far.rows).to.be.below(behind.rows + FIXED_ROWS);
    await cancelMany(db, far.result.rows.map(({ id }) => id));
  });

  it('do not grow with the history in which an equal task is looked for, but with the spans of time that it covers', async () => {
    /** Of three years. */
    const SPANS = 24;
    const store = (tasks: number) => sql`
      insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at, fingerprint)
      select uuid_v7(at), 'bench-past', '{}', 5, 60, 1, 3, at, gen_random_uuid()
        from (select now() - n * interval '3 years' / ${tasks}::int as at from generate_series(1, ${tasks}::int) as n) as past`.execute(db);
    const submitting = async () => {
      const looked = await rowsRead((on) => submit(on, AGEING_MS, [{ ...submission('bench-past'), reuseSeconds: 3600 }]), databases.general);
      expect(looked.result.rows[0]).to.include({ status: 'pending', reason: null });
      await cancelMany(db, looked.result.rows.map(({ id }) => id));
      return looked.rows;
    };
    await store(TASKS);
    expect(await submitting()).to.be.below(FIXED_ROWS + 2 * SPANS);
    await sql`vacuum (analyze) tasks`.execute(db);
    await store(TASKS);
    for (let n = 0; n < 10; n++) expect(await submitting()).to.be.below(FIXED_ROWS + 2 * SPANS);
  });

  it('do not grow with the equal tasks of a submission, behind those that failed', async () => {
    const { general } = databases;
    const failing = { ...submission('bench-failing'), priority: 10, maxAttempts: 1 };
    for (let n = 0; n < 200; n += 50) {
      await submitPlain(db, AGEING_MS, Array.from({ length: 50 }, () => failing));
      const held = claimed(await claims(50)(db));
      expect(held.map(({ problem_id: problem }) => problem)).to.deep.equal(held.map(() => 'bench-failing')).and.have.length(50);
      await report(db, held.map(({ id, attempt }) => ({
        reporter: { ...worker, taskId: id, attempt, leaseSeconds: LEASE_SECONDS }, report: { outcome: 'failed', error: 'x', retryable: false, retryAfterSeconds: null },
      })));
    }
    const submitting = (tasks: number) => rowsRead((on) => submit(on, AGEING_MS, Array.from({ length: tasks }, () => ({ ...failing, reuseSeconds: 3600 }))), general);
    const one = await submitting(1);
    expect(one.result.rows[0]).to.include({ status: 'pending', reason: null });
    const fifty = await submitting(50);
    expect(fifty.result.rows.map(({ reason }) => reason)).to.deep.equal(Array.from({ length: 50 }, () => 'reusing'));
    expect(fifty.rows, 'fifty').to.be.below(one.rows + 50 * 10);
  });

  it('do not grow with what was submitted after a workflow that is retried in bulk', async () => {
    const workflowId = randomUUID();
    await storeWorkflow(db, { id: workflowId, name: null, labels: {}, retryOf: null });
    // So many that the planner, which knows of no other workflow, expects one of its tasks wherever it looks.
    const workflow = Array.from({ length: 1000 }, () => ({ ...submission('bulk'), workflowId }));
    const { rows: tasks } = await submit(db, AGEING_MS, workflow, [{ child: 0, parent: 999, name: 'parent' }]);
    const [child, parent] = [tasks[0]!, tasks[999]!];
    await cancelMany(db, [child.id, parent.id]);
    const other = { ...submission('other'), retryOf: tasks[1]!.id };
    for (let n = 0; n < TASKS; n += 1000) await submitPlain(db, AGEING_MS, Array.from({ length: 1000 }, () => other));
    await sql`analyze`.execute(db);
    await createBulk(db, 'retry', { ...NO_FILTER, statuses: ['cancelled'], createdFrom: child.created_at.toISOString() });
    const piece = await rowsRead((on) => advanceBulk(on, AGEING_MS, 1));
    expect(piece.result?.submitted.rows.map(({ retry_of: of }) => of)).to.have.members([child.id, parent.id]);
    expect(piece.rows).to.be.below(FIXED_ROWS);
  });
});
