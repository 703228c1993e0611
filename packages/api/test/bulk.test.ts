/** Bulk operations: many tasks cancelled or retried piece by piece, followed, and stopped. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { createBulk } from '../src/queue/bulk.js';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { NO_FILTER } from './support/filters.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('bulk operations', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    await api.replica({ SWEEP_INTERVAL_MS: '50' });
    worker = await TestWorker.register(api, { parallel: 1000 });
  });
  after(() => api.stop());

  const start = (action: string, filter: Record<string, unknown>): Promise<Answer> => api.call('POST', '/api/v1/bulk-operations', { action, filter });
  const ended = (id: string): Promise<Answer['body']> => eventually(async () => {
    const { body } = await api.call('GET', `/api/v1/bulk-operations/${id}`);
    return body.state !== 'running' && body;
  });
  const run = async (action: string, filter: Record<string, unknown>): Promise<Answer['body']> => {
    const started = await start(action, filter);
    expect(started.status).to.equal(202);
    expect(started.headers.location).to.equal(`/api/v1/bulk-operations/${started.body.id}`);
    expect(started.body).to.include({ action, state: 'running', examined: 0, changed: 0, ended_at: null });
    return ended(started.body.id as string);
  };
  const batch = async (count: number, task: Record<string, unknown>): Promise<string[]> =>
    (await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: count }, () => task) })).body.tasks.map(({ id }: { id: string }) => id) as string[];
  const total = async (query: string): Promise<number> => (await api.call('GET', `/api/v1/tasks?${query}`)).body.total as number;

  it('cancel every task that fits, pending and running, and no other', async () => {
    await batch(700, { problem_id: 'mass-a', labels: { run: '1' } });
    const others = await batch(2, { problem_id: 'mass-a', labels: { run: '2' } });
    for (let n = 0; n < 3; n++) await worker.claim();
    const done = await run('cancel', { problem_glob: 'mass-*', labels: { run: '1' } });
    expect(done).to.include({ state: 'done', examined: 700, changed: 700 });
    expect(await total('label=run=1&status=cancelled')).to.equal(700);
    for (const id of others) expect((await readTask(api, id)).status).to.equal('pending');
    expect(await run('cancel', { labels: { run: '1' } })).to.include({ examined: 0, changed: 0 });
    await run('cancel', { labels: { run: '2' } });
  });

  it('leave alone what has a status that the action is not about', async () => {
    await batch(3, { problem_id: 'apart' });
    const done = await submitTask(api, { problem_id: 'apart', priority: 10 });
    await worker.claim();
    await worker.report('complete', done, {});
    expect(await run('cancel', { status: ['completed', 'pending'], problem_id: 'apart' })).to.include({ examined: 3, changed: 3, skipped: 0 });
    expect((await readTask(api, done)).status).to.equal('completed');
  });

  const [EARLY, LATE] = ['2026-01-05T09:00:00Z', '2026-01-05T11:00:00+01:00'];
  for (const [action, filter, path] of [
    ['cancel', { status: ['completed', 'failed'] }, 'status'],
    ['retry', { status: ['pending', 'running'] }, 'status'],
    ['cancel', { completed_from: EARLY }, 'completed_from'],
    ['cancel', { completed_before: EARLY }, 'completed_before'],
    ['cancel', { created_from: LATE, created_before: EARLY }, 'created_before'],
    ['retry', { created_from: EARLY, created_before: EARLY }, 'created_before'],
    ['retry', { completed_from: LATE, completed_before: EARLY }, 'completed_before'],
    ['retry', { created_from: LATE, completed_before: EARLY }, 'completed_before'],
    ['retry', { problem_id: 'apart', problem_glob: 'together-*' }, 'problem_glob'],
  ] as const) {
    it(`refuse a ${action} of ${JSON.stringify(filter)}, which no task can fit`, async () => {
      const { status, body } = await start(action, filter);
      expect([status, body.code, body.errors[0].path]).to.deep.equal([422, 'validation_failed', `/body/filter/${path}`]);
      expect(body.errors[0].message).to.contain('no task fits');
    });
  }

  it('take times and a glob that a task can fit', async () => {
    expect(await run('retry', { created_from: EARLY, created_before: LATE, completed_from: EARLY, completed_before: LATE })).to.include({ examined: 0 });
    expect(await run('retry', { problem_id: 'none-1', problem_glob: 'none-*' })).to.include({ examined: 0 });
  });

  it('retry what failed, each once, and leave the completed and the new alone', async () => {
    const ids = await batch(250, { problem_id: 'again', labels: { l: 'x' } });
    for (let n = 0; n < 5; n++) await worker.report(n === 0 ? 'complete' : 'fail', (await worker.claim()).body.id as string, n === 0 ? {} : { error: 'x' });
    await run('cancel', { problem_id: 'again' });
    const done = await run('retry', { problem_id: 'again' });
    expect(done).to.include({ examined: 249, changed: 249 });
    expect(await total('problem_id=again')).to.equal(499);
    const { rows } = await sql<{ retries: number }>`
      select count(*)::int as retries from tasks where problem_id = 'again' and retry_of is not null group by retry_of having count(*) > 1`.execute(api.db);
    expect(rows).to.deep.equal([]);
    expect(await total('problem_id=again&status=pending')).to.equal(249);
    expect((await readTask(api, ids[0] ?? '')).status).to.equal('completed');
    expect(await run('retry', { problem_id: 'again', status: ['completed'] })).to.include({ changed: 1 });
    await run('cancel', { problem_id: 'again' });
  });

  it('go by time and worker, too', async () => {
    const [first] = await batch(1, { problem_id: 'timed' });
    const second = await eventually(async () => {
      const id = await submitTask(api, { problem_id: 'timed' });
      return (await readTask(api, id)).created_at > (await readTask(api, first ?? '')).created_at && id;
    });
    const moment = (await readTask(api, second)).created_at as string;
    await run('cancel', { problem_id: 'timed', created_before: moment });
    expect((await readTask(api, first ?? '')).status).to.equal('cancelled');
    expect((await readTask(api, second)).status).to.equal('pending');
    expect((await worker.claim()).body.id).to.equal(second);
    await run('cancel', { worker_id: worker.id });
    expect(await readTask(api, second)).to.include({ status: 'cancelled', worker_id: worker.id });
  });

  it('stop, and keep what they have done', async () => {
    for (let n = 0; n < 9; n++) await batch(1000, { problem_id: 'stopped' });
    const ids = await batch(1000, { problem_id: 'stopped' });
    const { body } = await start('cancel', { problem_id: 'stopped' });
    const path = `/api/v1/bulk-operations/${body.id}`;
    await eventually(async () => (await api.call('GET', path)).body.changed > 0);
    const stopped = await api.call('POST', `${path}/stop`);
    expect(stopped.status).to.equal(200);
    expect(stopped.body.state).to.equal('stopped');
    expect(stopped.body.changed).to.be.within(1, 9_999);
    expect(await total('problem_id=stopped&status=cancelled')).to.equal(stopped.body.changed);
    expect((await readTask(api, ids.at(-1) ?? '')).status).to.equal('cancelled');
    expect((await api.call('POST', `${path}/stop`)).body.code).to.equal('bulk_operation_ended');
    expect((await api.call('GET', path)).body).to.deep.equal(stopped.body);
    expect((await run('cancel', { problem_id: 'stopped' })).changed).to.equal(10_000 - stopped.body.changed);
  });

  it('are listed from the newest on, by state, in pages', async () => {
    const list = async (query: string): Promise<{ ids: string[]; next: string | null }> => {
      const { status, body } = await api.call('GET', `/api/v1/bulk-operations?${query}`);
      expect(status).to.equal(200);
      return { ids: (body.bulk_operations as { id: string }[]).map(({ id }) => id), next: body.next_cursor as string | null };
    };
    const made: string[] = [];
    for (let n = 0; n < 3; n++) made.unshift((await run('cancel', { problem_id: 'listed' })).id as string);
    // As where two were made in one millisecond.
    await sql`update bulk_operations set created_at = '2100-01-01T00:00:00Z' where id = any (${made.slice(0, 2)}::uuid[])`.execute(api.db);
    const expected = [...made.slice(0, 2).sort().reverse(), made[2] ?? ''];
    expect((await list('limit=3')).ids).to.deep.equal(expected);
    const paged: string[] = [];
    for (let next: string | null = ''; next !== null && paged.length < 3;) {
      const page = await list(`limit=1&state=done${next === '' ? '' : `&cursor=${next}`}`);
      expect(page.ids).to.have.length(1);
      paged.push(...page.ids);
      next = page.next;
    }
    expect(paged).to.deep.equal(expected);
    const { next_cursor: last, bulk_operations: all } = (await api.call('GET', '/api/v1/bulk-operations')).body;
    expect([last, all[0]]).to.deep.equal([null, (await api.call('GET', `/api/v1/bulk-operations/${expected[0] ?? ''}`)).body]);
    expect((await list('state=running')).ids).to.deep.equal([]);
    for (const query of ['state=over', 'limit=0', 'limit=101', 'cursor=x']) {
      expect((await api.call('GET', `/api/v1/bulk-operations?${query}`)).status, query).to.equal(422);
    }
  });

  it('pass an end on to dependents', async () => {
    const parent = await submitTask(api, { problem_id: 'bulk-parent' });
    const child = await submitTask(api, { problem_id: 'bulk-child', depends_on: [parent] });
    await run('cancel', { problem_id: 'bulk-parent' });
    expect(await eventually(async () => {
      const task = await readTask(api, child);
      return task.status === 'cancelled' && task;
    })).to.include({ reason: 'dependency_failed' });
    expect(await run('retry', { problem_glob: 'bulk-*' })).to.include({ changed: 2 });
  });

  it('do not wait for one whose pieces fail, which can be stopped', async () => {
    // As an earlier version may have stored it.
    const broken = await createBulk(api.db, 'cancel', { ...NO_FILTER, createdFrom: '2026-12-31T23:59:60Z' });
    const id = broken?.id ?? '';
    await sql`update bulk_operations set updated_at = '2026-01-01T00:00:00Z' where id = ${id}::uuid`.execute(api.db);
    await batch(3, { problem_id: 'unharmed' });
    expect(await run('cancel', { problem_id: 'unharmed' })).to.include({ state: 'done', changed: 3 });
    const path = `/api/v1/bulk-operations/${id}`;
    expect(await eventually(async () => {
      const { body } = await api.call('GET', path);
      return body.updated_at > '2026-01-02' && body;
    }), 'its turn comes after that of the others').to.include({ state: 'running', examined: 0 });
    expect((await api.call('POST', `${path}/stop`)).body).to.include({ state: 'stopped', changed: 0 });
  });

  it('refuse what they cannot do', async () => {
    for (const body of [{}, { action: 'delete', filter: {} }, { action: 'cancel' }, { action: 'cancel', filter: { color: 'red' } },
      { action: 'cancel', filter: { status: ['done'] } }, { action: 'cancel', filter: { labels: { k: 'ä'.repeat(300) } } }]) {
      expect((await api.call('POST', '/api/v1/bulk-operations', body)).status, JSON.stringify(body)).to.equal(422);
    }
    expect((await api.call('GET', `/api/v1/bulk-operations/${UNKNOWN}`)).body.code).to.equal('bulk_operation_not_found');
    expect((await api.call('POST', `/api/v1/bulk-operations/${UNKNOWN}/stop`)).body.code).to.equal('bulk_operation_not_found');
  });
});
