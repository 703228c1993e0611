/** Explanations: every constraint that holds a task back, by name, and what the backlog waits for. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { Catalog, startWorker, type RunningWorker } from '@task-executor/worker';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

interface Constraint {
  kind: string;
  message: string;
  [more: string]: unknown;
}

interface Explanation {
  constraints: Constraint[];
  position: number | null;
  summary: string;
  estimated_start: { earliest: string; latest: string } | null;
}

describe('explanations', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000', LEASE_SECONDS: '600' });
  });
  after(() => api.stop());
  const workers: TestWorker[] = [];
  const register = async (options: Parameters<typeof TestWorker.register>[1] = {}): Promise<TestWorker> => {
    const worker = await TestWorker.register(api, options);
    workers.push(worker);
    return worker;
  };
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.leave();
    for (const { id } of (await api.call('GET', '/api/v1/limits')).body.limits as { id: string }[]) await api.call('DELETE', `/api/v1/limits/${id}`);
    const { rows } = await sql<{ id: string }>`select task_id as id from queue`.execute(api.db);
    for (const { id } of rows) await api.call('POST', `/api/v1/tasks/${id}/cancel`);
  });

  const explain = async (id: string): Promise<Explanation> => {
    const { status, body } = await api.call('GET', `/api/v1/tasks/${id}/explain`);
    expect(status).to.equal(200);
    expect(body.task_id).to.equal(id);
    return body as Explanation;
  };
  /** Milliseconds between the earliest and the latest start. */
  const spanOf = ({ estimated_start: start }: Explanation): number => Date.parse(start?.latest ?? '') - Date.parse(start?.earliest ?? '');
  const kindsOf = async (id: string): Promise<string[]> => (await explain(id)).constraints.map(({ kind }) => kind);

  /** A worker of two slots whose tasks complete when `ended` resolves. */
  const startRunning = (ended: Promise<void>, health: () => string | null = () => null): RunningWorker => startWorker({
    apiUrl: api.url, backendType: 'kind', concurrency: 2, problems: ['ex-*'], health: () => Promise.resolve(health()),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    catalog: Catalog.of([{ problems: ['ex-*'], executor: () => ended.then(() => ({ kind: 'completed', result: {} })) }]),
  });

  it('say that no live worker takes the task, and what one would have to be', async () => {
    const { body: submitted } = await api.call('POST', '/api/v1/tasks', { problem_id: 'ex-a', backend_type: 'gpu' });
    expect((await explain(submitted.id as string)).constraints[0]?.message).to.contain('there is no live worker');
    await register({ globs: ['other-*'] });
    expect(submitted.warnings).to.have.length(1);
    const explained = await explain(submitted.id as string);
    expect(explained).to.deep.include({ status: 'pending', reason: 'unclaimable', position: 1, estimated_start: null });
    expect(explained.constraints).to.have.length(1);
    expect(explained.constraints[0]).to.deep.include({ kind: 'no_worker', workers: { live: 1, fitting: 0, draining: 0, unfit: 0, slots: 0, free: 0 } });
    expect(explained.constraints[0]?.message).to.match(/ex-a/).and.to.match(/gpu/);
    const fitting = await register({ globs: ['ex-*'], backend: 'gpu' });
    expect((await explain(submitted.id as string)).constraints).to.deep.equal([]);
    await api.call('POST', `/api/v1/workers/${fitting.id}/drain`);
    const draining = await explain(submitted.id as string);
    expect(draining.constraints[0]).to.deep.include({ kind: 'no_worker', workers: { live: 2, fitting: 1, draining: 1, unfit: 0, slots: 0, free: 0 } });
    expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'ex-a', backend_type: 'gpu' })).body.warnings).to.have.length(1);
  });

  it('say that the workers which take the task are unfit, and why', async () => {
    const first = await register({ globs: ['ex-*'], parallel: 2, metadata: { unfit: 'the disk is full' } });
    const { body: submitted } = await api.call('POST', '/api/v1/tasks', { problem_id: 'ex-a' });
    expect(submitted).to.deep.include({ reason: 'unclaimable' });
    expect(submitted.warnings).to.have.length(1);
    const id = submitted.id as string;
    const one = await explain(id);
    expect(one).to.deep.include({
      reason: 'unclaimable', estimated_start: null, summary: 'It is pending: the one live worker that takes it is unfit: the disk is full.',
    });
    expect(one.constraints).to.have.length(1);
    expect(one.constraints[0]).to.deep.include({ kind: 'no_worker', workers: { live: 1, fitting: 1, draining: 0, unfit: 1, slots: 0, free: 0 } });
    expect(Object.keys((await api.call('GET', '/api/v1/queue/explain')).body.by_reason as object)).to.deep.equal(['unclaimable']);
    expect((await api.call('GET', '/api/v1/tasks?status=pending')).body.tasks[0].reason).to.equal('unclaimable');

    const second = await register({ globs: ['ex-*'], metadata: { unfit: 'no cluster' } });
    expect((await explain(id)).constraints[0]?.message).to.equal('the 2 live workers that take it are unfit, one of them: the disk is full');
    await api.call('POST', `/api/v1/workers/${first.id}/drain`);
    expect((await explain(id)).constraints[0]?.message).to.equal('the 2 live workers that take it are draining (1) or unfit (1): no cluster');
    await api.call('POST', `/api/v1/workers/${second.id}/drain`);
    expect((await explain(id)).constraints[0]?.message).to.equal('the 2 live workers that take it are draining');
    await register({ id: second.id, globs: ['ex-*'] });
    expect(await explain(id)).to.deep.include({ reason: 'ready', constraints: [] });
  });

  it('take what a worker says of its fitness for a text about a worker that runs nothing, and claims for themselves', async () => {
    const worker = await register({ globs: ['ex-*'], parallel: 2, metadata: { unfit: 'not yet warm' } });
    const running = await submitTask(api, { problem_id: 'ex-a' });
    expect((await worker.claim()).body.id).to.equal(running);
    const id = await submitTask(api, { problem_id: 'ex-a' });
    expect(await explain(id)).to.deep.include({ constraints: [] });
    await worker.leave();
    for (const unfit of [false, { since: 1 }, '', null]) {
      await register({ id: worker.id, globs: ['ex-*'], metadata: { unfit } });
      expect(await explain(id), JSON.stringify(unfit)).to.deep.include({ reason: 'ready', constraints: [] });
    }
  });

  it('know of a worker that says with a heartbeat that it is unfit while it runs tasks, on every replica, until it says that it is fit', async () => {
    const other = await api.replica();
    const worker = await register({ globs: ['ex-*'], parallel: 3, metadata: { host: 'h1', unfit: 'not yet warm', zone: 'a' } });
    const metadata = async (): Promise<unknown> => (await other.call('GET', `/api/v1/workers/${worker.id}`)).body.metadata;
    await submitTask(api, { problem_id: 'ex-a' });
    expect((await worker.claim()).status).to.equal(200);
    const id = await submitTask(api, { problem_id: 'ex-a' });
    expect((await explain(id)).constraints).to.deep.equal([]);

    const said = await worker.heartbeat({ unfit: 'the disk is full' });
    expect(said.body).to.deep.include({ status: 'busy', metadata: { host: 'h1', unfit: 'the disk is full', zone: 'a' } });
    expect(await metadata()).to.deep.equal(said.body.metadata);
    for (const replica of [api, other]) {
      const { body } = await eventually(async () => {
        const answer = await replica.call('GET', `/api/v1/tasks/${id}/explain`);
        return answer.body.reason === 'unclaimable' && answer;
      });
      expect(body.summary).to.equal('It is pending: the one live worker that takes it is unfit: the disk is full.');
      expect(body.constraints[0].workers).to.deep.equal({ live: 1, fitting: 1, draining: 0, unfit: 1, slots: 0, free: 0 });
    }
    // Heartbeats without a word of it leave it as it is.
    expect((await worker.heartbeat({ attempts: [] })).body.metadata).to.deep.equal(said.body.metadata);
    expect(await explain(id)).to.deep.include({ reason: 'unclaimable' });

    const fit = await worker.heartbeat({ unfit: null });
    expect(fit.body.metadata).to.deep.equal({ host: 'h1', zone: 'a' });
    expect(await metadata()).to.deep.equal(fit.body.metadata);
    expect(await explain(id)).to.deep.include({ reason: 'ready', constraints: [] });

    await worker.heartbeat({ unfit: 'no cluster' });
    expect(await explain(id)).to.deep.include({ reason: 'unclaimable' });
    await register({ id: worker.id, globs: ['ex-*'], parallel: 3 });
    expect(await metadata()).to.deep.equal({});
    expect(await explain(id)).to.deep.include({ reason: 'ready', constraints: [] });
  });

  it('count a worker again that claims though it says with each heartbeat that it is unfit, which is written once', async () => {
    const worker = await register({ globs: ['ex-*'], parallel: 3 });
    const saidAt = async (): Promise<unknown> => (await sql<{ at: Date | null }>`select fitness_at as at from workers where id = ${worker.id}`.execute(api.db)).rows[0]?.at;
    await worker.heartbeat({ unfit: null });
    expect(await saidAt()).to.equal(null);
    await worker.heartbeat({ unfit: 'no disk' });
    const at = await saidAt();
    const id = await submitTask(api, { problem_id: 'ex-a' });
    expect(await explain(id)).to.deep.include({ reason: 'unclaimable' });
    const next = await submitTask(api, { problem_id: 'ex-a' });
    expect((await worker.claim()).body.id).to.equal(id);
    await worker.heartbeat({ unfit: 'no disk', attempts: [{ task_id: id, attempt: 1 }] });
    expect(await saidAt()).to.deep.equal(at);
    expect((await explain(next)).constraints).to.deep.equal([]);
  });

  it('take no word of its fitness from a worker whose session has ended, nor one that does not fit', async () => {
    const worker = await register({ globs: ['ex-*'], metadata: { host: 'h1' } });
    for (const unfit of ['', 'x'.repeat(1_001), false]) expect((await worker.heartbeat({ unfit })).status).to.equal(422);
    await register({ id: worker.id, globs: ['ex-*'], metadata: { host: 'h2' } });
    expect((await worker.heartbeat({ unfit: 'no disk' })).body.code).to.equal('session_superseded');
    expect((await api.call('GET', `/api/v1/workers/${worker.id}`)).body.metadata).to.deep.equal({ host: 'h2' });
  });

  it('know of a worker that leaves when what it runs has ended', async () => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const worker = startRunning(ended);
    const running = await submitTask(api, { problem_id: 'ex-a' });
    await taskIn(api, running, 'running');
    const left = worker.drain();
    await eventually(async () => (await api.call('GET', `/api/v1/workers/${worker.id ?? ''}`)).body.draining === true);
    const { body: submitted } = await api.call('POST', '/api/v1/tasks', { problem_id: 'ex-a' });
    expect(submitted.reason).to.equal('unclaimable');
    expect(await explain(submitted.id as string)).to.deep.include({
      reason: 'unclaimable', summary: 'It is pending: the one live worker that takes it is draining.',
    });
    end();
    await left;
    expect((await readTask(api, running)).status).to.equal('completed');
  });

  it('know of a worker whose health check fails while it runs a task, and of one that passes again', async () => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let fault: string | null = null;
    const worker = startRunning(ended, () => fault);
    const running = await submitTask(api, { problem_id: 'ex-a' });
    await taskIn(api, running, 'running');
    const session = (await api.call('GET', `/api/v1/workers/${worker.id ?? ''}`)).body;
    fault = 'the disk is full';
    worker.offer(['ex-*']);
    await eventually(async () => (await api.call('GET', `/api/v1/workers/${worker.id ?? ''}`)).body.metadata.unfit === fault);
    const waiting = await submitTask(api, { problem_id: 'ex-a' });
    expect(await explain(waiting)).to.deep.include({
      reason: 'unclaimable', summary: 'It is pending: the one live worker that takes it is unfit: the disk is full.',
    });
    fault = null;
    worker.offer(['ex-*']);
    await taskIn(api, waiting, 'running');
    const after = await eventually(async () => {
      const { body } = await api.call('GET', `/api/v1/workers/${worker.id ?? ''}`);
      return body.metadata.unfit === undefined && body;
    });
    expect(after).to.deep.include({ registered_at: session.registered_at, running_tasks: 2 });
    end();
    await worker.drain();
  });

  it('say nothing where nothing holds the task back, and give it no warning', async () => {
    await register({ parallel: 2 });
    const { body } = await api.call('POST', '/api/v1/tasks', { problem_id: 'ex-a' });
    expect(body).to.not.have.property('warnings');
    const explained = await explain(body.id as string);
    expect(explained).to.deep.include({ reason: 'ready', constraints: [], position: 1, position_is_lower_bound: false });
    expect(spanOf(explained)).to.be.at.least(0);
  });

  it('count who comes first, and estimate from how long earlier tasks took', async () => {
    const worker = await register({ parallel: 2, globs: ['ex-timed'] });
    const done = await submitTask(api, { problem_id: 'ex-timed' });
    await worker.claim();
    await sql`update queue set started_at = now() - interval '100 seconds' where task_id = ${done}::uuid`.execute(api.db);
    await worker.report('complete', done, {});
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push(await submitTask(api, { problem_id: 'ex-timed' }));
    for (let n = 0; n < 2; n++) await worker.claim();
    const last = await explain(ids[5] ?? '');
    expect(last.position).to.equal(4);
    expect(last.constraints.map(({ kind }) => kind)).to.deep.equal(['busy_workers']);
    expect(last.constraints[0]?.workers).to.deep.equal({ live: 1, fitting: 1, draining: 0, unfit: 0, slots: 2, free: 0 });
    // Four wait for two slots: the second round of about 100 seconds each.
    expect(spanOf(last)).to.be.within(100_000, 102_000);
    const urgent = await submitTask(api, { problem_id: 'ex-timed', priority: 9 });
    expect((await explain(urgent)).position).to.equal(1);
    expect((await explain(ids[5] ?? '')).position).to.equal(5);
  });

  it('name all that holds a task back at once', async () => {
    const worker = await register({ parallel: 1 });
    await api.call('POST', '/api/v1/limits', { key: 'label:team', max_running: 1 });
    await api.call('POST', '/api/v1/limits', { key: 'problem_id', value: 'ex-all', max_running: 1 });
    const holder = await submitTask(api, { problem_id: 'ex-all', labels: { team: 'red' } });
    await worker.claim();
    const id = await submitTask(api, { problem_id: 'ex-all', labels: { team: 'red' } });
    await api.call('POST', '/api/v1/queue/pause', { problem_id: 'ex-all', reason: 'image is broken' });
    await api.call('POST', '/api/v1/queue/pause', { reason: 'all of it' });
    await sql`update queue set expires_at = now() where task_id = ${id}::uuid`.execute(api.db);
    const { constraints, summary, estimated_start: start } = await explain(id);
    expect(constraints.map(({ kind }) => kind)).to.deep.equal(['expired', 'pause', 'pause', 'limit', 'limit', 'busy_workers']);
    expect(constraints[1]).to.deep.include({ problem_id: null });
    expect(constraints[2]).to.deep.include({ problem_id: 'ex-all' });
    expect(constraints[2]?.message).to.contain('image is broken');
    for (const limit of constraints.slice(3, 5)) {
      expect(limit).to.deep.include({ running: 1, max_running: 1, holders: [{ task_id: holder, worker_id: worker.id }] });
      expect(limit.limit_id).to.be.a('string');
    }
    expect(constraints.slice(3, 5).map(({ message }) => message)).to.have.members([
      'the limit of 1 running task with label team=red is reached', 'the limit of 1 running task with problem_id=ex-all is reached',
    ]);
    expect(summary).to.match(/^It is pending: /);
    expect(start).to.equal(null);
    await api.call('POST', '/api/v1/queue/resume', { problem_id: 'ex-all' });
    await api.call('POST', '/api/v1/queue/resume');
  });

  it('name the limit of a backend only where no other backend takes the task', async () => {
    const gpu = await register({ backend: 'gpu', globs: ['ex-backend'], parallel: 2 });
    await api.call('POST', '/api/v1/limits', { key: 'backend_type', value: 'gpu', max_running: 2 });
    for (let n = 0; n < 2; n++) {
      await submitTask(api, { problem_id: 'ex-backend' });
      await gpu.claim();
    }
    const id = await submitTask(api, { problem_id: 'ex-backend' });
    expect(await kindsOf(id)).to.include('limit');
    await register({ backend: 'kind', globs: ['ex-backend'] });
    expect(await kindsOf(id)).to.not.include('limit');
    const bound = await submitTask(api, { problem_id: 'ex-backend', backend_type: 'gpu' });
    const { constraints } = await explain(bound);
    expect(constraints.find(({ kind }) => kind === 'limit')?.message).to.equal('the limit of 2 running tasks with backend_type=gpu is reached');
  });

  it('name what a task waits for: parents, an equal task, its moment, its backoff', async () => {
    const worker = await register({ parallel: 5 });
    const parent = await submitTask(api, { problem_id: 'ex-p', priority: 9 });
    const child = await submitTask(api, { problem_id: 'ex-c', depends_on: [parent] });
    const equal = (await api.call('POST', '/api/v1/tasks', { problem_id: 'ex-p', reuse: { max_age_seconds: 5 } })).body.id as string;
    const scheduled = await submitTask(api, { problem_id: 'ex-s', run_at: '2100-01-01T00:00:00Z' });
    const backing = await submitTask(api, { problem_id: 'ex-b', priority: 10, retry: { max_attempts: 2, initial_seconds: 1000 } });
    expect((await worker.claim()).body.id).to.equal(backing);
    await worker.report('fail', backing, { error: 'x' });
    await worker.claim();

    const blocked = await explain(child);
    expect(blocked).to.deep.include({ reason: 'blocked', position: null, estimated_start: null });
    expect(blocked.constraints).to.have.length(1);
    expect(blocked.constraints[0]).to.deep.include({ kind: 'dependencies', dependencies: [{ name: parent, task_id: parent, status: 'running' }] });
    const reuses = await explain(equal);
    expect(reuses).to.deep.include({ reason: 'reusing', position: null });
    expect(reuses.constraints[0]).to.deep.include({ kind: 'reuse', task_id: parent });
    const waits = await explain(scheduled);
    expect(waits).to.deep.include({ reason: 'scheduled', position: null });
    expect(waits.constraints[0]).to.deep.include({ kind: 'schedule', until: '2100-01-01T00:00:00.000Z' });
    expect(waits.estimated_start?.earliest).to.equal('2100-01-01T00:00:00.000Z');
    const backs = await explain(backing);
    expect(backs).to.deep.include({ reason: 'backing_off', position: null });
    expect(backs.constraints[0]).to.deep.include({ kind: 'backoff', until: (await readTask(api, backing)).run_at });
  });

  it('say of a task that runs or has ended what it does', async () => {
    const worker = await register();
    const id = await submitTask(api, { problem_id: 'ex-a' });
    await worker.claim();
    expect(await explain(id)).to.deep.include({ status: 'running', reason: null, constraints: [], position: null, estimated_start: null });
    await worker.report('fail', id, { error: 'x' });
    expect(await explain(id)).to.deep.include({ status: 'failed', reason: 'task_failed', constraints: [] });
    expect((await api.call('GET', `/api/v1/tasks/${UNKNOWN}/explain`)).body.code).to.equal('task_not_found');
  });

  it('count the backlog by reason', async () => {
    const worker = await register({ globs: ['q-run', 'q-paused', 'q-limited'], parallel: 10 });
    await api.call('POST', '/api/v1/limits', { key: 'problem_id', value: 'q-limited', max_running: 1 });
    await api.call('POST', '/api/v1/queue/pause', { problem_id: 'q-paused' });
    await submitTask(api, { problem_id: 'q-limited', priority: 9 });
    await worker.claim();
    const parent = await submitTask(api, { problem_id: 'q-run' });
    await submitTask(api, { problem_id: 'q-run', depends_on: [parent] });
    await submitTask(api, { problem_id: 'q-run', delay_seconds: 1000 });
    await submitTask(api, { problem_id: 'q-nobody' });
    await submitTask(api, { problem_id: 'q-paused' });
    for (let n = 0; n < 3; n++) await submitTask(api, { problem_id: 'q-limited' });
    const explained = await eventually(async () => {
      const { body } = await api.call('GET', '/api/v1/queue/explain');
      // The reading that reasons are taken from may be a second old.
      return body.by_reason.limited !== undefined && body.by_reason.paused !== undefined && body;
    });
    expect([explained.pending, explained.running]).to.deep.equal([8, 1]);
    const tasks = Object.fromEntries(Object.entries(explained.by_reason as Record<string, { tasks: number }>).map(([reason, part]) => [reason, part.tasks]));
    expect(tasks).to.deep.equal({ ready: 1, unclaimable: 1, paused: 1, limited: 3, scheduled: 1, blocked: 1 });
    expect(explained.largest[0]).to.deep.include({ reason: 'limited', problem_id: 'q-limited', tasks: 3 });
    expect(explained.pauses).to.have.length(1);
    expect(explained.limits[0].in_use).to.deep.equal([{ value: 'q-limited', running: 1 }]);
    await api.call('POST', '/api/v1/queue/resume', { problem_id: 'q-paused' });
  });
});
