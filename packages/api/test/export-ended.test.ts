/** The export of tasks that have ended: each once, in the order of their ends, however late a task ends that was submitted early. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { cancel, cancelMany } from '../src/queue/cancel.js';
import { readForExport } from '../src/queue/export.js';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { cursorAfter, followExport, idsOf, readExport, submitMany, type Line } from './support/exporter.js';
import { NO_FILTER } from './support/filters.js';

const ENDED = 'status=completed,failed,timeout,cancelled';

describe('export of ended tasks', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 1000, globs: ['end-*'] });
  });
  after(() => api.stop());

  const read = (query: string): Promise<Line[]> => readExport(api, query);
  const follow = (query: string, count: number, before: Line[] = []): Promise<Line[]> =>
    followExport(api, query, (ids) => ids.length === count, before);
  async function start(problem: string): Promise<string> {
    const id = await submitTask(api, { problem_id: problem });
    await worker.claim();
    return id;
  }
  /** The ids in the order that the tasks say they ended in. */
  const byEnd = (lines: Line[]): string[] => lines.flatMap(({ task }) => (task === undefined ? [] : [`${task.completed_at} ${task.id}`])).sort().map((line) => line.slice(-36));

  it('comes back for a slow task when quick ones that came later have been exported', async () => {
    const slow = await start('end-slow');
    const quick = await start('end-slow');
    await worker.report('complete', quick, {});
    const query = 'problem_id=end-slow&status=completed&include=attempts,logs';
    const first = await follow(query, 1);
    expect(idsOf(first)).to.deep.equal([quick]);
    await worker.report('logs', slow, { entries: [{ message: 'at last' }] });
    await worker.report('complete', slow, {});
    const second = await follow(query, 1, first);
    expect(second.map(({ type, task }) => task?.id ?? type)).to.deep.equal(['attempt', 'log', slow]);
    expect(await read(`${query}${cursorAfter(second)}`)).to.deep.equal([]);
    expect(idsOf(await read(query))).to.deep.equal([quick, slow]);
  });

  it('goes by the end where only ended tasks are meant, and by submission where others are, too', async () => {
    const ids = [await start('end-order'), await start('end-order'), await start('end-order'), await start('end-order')];
    const [a = '', b = '', c = '', d = ''] = ids;
    await worker.report('fail', d, { error: 'x' });
    await eventually(async () => Date.now() > Date.parse((await readTask(api, d)).completed_at as string) + 1);
    await api.call('POST', `/api/v1/tasks/${b}/cancel`);
    await eventually(async () => Date.now() > Date.parse((await readTask(api, b)).completed_at as string) + 1);
    await worker.report('complete', a, {});
    await follow(`problem_id=end-order&${ENDED}`, 3);
    const of = async (query: string): Promise<string[]> => idsOf(await read(`problem_id=end-order&${query}`));
    const ended = (await readTask(api, b)).completed_at as string;
    expect(await of(ENDED)).to.deep.equal([d, b, a]);
    expect(await of('status=completed,failed')).to.deep.equal([d, a]);
    expect(await of(`${ENDED}&limit=2`)).to.deep.equal([d, b]);
    expect(await of(`completed_from=${ended}`)).to.deep.equal([b, a]);
    expect(await of(`completed_from=${ended}&status=running,completed`)).to.deep.equal([a]);
    expect(await of(`completed_before=${ended}`)).to.deep.equal([d]);
    expect(await of(`completed_before=${ended}&status=running`)).to.deep.equal([]);
    expect(await of(`${ENDED}&worker_id=${worker.id}&created_from=2026-01-01T00:00:00Z`)).to.deep.equal([d, b, a]);
    expect(await of(`${ENDED},running`)).to.deep.equal([a, b, c, d]);
    expect(await of('')).to.deep.equal([a, b, c, d]);
  });

  it('holds each task once where many ended in one moment', async () => {
    const ids = await submitMany(api, 250, { problem_id: 'end-once' });
    // Nothing ends before the last that was recorded of it.
    await sql`update queue set updated_at = now() + interval '300 milliseconds' where problem_id = 'end-once'`.execute(api.db);
    await cancelMany(api.db, ids);
    expect(await read('problem_id=end-once&status=cancelled')).to.deep.equal([]);
    const lines = await follow('problem_id=end-once&status=cancelled&limit=33', 250);
    expect(new Set(lines.map(({ task }) => task?.completed_at))).to.have.property('size', 1);
    expect(idsOf(lines)).to.deep.equal(ids);
    expect(idsOf(await read('problem_id=end-once&status=cancelled'))).to.deep.equal(ids);
    for (const n of [0, 98, 99, 100, 248, 249]) {
      expect(idsOf(await read(`problem_id=end-once&status=cancelled&cursor=${lines[n]?.cursor}`)), String(n)).to.deep.equal(ids.slice(n + 1));
    }
  });

  it('waits for an end that is not committed yet before it goes beyond', async () => {
    const [slow, later] = [await start('end-late'), await start('end-late')];
    let commit = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let transaction: Promise<unknown> = Promise.resolve();
    await new Promise<void>((ended, refused) => {
      transaction = api.db.transaction().execute(async (open) => {
        await cancel(open, slow);
        ended();
        await released;
      });
      transaction.catch(refused);
    });
    await worker.report('complete', later, {});
    expect((await readTask(api, later)).status).to.equal('completed');
    expect(await read(`problem_id=end-late&${ENDED}`)).to.deep.equal([]);
    commit();
    await transaction;
    expect(idsOf(await follow(`problem_id=end-late&${ENDED}`, 2))).to.deep.equal([slow, later]);
  });

  it('waits for nobody who only reads, as a dump does', async () => {
    await api.db.transaction().setIsolationLevel('repeatable read').execute(async (dump) => {
      await sql`select count(*) from tasks`.execute(dump);
      const id = await start('end-dump');
      await worker.report('complete', id, {});
      expect(idsOf(await follow(`problem_id=end-dump&${ENDED}`, 1))).to.deep.equal([id]);
    });
  });

  it('has for the end of a task the moment in which it ended, not that in which the transaction began', async () => {
    const id = await start('end-moment');
    await api.db.transaction().execute(async (open) => {
      const { rows: [began] } = await sql<{ at: Date }>`select now() as at, pg_sleep(0.02)`.execute(open);
      await cancel(open, id);
      const { rows: [ended] } = await sql<{ at: Date }>`select ended_at as at from outcomes where task_id = ${id}::uuid`.execute(open);
      expect(ended?.at.getTime()).to.be.greaterThan((began?.at.getTime() ?? Infinity) + 15);
    });
  });

  it('passes nothing over that ends while it reads, and repeats nothing', async () => {
    const ids = await submitMany(api, 300, { problem_id: 'end-race' });
    const [one, many] = [ids.slice(60, 100), ids.slice(100)];
    const ending = Promise.all([
      (async () => {
        for (let left = 60; left > 0; left -= 1) {
          const { body } = await worker.claim();
          await worker.report('complete', (body as { id: string }).id, {});
        }
      })(),
      (async () => {
        for (const id of one) await api.call('POST', `/api/v1/tasks/${id}/cancel`);
      })(),
      (async () => {
        for (let n = 0; n < many.length; n += 20) await api.db.transaction().execute((open) => cancelMany(open, many.slice(n, n + 20)));
      })(),
    ]);
    const lines = await follow('problem_id=end-race&status=completed,cancelled&limit=37', 300);
    await ending;
    expect(idsOf(lines)).to.deep.equal(byEnd(lines));
    expect([...idsOf(lines)].sort()).to.deep.equal(ids);
  }).timeout(120_000);

  it('reads little of what has been exported before', async () => {
    const began = Date.parse('2025-01-01T00:00:00Z');
    await sql`
      with stored as (
        insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at)
        select uuid_v7(at), 'end-history', '{}', 5, 60, 1, 3, at
          from generate_series(1, 10000) as n cross join lateral (select to_timestamp(${began / 1000}) + n * interval '1 second' as at) as moment
        returning id, created_at)
      insert into outcomes (task_id, status, reason, attempt, ended_at, error)
      select id, 'cancelled', 'cancel_requested', 0, created_at + interval '1 second', 'x' from stored`.execute(api.db);
    await sql`analyze tasks, outcomes`.execute(api.db);
    const rowsRead = (after: number): Promise<{ found: number; rows: number }> => api.db.transaction().execute(async (on) => {
      const readSoFar = async (): Promise<number> => (await sql<{ rows: number }>`
        select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_user_tables`.execute(on)).rows[0]?.rows ?? 0;
      const before = await readSoFar();
      const found = await readForExport(on, { ...NO_FILTER, statuses: ['cancelled', 'failed'] }, {
        after: { id: 'ffffffff-ffff-ffff-ffff-ffffffffffff', endedAtMs: began + after * 1000 }, horizon: '2025-01-02T00:00:00Z', limit: 100, bytes: 4 * 1024 * 1024,
      });
      return { found: found.rows.length, rows: (await readSoFar()) - before };
    });
    for (const [after, found] of [[0, 100], [5_000, 100], [9_991, 10], [10_001, 0]] as const) {
      const read = await rowsRead(after);
      expect(read.found, String(after)).to.equal(found);
      expect(read.rows, String(after)).to.be.lessThan(1_000);
    }
  });

  it('refuses the cursor of the other walk, and says what to do', async () => {
    const [bySubmission] = await read('problem_id=end-once&limit=1');
    const [byEnds] = await read('problem_id=end-once&status=cancelled&limit=1');
    const refused = async (query: string): Promise<string> => {
      const { status, body } = await api.call('GET', `/api/v1/tasks/export?${query}`);
      expect([status, (body as { code: string }).code], query).to.deep.equal([422, 'validation_failed']);
      return (body as { detail: string }).detail;
    };
    expect(await refused(`status=cancelled&cursor=${bySubmission?.cursor}`)).to.match(/in the order of submission.*begin without it/);
    expect(await refused(`completed_from=2026-01-01T00:00:00Z&cursor=${bySubmission?.cursor}`)).to.match(/in the order of submission/);
    expect(await refused(`cursor=${byEnds?.cursor}`)).to.match(/of ended tasks.*begin without it/);
    expect(await refused(`status=cancelled,running&cursor=${byEnds?.cursor}`)).to.match(/of ended tasks/);
    const id = byEnds?.task?.id;
    for (const forged of [[id, -1], [id, null], [id, 'x'], [id, 1.5], ['x', 1], [1, 1], [id, 1, 2], []]) {
      await refused(`status=cancelled&cursor=${Buffer.from(JSON.stringify(forged)).toString('base64url')}`);
    }
    const last = Buffer.from(JSON.stringify([id, Number.MAX_SAFE_INTEGER])).toString('base64url');
    expect(await read(`status=cancelled&cursor=${last}`)).to.deep.equal([]);
  });
});
