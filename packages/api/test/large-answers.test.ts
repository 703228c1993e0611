/** Large parameters, results and lines: what one item may bring, what one page may hold, and that nothing is lost by either. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { LIMITS } from '@task-executor/shared';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases } from '../src/db/database.js';
import { advanceBulk, createBulk, findBulk } from '../src/queue/bulk.js';
import { readForExport } from '../src/queue/export.js';
import { readHorizon } from '../src/queue/horizon.js';
import { submitPlain } from '../src/queue/submit-plain.js';
import { AGEING_MS, submission } from './races/scene.js';
import { readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { NO_FILTER } from './support/filters.js';

const MIB = 1024 * 1024;
/** Whose JSON has `bytes`. PostgreSQL stores it in a hundredth of them. */
const json = (bytes: number): { text: string } => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });

describe('large answers', function () {
  this.timeout(60_000);
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: '600' });
  });
  after(() => api.stop());

  const get = (path: string) => api.call('GET', path);
  const submitMany = async (count: number, task: Record<string, unknown>): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) {
      const tasks = Array.from({ length: Math.min(10, count - ids.length) }, () => task);
      const { status, body } = await api.call('POST', '/api/v1/tasks/batch', { tasks });
      expect(status, JSON.stringify(body)).to.equal(201);
      ids.push(...(body.tasks as { id: string }[]).map(({ id }) => id));
    }
    return ids;
  };
  const idsOf = (tasks: { id: string }[]): string[] => tasks.map(({ id }) => id);

  it('takes as much with an item of a batch or a workflow as with a task alone, and no more', async () => {
    const bodies = (last: number): [string, Record<string, unknown>][] => [
      ['/api/v1/tasks/batch', { tasks: [{ problem_id: 'item-1' }, { problem_id: 'item-1', parameters: json(last) }] }],
      ['/api/v1/workflows', { tasks: [{ name: 'a', problem_id: 'item-1' }, { name: 'b', problem_id: 'item-1', parameters: json(last) }] }],
    ];
    for (const [path, body] of bodies(MIB + 1)) {
      const answer = await api.call('POST', path, body);
      expect([answer.status, answer.body.code, answer.body.detail]).to.deep.equal([413, 'body_too_large', '/body/tasks/1/parameters: at most 1048576 bytes are taken.']);
    }
    expect((await get('/api/v1/tasks?problem_id=item-1')).body.total).to.equal(0);
    for (const [path, body] of bodies(MIB)) expect((await api.call('POST', path, body)).status).to.equal(201);
  });

  it('refuses a report of a result that is too large by itself, and takes the others', async () => {
    const worker = await TestWorker.register(api, { globs: ['result-1'], parallel: 3 });
    const ids = await submitMany(3, { problem_id: 'result-1' });
    for (const id of ids) expect((await worker.claim()).body.id).to.equal(id);
    const reports = [MIB, MIB + 1, 100].map((bytes, n) => ({ task_id: ids[n], attempt: 1, outcome: 'completed', result: json(bytes) }));
    const { status, body } = await api.call('POST', `/api/v1/workers/${worker.id}/report`, { reports }, { 'worker-session': worker.session });
    expect(status).to.equal(200);
    expect(body.reports).to.deep.equal([
      { task_id: ids[0], attempt: 1, accepted: true },
      { task_id: ids[1], attempt: 1, accepted: false, problem: 'body_too_large' },
      { task_id: ids[2], attempt: 1, accepted: true },
    ]);
    expect(await Promise.all(ids.map(async (id) => (await readTask(api, id)).status as string))).to.deep.equal(['completed', 'running', 'completed']);
    await worker.leave();
  });

  it('says of a page that would be too large how many tasks fit, and cuts one after a cursor', async () => {
    const ids = await submitMany(35, { problem_id: 'list-1', parameters: json(MIB) });
    for (const sort of ['created_at', '-updated_at']) {
      const path = `/api/v1/tasks?problem_id=list-1&sort=${sort}&page_size`;
      const refused = await get(`${path}=100`);
      expect([refused.status, refused.body.code, refused.body.retryable]).to.deep.equal([422, 'page_too_large', false]);
      expect(refused.body.detail).to.equal('A page has at most 33554432 bytes of tasks; a page_size of 32 fits here.');
      const found: string[] = [];
      const sizes: number[] = [];
      for (let page = (await get(`${path}=2`)).body; ; page = (await get(`${path}=100&cursor=${page.next_cursor}`)).body) {
        found.push(...idsOf(page.tasks));
        sizes.push(page.tasks.length);
        if (page.next_cursor === null) break;
      }
      expect(sizes).to.deep.equal([2, 32, 1]);
      expect(sort === 'created_at' ? found : found.sort()).to.deep.equal(ids);
    }
    expect((await get('/api/v1/tasks?problem_id=list-1&page_size=33')).status).to.equal(422);
    const numbered = await Promise.all([1, 2].map(async (page) => idsOf((await get(`/api/v1/tasks?problem_id=list-1&sort=created_at&page_size=32&page=${page}`)).body.tasks)));
    expect(numbered).to.deep.equal([ids.slice(0, 32), ids.slice(32)]);
  });

  it('exports in pieces of few bytes, and loses nothing', async () => {
    const ids = await submitMany(10, { problem_id: 'piece-1', parameters: json(MIB) });
    const { rows, hasMore } = await readForExport(api.db, { ...NO_FILTER, problemId: 'piece-1' }, {
      after: null, horizon: await readHorizon(api.db), limit: 100, bytes: 4 * MIB,
    });
    expect([idsOf(rows), hasMore]).to.deep.equal([ids.slice(0, 4), true]);
    const lines = ((await get('/api/v1/tasks/export?problem_id=piece-1&limit=7')).body as string).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { task: { id: string } }).task.id)).to.deep.equal(ids.slice(0, 7));
    const rest = ((await get(`/api/v1/tasks/export?problem_id=piece-1&cursor=${(JSON.parse(lines[6]!) as { cursor: string }).cursor}`)).body as string).trim().split('\n');
    expect(rest).to.have.length(3);
  });

  it('shows a task that is larger than a page, alone', async () => {
    const parameters = json(LIMITS.maxPageBytes + 1);
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) ids.push((await submitPlain(api.db, AGEING_MS, [{ ...submission('giant-1'), parameters }]))[0]!.id);
    for (const [n, id] of ids.entries()) {
      const { status, body } = await get(`/api/v1/tasks?problem_id=giant-1&sort=created_at&page_size=1&page=${n + 1}`);
      expect([status, idsOf(body.tasks as { id: string }[])]).to.deep.equal([200, [id]]);
    }
    expect((await readTask(api, ids[0]!)).parameters.text).to.have.length(parameters.text.length);
    expect((await get('/api/v1/tasks?problem_id=giant-1')).body.detail).to.match(/a page_size of 1 fits/);
    const exported = ((await get('/api/v1/tasks/export?problem_id=giant-1')).body as string).trim().split('\n');
    expect(exported.map((line) => (JSON.parse(line) as { task: { id: string } }).task.id)).to.deep.equal(ids);
  });

  it('cuts pages of a log and of attempts, and exports both whole', async () => {
    const worker = await TestWorker.register(api, { globs: ['story-1'] });
    const id = await submitTask(api, { problem_id: 'story-1', retry: { max_attempts: 50, initial_seconds: 0 } });
    for (let n = 0; n < 34; n++) {
      expect((await worker.claim()).body.attempt).to.equal(n + 1);
      expect((await worker.report('logs', id, { entries: [{ message: String(n), context: json(MIB - 100) }] })).status).to.equal(200);
      await worker.report('fail', id, { error: 'x' });
    }
    await sql`insert into late_reports (task_id, attempt, reported_at, outcome, result)
              select task_id, attempt, now(), 'completed', ${JSON.stringify(json(MIB))}::json from attempts where task_id = ${id}::uuid`.execute(api.db);

    const first = (await get(`/api/v1/tasks/${id}/logs?limit=1000`)).body;
    expect([first.logs.length, first.total, first.has_more]).to.deep.equal([32, 34, true]);
    const second = (await get(`/api/v1/tasks/${id}/logs?limit=1000&cursor=${first.next_cursor}`)).body;
    expect([second.logs.length, second.logs[0].message, second.has_more]).to.deep.equal([2, '32', false]);

    const attempts = (await get(`/api/v1/tasks/${id}/attempts`)).body;
    expect(attempts.attempts).to.have.length(31);
    const others = (await get(`/api/v1/tasks/${id}/attempts?cursor=${attempts.next_cursor}`)).body;
    expect([others.attempts.length, others.attempts[0].attempt, others.next_cursor]).to.deep.equal([3, 32, null]);

    const lines = ((await get('/api/v1/tasks/export?problem_id=story-1&include=attempts,logs')).body as string).trim().split('\n')
      .map((line) => JSON.parse(line) as { type: string; attempt?: { attempt: number }; line?: { message: string } });
    const numbers = Array.from({ length: 34 }, (_, n) => n);
    expect(lines.flatMap(({ attempt }) => attempt?.attempt ?? [])).to.deep.equal(numbers.map((n) => n + 1));
    expect(lines.flatMap(({ line }) => line?.message ?? [])).to.deep.equal(numbers.map(String));
    expect(lines.at(-1)?.type).to.equal('task');
  });

  it('cuts pages of schedules', async () => {
    for (let n = 0; n < 34; n++) {
      const { status } = await api.call('POST', '/api/v1/schedules', { cron: '0 0 1 1 *', task: { problem_id: 'sched-1', parameters: json(MIB - 200) } });
      expect(status).to.equal(201);
    }
    const first = (await get('/api/v1/schedules')).body;
    expect(first.schedules).to.have.length(32);
    const second = (await get(`/api/v1/schedules?cursor=${first.next_cursor}`)).body;
    expect([second.schedules.length, second.next_cursor]).to.deep.equal([2, null]);
  });

  it('retries in bulk no more bytes at a time than a body may bring', async () => {
    // Where no server's sweeper does it.
    const database = await createTestDatabase();
    const databases = openDatabases(database.url, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    try {
      const db = databases.general;
      const advance = () => db.transaction().execute((transaction) => advanceBulk(transaction, AGEING_MS, 200));
      for (let n = 0; n < 40; n++) await submitPlain(db, AGEING_MS, [{ ...submission('again-1'), parameters: json(MIB - 100) }]);
      await createBulk(db, 'cancel', NO_FILTER);
      expect((await advance())?.cancelled).to.have.length(40);
      const operation = await createBulk(db, 'retry', NO_FILTER);
      const pieces = [await advance(), await advance(), await advance()].map((piece) => piece?.submitted.created.length);
      expect(pieces).to.deep.equal([16, 16, 8]);
      expect(await findBulk(db, operation!.id)).to.include({ state: 'done', examined: 40, changed: 40 });
      expect(await advance()).to.equal(null);
    } finally {
      await databases.close();
      await database.drop();
    }
  });

  it('retries in bulk no more dependencies at a time than a workflow may have', async () => {
    const database = await createTestDatabase();
    const databases = openDatabases(database.url, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    try {
      const db = databases.general;
      const many = Math.floor(LIMITS.maxSubmittedDependencies / LIMITS.maxDependencies) + 1;
      await submitPlain(db, AGEING_MS, Array.from({ length: LIMITS.maxDependencies }, () => submission('parent-1')));
      await submitPlain(db, AGEING_MS, Array.from({ length: many }, () => submission('child-1')));
      // Their parents are not retried, so neither are they.
      await sql`
        insert into dependencies (task_id, parent_id, name, kind)
        select c.id, p.id, p.id::text, 'needs' from tasks c, tasks p where c.problem_id = 'child-1' and p.problem_id = 'parent-1'`.execute(db);
      for (const problemId of ['parent-1', 'child-1']) await createBulk(db, 'cancel', { ...NO_FILTER, problemId });
      const advance = () => db.transaction().execute((transaction) => advanceBulk(transaction, AGEING_MS, LIMITS.maxDependencies));
      while ((await advance()) !== null);
      const operation = await createBulk(db, 'retry', { ...NO_FILTER, problemId: 'child-1' });
      await advance();
      expect(await findBulk(db, operation!.id)).to.include({ state: 'running', examined: many - 1, changed: 0 });
      await advance();
      expect(await findBulk(db, operation!.id)).to.include({ state: 'done', examined: many, changed: 0 });
    } finally {
      await databases.close();
      await database.drop();
    }
  });

  it('refuses a workflow and a batch with more dependencies than one statement stores in its time', async () => {
    const parents = Array.from({ length: LIMITS.maxDependencies }, (_, n) => `p${n}`);
    const tasks = [
      ...parents.map((name) => ({ name, problem_id: 'flow-1' })),
      ...Array.from({ length: 101 }, (_, n) => ({ name: `c${n}`, problem_id: 'flow-1', depends_on: parents })),
    ];
    const ids = parents.map(() => randomUUID());
    for (const [path, submitted] of [
      ['/api/v1/workflows', tasks], ['/api/v1/tasks/batch', Array.from({ length: 101 }, () => ({ problem_id: 'flow-1', depends_on: ids }))],
    ] as const) {
      const { status, body } = await api.call('POST', path, { tasks: submitted });
      expect([status, body.code, body.detail]).to.deep.equal([422, 'validation_failed', '/body/tasks: they have 101000 dependencies; at most 100000 are taken']);
    }
  });
});
