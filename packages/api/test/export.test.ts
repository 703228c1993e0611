/** The export: whole, in order, resumable, and nothing passed over, whatever is submitted meanwhile. */
import { request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { sql } from 'kysely';
import { request } from 'undici';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { followExport, idsOf, readExport, submitMany, type Line } from './support/exporter.js';

describe('export', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 100, globs: ['ex-*'] });
  });
  after(() => api.stop());

  const read = (query: string): Promise<Line[]> => readExport(api, query);
  const batch = (count: number, task: Record<string, unknown>): Promise<string[]> => submitMany(api, count, task);
  const follow = async (query: string, complete: (ids: string[]) => boolean): Promise<string[]> => idsOf(await followExport(api, query, complete));

  it('gives each task with its attempts and its log before it', async () => {
    const id = await submitTask(api, { problem_id: 'ex-whole', labels: { x: 'y' }, retry: { max_attempts: 2, initial_seconds: 0 } });
    await worker.claim();
    await worker.report('logs', id, { entries: [{ message: 'one\nline' }, { message: 'two' }] });
    await worker.report('fail', id, { error: 'x' });
    await worker.claim();
    await worker.report('logs', id, { entries: [{ message: 'three', context: { a: 1 } }] });
    await worker.report('complete', id, { result: 'ä' });
    const lines = await eventually(async () => {
      const found = await read('problem_id=ex-whole&include=attempts,logs');
      return found.length > 0 && found;
    });
    expect(lines.map(({ type }) => type)).to.deep.equal(['attempt', 'attempt', 'log', 'log', 'log', 'task']);
    expect(lines.slice(0, 2).map((line) => [line.task_id, line.attempt?.attempt, line.attempt?.outcome])).to.deep.equal([[id, 1, 'failed'], [id, 2, 'completed']]);
    expect(lines.slice(2, 5).map(({ line }) => line?.message)).to.deep.equal(['one\nline', 'two', 'three']);
    expect(lines[5]?.task).to.deep.equal(await readTask(api, id));
    expect((await read('problem_id=ex-whole&include=logs')).map(({ type }) => type)).to.deep.equal(['log', 'log', 'log', 'task']);
    expect((await read('problem_id=ex-whole')).map(({ type }) => type)).to.deep.equal(['task']);
  });

  it('goes by every filter, in the order of submission', async () => {
    const ids = await batch(250, { problem_id: 'ex-many', labels: { set: 'a' } });
    const other = await batch(2, { problem_id: 'ex-few', labels: { set: 'a' } });
    for (const id of ids.slice(0, 3)) await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    await follow('label=set=a', (found) => found.length === 252);
    expect(idsOf(await read('problem_id=ex-many'))).to.deep.equal(ids);
    expect(idsOf(await read('label=set=a'))).to.deep.equal([...ids, ...other]);
    expect(idsOf(await read('label=set=a&status=cancelled'))).to.deep.equal(ids.slice(0, 3));
    expect(idsOf(await read('problem_glob=ex-f*&status=pending'))).to.deep.equal(other);
    expect(idsOf(await read('problem_id=ex-many&limit=101'))).to.deep.equal(ids.slice(0, 101));
    expect(idsOf(await read('problem_id=nothing'))).to.deep.equal([]);
    for (const query of ['limit=0', 'cursor=abc', 'include=results', 'status=done', 'color=red', `cursor=${Buffer.from('["x"]').toString('base64url')}`]) {
      expect((await api.call('GET', `/api/v1/tasks/export?${query}`)).status, query).to.equal(422);
    }
  });

  it('goes on after any cursor', async () => {
    const whole = await read('problem_id=ex-many');
    for (const n of [0, 98, 99, 100, 248, 249]) {
      expect(idsOf(await read(`problem_id=ex-many&cursor=${whole[n]?.cursor}`)), String(n)).to.deep.equal(idsOf(whole.slice(n + 1)));
    }
  });

  it('passes nothing over that is submitted while it reads, and repeats nothing', async () => {
    const submitted: string[] = [];
    let going = true;
    const submitting = Promise.all(Array.from({ length: 4 }, async (_one, n) => {
      for (let round = 0; round < 12; round++) {
        if (n === 0) submitted.push(...await batch(150, { problem_id: 'ex-race' }));
        else submitted.push(await submitTask(api, { problem_id: 'ex-race' }));
      }
    })).finally(() => {
      going = false;
    });
    const ids = await follow('problem_id=ex-race&limit=77', (found) => !going && found.length >= submitted.length);
    await submitting;
    expect(new Set(ids).size).to.equal(ids.length);
    expect([...ids].sort()).to.deep.equal(ids);
    expect([...submitted].sort()).to.deep.equal(ids);
  }).timeout(120_000);

  it('waits for a submission that is still under way before it goes beyond', async () => {
    const first = await submitTask(api, { problem_id: 'ex-slow' });
    let commit = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let slow = '';
    let transaction: Promise<unknown> = Promise.resolve();
    await new Promise<void>((inserted, refused) => {
      transaction = api.db.transaction().execute(async (open) => {
        const { rows: [row] } = await sql<{ id: string }>`
          insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at)
          values (uuid_v7(clock_timestamp()), 'ex-slow', '{}', 5, 60, 1, 3, date_trunc('milliseconds', clock_timestamp())) returning id`.execute(open);
        slow = row?.id ?? '';
        await sql`insert into queue (task_id, problem_id, backend_type, priority, rank, state, timeout_seconds, max_attempts, max_lost, updated_at)
          values (${slow}::uuid, 'ex-slow', '', 5, 0, 'pending', 60, 1, 3, now())`.execute(open);
        inserted();
        await released;
      });
      transaction.catch(refused);
    });
    const later = await submitTask(api, { problem_id: 'ex-slow' });
    const early = idsOf(await read('problem_id=ex-slow'));
    expect(early).to.not.include(later);
    expect([[], [first]]).to.deep.include(early);
    commit();
    await transaction;
    expect(await follow('problem_id=ex-slow', (found) => found.length === 3)).to.deep.equal([first, slow, later]);
  });

  it('reads nothing for HEAD', async () => {
    const head = (query: string) => request(`${api.url}/api/v1/tasks/export${query}`, { method: 'HEAD' });
    await api.db.transaction().execute(async (open) => {
      await sql`lock table tasks, queue, outcomes in access exclusive mode`.execute(open);
      const { statusCode, headers } = await head('?include=attempts,logs');
      expect([statusCode, headers['content-type']]).to.deep.equal([200, 'application/x-ndjson; charset=utf-8']);
    });
    expect((await head('?cursor=abc')).statusCode).to.equal(422);
  });

  it('ends when its reader goes away, and holds no connection for one that does not read', async () => {
    // Larger than what sockets buffer.
    for (let n = 0; n < 14; n++) await submitTask(api, { problem_id: 'ex-large', parameters: { text: 'x'.repeat(900_000) } });
    await follow('problem_id=ex-large', (found) => found.length === 14);
    const path = '/api/v1/tasks/export?problem_id=ex-large';
    const readers = await Promise.all(Array.from({ length: 6 }, () => new Promise<() => void>((resolve, reject) => {
      const call = httpRequest(`${api.url}${path}`, (response) => {
        response.pause();
        response.on('error', () => undefined);
        resolve(() => call.destroy());
      });
      call.on('error', reject);
      call.end();
    })));
    // More readers that do not read than there are connections: everybody else is served.
    expect((await api.call('GET', '/api/v1/tasks/stats')).status).to.equal(200);
    for (const goAway of readers) goAway();
    expect(idsOf(await read('problem_id=ex-large'))).to.have.length(14);
    // The sweeper has transactions too, but none that lasts.
    await eventually(async () => (await sql`
      select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`.execute(api.db)).rows.length === 0);
  }).timeout(120_000);
});
