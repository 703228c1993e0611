/** Reuse: a task that takes the result of an equal one, that has completed or will. */
import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { sql } from 'kysely';
import { submit } from '../src/queue/submit.js';
import { AGEING_MS, submission } from './races/scene.js';
import { readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { expectInvariants } from './support/invariants.js';

describe('reuse', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 1000 });
  });
  after(() => api.stop());

  const reusing = (parameters: unknown, more: Record<string, unknown> = {}): Promise<Answer> =>
    api.call('POST', '/api/v1/tasks', { problem_id: 'reuse', parameters, reuse: { max_age_seconds: 3600 }, ...more });
  async function run(id: string, result: unknown): Promise<void> {
    expect((await worker.claim()).body.id).to.equal(id);
    expect((await worker.report('complete', id, result)).status).to.equal(200);
  }

  it('is born completed where an equal task has completed, whatever the order of the keys', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { a: 1, b: { c: [1, 2], d: 'x' } } });
    await run(first, { answer: 42 });
    const stats = (await api.call('GET', '/api/v1/tasks/stats')).body;
    const second = await reusing(JSON.parse('{"b": {"d": "x", "c": [1, 2]}, "a": 1.0}'), { labels: { run: '2' } });
    expect(second.status).to.equal(201);
    expect(second.body).to.deep.include({
      status: 'completed', reason: 'reused', reused_from: first, result: { answer: 42 }, attempt: 0, worker_id: null, started_at: null, labels: { run: '2' },
    });
    expect(second.body.completed_at).to.be.a('string');
    expect(second.body).to.not.have.property('warnings');
    expect(second.body).to.deep.include({ ...await readTask(api, second.body.id as string), reused_from: first });
    const after = (await api.call('GET', '/api/v1/tasks/stats')).body;
    expect([after.total_tasks, after.completed_tasks, after.pending_tasks]).to.deep.equal([Number(stats.total_tasks) + 1, Number(stats.completed_tasks) + 1, 0]);
    expect(after.avg_execution_time).to.equal(stats.avg_execution_time);
    // What was reused is no source of its own: the age is that of the first.
    expect((await reusing({ a: 1, b: { c: [1, 2], d: 'x' } })).body.reused_from).to.equal(first);
    expect((await api.call('GET', `/api/v1/tasks/${second.body.id}/attempts`)).body.attempts).to.deep.equal([]);
    expect((await api.call('GET', '/api/v1/tasks?status=completed&problem_id=reuse')).body.total).to.equal(3);
  });

  it('does not take what is not equal, failed, or is too old', async () => {
    const source = await submitTask(api, { problem_id: 'reuse', parameters: { n: 1 } });
    await run(source, { n: 1 });
    const different: Answer[] = [
      await reusing({ n: 1 }, { problem_id: 'reuse-other' }), await reusing({ n: '1' }), await reusing({ n: 1, m: null }), await reusing({ n: [1] }),
      await reusing({ n: 1 }, { reuse: { max_age_seconds: 0 } }), await api.call('POST', '/api/v1/tasks', { problem_id: 'reuse', parameters: { n: 1 } }),
    ];
    for (const { body } of different) {
      expect(body.status).to.equal('pending');
      await api.call('POST', `/api/v1/tasks/${body.id}/cancel`);
    }
    const failing = await submitTask(api, { problem_id: 'reuse', parameters: { fails: true } });
    await worker.claim();
    await worker.report('fail', failing, { error: 'x' });
    const fresh = await reusing({ fails: true });
    expect(fresh.body).to.include({ status: 'pending', reason: 'ready', reused_from: null });
    await run(fresh.body.id as string, {});
  });

  it('waits for an equal task that has not ended, and takes its result', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { wait: 1 } });
    const waiting = await Promise.all(Array.from({ length: 5 }, () => reusing({ wait: 1 })));
    for (const { body } of waiting) expect(body).to.include({ status: 'pending', reason: 'reusing' });
    const next = await submitTask(api, { depends_on: [waiting[0]?.body.id as string] });
    expect((await worker.claim()).body.id).to.equal(first);
    expect((await worker.claim()).status).to.equal(204);
    await worker.report('complete', first, { waited: true });
    for (const { body } of waiting) {
      expect(await readTask(api, body.id as string)).to.deep.include({ status: 'completed', reason: 'reused', reused_from: first, result: { waited: true } });
    }
    const claimed = await worker.claim();
    expect(claimed.body).to.deep.include({ id: next, dependencies: { [waiting[0]?.body.id as string]: { waited: true } } });
    await worker.report('complete', next, {});
  });

  for (const [how, end] of [
    ['fails', (id: string) => worker.report('fail', id, { error: 'x' })], ['is cancelled', (id: string) => api.call('POST', `/api/v1/tasks/${id}/cancel`)],
  ] as const) {
    it(`runs itself when the awaited one ${how}`, async () => {
      const first = await submitTask(api, { problem_id: 'reuse', parameters: { how } });
      const second = await reusing({ how });
      expect((await worker.claim()).body.id).to.equal(first);
      await end(first);
      expect(await readTask(api, second.body.id as string)).to.include({ status: 'pending', reason: 'ready' });
      // Whoever comes now waits for the second.
      const third = await reusing({ how });
      expect(third.body.reason).to.equal('reusing');
      await run(second.body.id as string, { by: 'second' });
      expect(await readTask(api, third.body.id as string)).to.deep.include({ status: 'completed', reused_from: second.body.id, result: { by: 'second' } });
    });
  }

  it('runs one of many that wait when the awaited one fails, not all', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { many: 1 } });
    const waiting = await Promise.all(Array.from({ length: 6 }, async () => (await reusing({ many: 1 })).body.id as string));
    await worker.claim();
    await worker.report('fail', first, { error: 'x' });
    const { body: chosen } = await worker.claim();
    expect(waiting).to.contain(chosen.id);
    expect((await worker.claim()).status).to.equal(204);
    await worker.report('complete', chosen.id as string, { once: true });
    for (const id of waiting.filter((one) => one !== chosen.id)) {
      expect(await readTask(api, id)).to.deep.include({ status: 'completed', reason: 'reused', reused_from: chosen.id, result: { once: true } });
    }
  });

  it('runs one of more that wait than one statement tells, and gives the others its result', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { crowd: 1 } });
    const { body } = await api.call('POST', '/api/v1/tasks/batch', {
      tasks: Array.from({ length: 1000 }, () => ({ problem_id: 'reuse', parameters: { crowd: 1 }, reuse: { max_age_seconds: 3600 } })),
    });
    const waiting = (body.tasks as { id: string }[]).map(({ id }) => id);
    await worker.claim();
    await worker.report('fail', first, { error: 'x' });
    const { body: chosen } = await worker.claim();
    expect(waiting).to.contain(chosen.id);
    expect((await worker.claim()).status).to.equal(204);
    await worker.report('complete', chosen.id as string, { once: true });
    const { rows } = await sql<{ task_id: string }>`
      select task_id from outcomes where reused_from = ${chosen.id}::uuid and result ->> 'once' = 'true' order by task_id`.execute(api.db);
    expect(rows.map(({ task_id: id }) => id)).to.deep.equal(waiting.filter((id) => id !== chosen.id).sort());
  }).timeout(60_000);

  it('gives a large result to all that wait for it', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { large: 1 } });
    const waiting = await Promise.all(Array.from({ length: 40 }, async () => (await reusing({ large: 1 })).body.id as string));
    await run(first, { text: randomBytes(450_000).toString('hex') });
    for (const id of waiting) expect(await readTask(api, id)).to.include({ status: 'completed', reused_from: first });
  }).timeout(60_000);

  it('finds who stands in for one that stood in, while it runs and when it has completed', async () => {
    const submitted = [await reusing({ chain: 1 }), await reusing({ chain: 1 }), await reusing({ chain: 1 })];
    const ids = submitted.map(({ body }) => body.id as string);
    for (const id of ids.slice(0, 2)) {
      expect((await worker.claim()).body.id).to.equal(id);
      await worker.report('fail', id, { error: 'x' });
    }
    const waiting = await reusing({ chain: 1 });
    expect(waiting.body.reason).to.equal('reusing');
    const explained = await api.call('GET', `/api/v1/tasks/${waiting.body.id}/explain`);
    expect(explained.body.constraints[0]).to.deep.include({ kind: 'reuse', task_id: ids[2] });
    await run(ids[2]!, { by: 'the third' });
    for (const id of [waiting.body.id as string, (await reusing({ chain: 1 })).body.id as string]) {
      expect(await readTask(api, id)).to.deep.include({ status: 'completed', reused_from: ids[2], result: { by: 'the third' } });
    }
    // Of two results it is that of the one submitted last.
    const last = await submitTask(api, { problem_id: 'reuse', parameters: { chain: 1 } });
    await run(last, { by: 'the last' });
    expect((await reusing({ chain: 1 })).body).to.deep.include({ reused_from: last, result: { by: 'the last' } });
    await expectInvariants(api.db, { settled: false });
  });

  it('waits for an awaited one that is tried again', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { again: 1 }, retry: { max_attempts: 2, initial_seconds: 0 } });
    const second = await reusing({ again: 1 });
    await worker.claim();
    await worker.report('fail', first, { error: 'x' });
    expect((await readTask(api, second.body.id as string)).reason).to.equal('reusing');
    await run(first, { second: 'try' });
    expect((await readTask(api, second.body.id as string)).result).to.deep.equal({ second: 'try' });
  });

  it('runs one of many equal tasks that are submitted at once', async () => {
    const replica = await api.replica();
    const answers = await Promise.all(Array.from({ length: 16 }, (_one, n) =>
      (n % 2 === 0 ? api : replica).call('POST', '/api/v1/tasks', { problem_id: 'reuse', parameters: { once: 1 }, reuse: { max_age_seconds: 60 } })));
    const first = answers.filter(({ body }) => body.reason !== 'reusing');
    expect(first).to.have.length(1);
    await run(first[0]?.body.id as string, { only: 'once' });
    for (const { body } of answers) expect((await taskIn(api, body.id as string, 'completed')).result).to.deep.equal({ only: 'once' });
    expect((await worker.claim()).status).to.equal(204);
  });

  it('finds its equal within a batch', async () => {
    const item = { problem_id: 'reuse', parameters: { batch: 1 }, reuse: { max_age_seconds: 60 } };
    const { body } = await api.call('POST', '/api/v1/tasks/batch', { tasks: [item, item, { ...item, parameters: { batch: 2 } }, item] });
    const ids = body.tasks.map(({ id }: { id: string }) => id) as [string, string, string, string];
    const reasons = await Promise.all(ids.map(async (id) => (await readTask(api, id)).reason as string));
    expect(reasons).to.deep.equal(['ready', 'reusing', 'ready', 'reusing']);
    await run(ids[0], { b: 1 });
    expect((await readTask(api, ids[3])).result).to.deep.equal({ b: 1 });
    await run(ids[2], { b: 2 });
    const again = await api.call('POST', '/api/v1/tasks/batch', { tasks: [item, item] });
    for (const { id } of again.body.tasks as { id: string }[]) expect((await readTask(api, id)).reused_from).to.equal(ids[0]);
    const { rows } = await sql`select from queue`.execute(api.db);
    expect(rows).to.have.length(0);
  });

  it('does not wait for one of its batch that takes a result too old for it', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { aged: 1 } });
    await run(first, { old: true });
    const item = { problem_id: 'reuse', parameters: { aged: 1 } };
    const { body } = await api.call('POST', '/api/v1/tasks/batch', {
      tasks: [{ ...item, reuse: { max_age_seconds: 3600 } }, { ...item, reuse: { max_age_seconds: 0 } }, { ...item, reuse: { max_age_seconds: 0 } }],
    });
    const [taking, running, waiting] = body.tasks.map(({ id }: { id: string }) => id) as [string, string, string];
    expect((await readTask(api, taking)).reused_from).to.equal(first);
    expect((await readTask(api, running)).reason).to.equal('ready');
    expect((await readTask(api, waiting)).reason).to.equal('reusing');
    await run(running, { old: false });
    expect((await readTask(api, waiting)).result).to.deep.equal({ old: false });
  });

  it('cancels one that waits, and leaves the awaited alone', async () => {
    const first = await submitTask(api, { problem_id: 'reuse', parameters: { c: 1 } });
    const second = await reusing({ c: 1 });
    expect((await api.call('POST', `/api/v1/tasks/${second.body.id}/cancel`)).body.reason).to.equal('cancel_requested');
    await run(first, {});
    expect((await readTask(api, second.body.id as string)).status).to.equal('cancelled');
  });

  it('refuses what makes no sense', async () => {
    const parent = await submitTask(api);
    expect((await reusing({}, { depends_on: [parent] })).body.errors[0].path).to.equal('/body/reuse');
    for (const reuse of [{}, { max_age_seconds: -1 }, { max_age_seconds: 1.5 }, { max_age_seconds: 2 ** 31 }, true]) {
      expect((await reusing({}, { reuse })).status, JSON.stringify(reuse)).to.equal(422);
    }
    await api.call('POST', `/api/v1/tasks/${parent}/cancel`);
  });

  it('is not stored where a submission mixes it with what tasks depend on', async () => {
    const [plain, asking] = [submission('mixed'), { ...submission('mixed'), reuseSeconds: 60 }];
    for (const [tasks, parent] of [
      [[asking], randomUUID()], [[plain, asking], 1], [[plain, { ...plain, dedupeKey: 'mixed' }], 1], [[plain], 1],
    ] as const) {
      const failure = await submit(api.db, AGEING_MS, tasks, [{ child: 0, parent, name: 'parent' }]).catch((error: unknown) => error);
      expect(String(failure)).to.match(/^Error: task \d of a submission/);
    }
    expect((await api.call('GET', '/api/v1/tasks?problem_id=mixed')).body.total).to.equal(0);
  });

  it('finds an equal task that was stored years ago', async () => {
    const present = await submitTask(api, { problem_id: 'reuse', parameters: { old: 1 } });
    await api.call('POST', `/api/v1/tasks/${present}/cancel`);
    const { rows: [old] } = await sql<{ id: string }>`
      with submitted as (
        insert into tasks (id, problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at, fingerprint)
        select uuid_v7(created_at - interval '3 years'), problem_id, parameters, priority, timeout_seconds, max_attempts, max_lost, created_at - interval '3 years', fingerprint
          from tasks where id = ${present}
        returning id, priority, created_at
      )
      insert into outcomes (task_id, status, attempt, worker_id, session_id, started_at, ended_at, result, priority)
      select id, 'completed', 1, ${worker.id}, gen_random_uuid(), created_at, created_at + interval '1 minute', '{"by": "the old one"}', priority from submitted
      returning task_id as id`.execute(api.db);
    const year = 31_557_600;
    const tooOld = await reusing({ old: 1 }, { reuse: { max_age_seconds: 2 * year } });
    expect(tooOld.body).to.include({ status: 'pending', reused_from: null });
    await api.call('POST', `/api/v1/tasks/${tooOld.body.id}/cancel`);
    expect((await reusing({ old: 1 }, { reuse: { max_age_seconds: 4 * year } })).body).to.deep.include({ reused_from: old!.id, result: { by: 'the old one' } });
  });
});
