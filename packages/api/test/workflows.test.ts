/** Workflows: graphs of named tasks, their progress, their end, and what is run again. */
import { expect } from 'chai';
import { submitTask, readTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
/** More tasks than are cancelled in bulk at a time. */
const MANY = 600;

describe('workflows', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000', LEASE_SECONDS: '600', HEARTBEAT_INTERVAL_SECONDS: '5' });
    worker = await TestWorker.register(api, { parallel: 1000 });
  });
  after(() => api.stop());

  const create = (tasks: unknown[], more: Record<string, unknown> = {}): Promise<Answer> => api.call('POST', '/api/v1/workflows', { tasks, ...more });
  const read = async (id: string): Promise<Answer['body']> => (await api.call('GET', `/api/v1/workflows/${id}`)).body;
  /** Claims the next task, which has to be `name`. */
  async function claimNamed(name: string): Promise<{ id: string; dependencies?: Record<string, unknown> }> {
    const { status, body } = await worker.claim();
    expect(status).to.equal(200);
    expect(body.name).to.equal(name);
    return body as { id: string };
  }
  const finish = async (name: string, result: unknown = {}): Promise<Record<string, unknown> | undefined> => {
    const task = await claimNamed(name);
    expect((await worker.report('complete', task.id, result)).status).to.equal(200);
    return task.dependencies;
  };

  // prepare -> (left, right) -> join; the children come before their parents, which is allowed.
  const diamond = [
    { name: 'join', problem_id: 'w', depends_on: ['left', 'right'] },
    { name: 'left', problem_id: 'w', depends_on: ['prepare'], labels: { side: 'left', team: 'own' } },
    { name: 'right', problem_id: 'w', depends_on: ['prepare', 'prepare'] },
    { name: 'prepare', problem_id: 'w', parameters: { a: 1 } },
  ];

  it('runs a graph from its roots, with results by name', async () => {
    const created = await create(diamond, { name: 'a diamond', labels: { team: 'red', run: '7' } });
    expect(created.status).to.equal(201);
    const id = created.body.id as string;
    expect(created.headers.location).to.equal(`/api/v1/workflows/${id}`);
    expect(created.body).to.deep.include({ name: 'a diamond', status: 'running', retry_of: null, completed_at: null, labels: { team: 'red', run: '7' } });
    expect(created.body.progress).to.deep.equal({ total: 4, pending: 4, running: 0, completed: 0, failed: 0, timeout: 0, cancelled: 0 });
    const tasks = created.body.tasks as { name: string; task_id: string; reason: string | null; depends_on: { name: string; task_id: string }[] }[];
    expect(tasks.map(({ name }) => name)).to.deep.equal(['join', 'left', 'right', 'prepare']);
    expect(tasks.map(({ reason }) => reason)).to.deep.equal(['blocked', 'blocked', 'blocked', null]);
    expect(tasks[0]?.depends_on).to.deep.equal([{ name: 'left', task_id: tasks[1]?.task_id }, { name: 'right', task_id: tasks[2]?.task_id }]);
    expect((await readTask(api, tasks[1]?.task_id ?? '')).labels).to.deep.equal({ team: 'own', run: '7', side: 'left' });
    const listed = await api.call('GET', `/api/v1/tasks?workflow_id=${id}&label=team=red&sort=created_at`);
    expect(listed.body.tasks.map((task: { name: string }) => task.name)).to.deep.equal(['join', 'right', 'prepare']);

    await finish('prepare', { prepared: true });
    expect((await read(id)).progress).to.include({ pending: 3, completed: 1 });
    expect(await finish('left', { l: 1 })).to.deep.equal({ prepare: { prepared: true } });
    const right = await claimNamed('right');
    expect((await read(id)).progress).to.include({ pending: 1, running: 1, completed: 2 });
    expect((await worker.claim()).status).to.equal(204);
    await worker.report('complete', right.id, { r: 1 });
    expect(await finish('join')).to.deep.equal({ left: { l: 1 }, right: { r: 1 } });
    const done = await read(id);
    expect(done.status).to.equal('completed');
    expect(done.completed_at).to.equal((await readTask(api, tasks[0]?.task_id ?? '')).completed_at);
  });

  it('names the circle, the unknown and the repeated name, and stores nothing', async () => {
    const before = (await api.call('GET', '/api/v1/tasks')).body.total as number;
    const circle = await create([
      { name: 'a', problem_id: 'w' }, { name: 'b', problem_id: 'w', depends_on: ['a', 'd'] },
      { name: 'c', problem_id: 'w', depends_on: ['b'] }, { name: 'd', problem_id: 'w', depends_on: ['c'] },
    ]);
    expect(circle.status).to.equal(422);
    expect(circle.body.detail).to.match(/circle: (b -> c -> d -> b|c -> d -> b -> c|d -> b -> c -> d)$/);
    expect((await create([{ name: 'self', problem_id: 'w', depends_on: ['self'] }])).body.detail).to.contain('self -> self');
    const unknown = await create([{ name: 'a', problem_id: 'w' }, { name: 'b', problem_id: 'w', depends_on: ['a', 'nobody'] }]);
    expect(unknown.body.errors[0]).to.deep.include({ path: '/body/tasks/1/depends_on/1' });
    expect(unknown.body.errors[0].message).to.contain('nobody');
    const twice = await create([{ name: 'a', problem_id: 'w' }, { name: 'a', problem_id: 'w' }]);
    expect(twice.body.errors[0].path).to.equal('/body/tasks/1/name');
    for (const tasks of [[], [{ problem_id: 'w' }], [{ name: 'a' }], [{ name: '', problem_id: 'w' }], [{ name: 'a', problem_id: 'w', dedupe_key: 'x' }]]) {
      expect((await create(tasks)).status, JSON.stringify(tasks)).to.equal(422);
    }
    expect((await api.call('GET', '/api/v1/tasks')).body.total).to.equal(before);
  });

  it('refuses names and labels that are too large together', async () => {
    const one = [{ name: 'a', problem_id: 'w' }];
    expect((await create(one, { name: 'ä'.repeat(255) })).status).to.equal(422);
    const many = (prefix: string): Record<string, string> => Object.fromEntries(Array.from({ length: 20 }, (_x, n) => [`${prefix}${n}`, 'x']));
    const merged = await create([{ ...one[0], labels: many('own') }], { labels: many('all') });
    expect(merged.status).to.equal(422);
    expect(merged.body.errors[0].path).to.equal('/body/tasks/0/labels');
  });

  it('fails where a task fails, cancels what hangs on it and goes on with the rest', async () => {
    const { body } = await create([
      { name: 'bad', problem_id: 'w' }, { name: 'hangs', problem_id: 'w', depends_on: ['bad'] },
      { name: 'cleanup', problem_id: 'w', depends_on: ['hangs'], on_dependency_failure: 'run_anyway' }, { name: 'apart', problem_id: 'w' },
    ]);
    const bad = await claimNamed('bad');
    await worker.report('fail', bad.id, { error: 'broken' });
    expect((await read(body.id as string)).status).to.equal('running');
    await finish('cleanup');
    await finish('apart');
    const ended = await read(body.id as string);
    expect(ended.status).to.equal('failed');
    expect(ended.progress).to.deep.equal({ total: 4, pending: 0, running: 0, completed: 2, failed: 1, timeout: 0, cancelled: 1 });
    expect(ended.tasks.map((task: { reason: string | null }) => task.reason)).to.deep.equal(['task_failed', 'dependency_failed', null, null]);
  });

  it('cancels what has not ended, whatever the order of the tasks', async () => {
    const { body } = await create(diamond.concat([{ name: 'last', problem_id: 'w', depends_on: ['join'] }]));
    const id = body.id as string;
    const running = await claimNamed('prepare');
    const cancelled = await api.call('POST', `/api/v1/workflows/${id}/cancel`);
    expect(cancelled.status).to.equal(200);
    expect(cancelled.body).to.include({ status: 'cancelled' });
    expect(cancelled.body.progress).to.include({ total: 5, cancelled: 5 });
    expect((await worker.heartbeat({ attempts: [{ task_id: running.id, attempt: 1 }] })).body.directives.cancel)
      .to.deep.equal([{ task_id: running.id, attempt: 1, reason: 'cancelled' }]);
    expect((await api.call('POST', `/api/v1/workflows/${id}/cancel`)).body).to.deep.equal(cancelled.body);
    expect((await worker.claim()).status).to.equal(204);
  });

  it('lets nothing run, and cancels each for itself, where many are written before what they depend on', async () => {
    const eager = await TestWorker.register(api, { globs: ['early-*'] });
    const children = Array.from({ length: MANY }, (_one, n) => ({
      name: `c${n}`, problem_id: 'early-child', depends_on: ['root'], on_dependency_failure: n % 2 === 0 ? 'run_anyway' : 'cancel',
    }));
    const { body } = await create([...children, { name: 'root', problem_id: 'root' }]);
    const waiting = eager.claim({ wait_seconds: 30 });
    const cancelled = await api.call('POST', `/api/v1/workflows/${body.id}/cancel`);
    expect(cancelled.body.progress).to.include({ total: MANY + 1, cancelled: MANY + 1 });
    expect([...new Set((cancelled.body.tasks as { reason: string }[]).map(({ reason }) => reason))]).to.deep.equal(['cancel_requested']);
    const next = await submitTask(api, { problem_id: 'early-next' });
    expect((await waiting).body.id).to.equal(next);
    await eager.report('complete', next, {});
    await eager.leave();
  });

  it('runs again only what did not complete, with the results of what did', async () => {
    const { body } = await create(diamond, { name: 'again', labels: { a: 'b' } });
    const id = body.id as string;
    expect((await api.call('POST', `/api/v1/workflows/${id}/retry`)).body.code).to.equal('workflow_running');
    await finish('prepare', { p: 1 });
    await finish('left', { l: 1 });
    const right = await claimNamed('right');
    await worker.report('fail', right.id, { error: 'x' });
    expect((await read(id)).status).to.equal('failed');

    const retried = await api.call('POST', `/api/v1/workflows/${id}/retry`);
    expect(retried.status).to.equal(201);
    expect(retried.body).to.deep.include({ name: 'again', labels: { a: 'b' }, retry_of: id, status: 'running' });
    const tasks = retried.body.tasks as { name: string; task_id: string; retry_of: string; depends_on: { name: string; task_id: string }[] }[];
    expect(tasks.map(({ name }) => name)).to.deep.equal(['join', 'right']);
    const old = Object.fromEntries((body.tasks as { name: string; task_id: string }[]).map((task) => [task.name, task.task_id]));
    expect(tasks.map((task) => task.retry_of)).to.deep.equal([old.join, old.right]);
    expect(tasks[0]?.depends_on).to.deep.equal([{ name: 'left', task_id: old.left }, { name: 'right', task_id: tasks[1]?.task_id }]);
    expect(await finish('right', { r: 2 })).to.deep.equal({ prepare: { p: 1 } });
    expect(await finish('join')).to.deep.equal({ left: { l: 1 }, right: { r: 2 } });
    expect((await read(retried.body.id as string)).status).to.equal('completed');
    expect((await api.call('POST', `/api/v1/workflows/${retried.body.id}/retry`)).body.code).to.equal('workflow_completed');
    expect((await read(id)).status).to.equal('failed');
  });

  it('answers 404 for workflows that are not there', async () => {
    for (const [method, path] of [['GET', ''], ['POST', '/cancel'], ['POST', '/retry']] as const) {
      expect((await api.call(method, `/api/v1/workflows/${UNKNOWN}${path}`)).body.code).to.equal('workflow_not_found');
      expect((await api.call(method, `/api/v1/workflows/nonsense${path}`)).status).to.equal(422);
    }
  });

  it('takes 2,000 tasks in a row and cancels them all', async () => {
    const chain = Array.from({ length: 2000 }, (_one, n) => ({ name: `t${n}`, problem_id: 'chain', ...(n === 0 ? {} : { depends_on: [`t${n - 1}`] }) }));
    const created = await create(chain);
    expect(created.status).to.equal(201);
    expect(created.body.progress.total).to.equal(2000);
    expect(created.body.tasks.map((task: { name: string }) => task.name)).to.deep.equal(chain.map(({ name }) => name));
    const cancelled = await api.call('POST', `/api/v1/workflows/${created.body.id}/cancel`);
    expect(cancelled.body.progress).to.include({ total: 2000, cancelled: 2000 });
    const tooMany = await create([...chain, { name: 'one-more', problem_id: 'chain' }]);
    expect(tooMany.status).to.equal(422);
  }).timeout(120_000);

  it('passes a failure down a chain to its end', async () => {
    const created = await create(Array.from({ length: 60 }, (_one, n) => ({ name: `t${n}`, problem_id: 'chain', ...(n === 0 ? {} : { depends_on: [`t${n - 1}`] }) })));
    const root = await claimNamed('t0');
    await worker.report('fail', root.id, { error: 'x' });
    expect((await read(created.body.id as string)).progress).to.include({ failed: 1, cancelled: 59 });
  });

  it('survives cancellation and completion at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { body } = await create(diamond);
      const root = await claimNamed('prepare');
      const [cancelled] = await Promise.all([api.call('POST', `/api/v1/workflows/${body.id}/cancel`), worker.report('complete', root.id, {})]);
      expect(cancelled.status).to.equal(200);
      expect(cancelled.body.progress).to.include({ pending: 0, running: 0 });
      expect((await worker.claim()).status).to.equal(204);
    }
    await api.call('POST', `/api/v1/tasks/${await submitTask(api)}/cancel`);
  });
});
