/** Leases and directives: what renews a lease, what a heartbeat that hangs hears of and when, drain and resume. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { renewLeases } from '../src/fleet/heartbeat.js';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type Caller, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('leases and directives', () => {
  let api: TestApi;
  let replica: Caller;
  const environment = { SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600', HEARTBEAT_INTERVAL_SECONDS: '60' };
  before(async () => {
    api = await startTestApi(environment);
    replica = await api.replica(environment);
  });
  after(() => api.stop());

  // Each worker takes only what its own test submits.
  const problems = new Map<string, string>();
  const problemOf = (worker: TestWorker): string => problems.get(worker.session) ?? '';

  const leaseOf = async (worker: TestWorker): Promise<number> => {
    const { rows: [row] } = await sql<{ left: number }>`select extract(epoch from lease_until - now())::float8 as left from workers where id = ${worker.id}`.execute(api.db);
    return row?.left ?? NaN;
  };
  const shorten = (worker: TestWorker): Promise<unknown> => sql`update workers set lease_until = now() + interval '60 seconds' where id = ${worker.id}`.execute(api.db);
  /** A heartbeat that hangs; in an object, so that it is not awaited yet. */
  async function hangingHeartbeat(worker: TestWorker, attempts: { task_id: string; attempt: number }[], draining = false): Promise<{ answer: Promise<Answer> }> {
    await shorten(worker);
    const answer = worker.heartbeat({ status: 'busy', attempts, draining, wait_seconds: 30 });
    await eventually(async () => (await leaseOf(worker)) > 500);
    return { answer };
  }
  async function claimTask(worker: TestWorker, options: Record<string, unknown> = {}): Promise<string> {
    const id = await submitTask(api, { problem_id: problemOf(worker), ...options });
    expect((await worker.claim()).body.id).to.equal(id);
    return id;
  }
  const register = async (parallel = 10): Promise<TestWorker> => {
    const problem = `lease-${problems.size}`;
    const worker = await TestWorker.register(api, { parallel, globs: [problem] });
    problems.set(worker.session, problem);
    return worker;
  };

  it('are renewed by every call of the worker', async () => {
    const worker = await register();
    const calls: [string, () => Promise<Answer>][] = [
      ['heartbeat', () => worker.heartbeat()],
      ['a claim of nothing', () => worker.claim()],
    ];
    const id = await claimTask(worker);
    await submitTask(api, { problem_id: problemOf(worker) });
    calls.push(['a claim', () => worker.claim({ request_id: 'r' })], ['a repeated claim', () => worker.claim({ request_id: 'r' })],
      ['a log batch', () => worker.report('logs', id, { entries: [{ message: 'x' }] })]);
    for (const [verb, body] of [['complete', {}], ['fail', { error: 'x' }], ['release', undefined]] as const) {
      const task = await claimTask(worker, { priority: 9 });
      calls.push([verb, () => worker.report(verb, task, body)]);
    }
    for (const [name, call] of calls) {
      await shorten(worker);
      expect((await call()).status, name).to.be.oneOf([200, 204]);
      expect(await leaseOf(worker), name).to.be.greaterThan(500);
    }
  });

  it('are not made shorter by a replica whose own are', async () => {
    const brief = await api.replica({ ...environment, LEASE_SECONDS: '3', HEARTBEAT_INTERVAL_SECONDS: '1' });
    const worker = await register();
    const at = worker.at(brief);
    await submitTask(api, { problem_id: problemOf(worker) });
    for (const [name, call] of [
      ['a heartbeat', () => at.heartbeat()], ['a claim', () => at.claim()], ['a claim of nothing', () => at.claim()],
      ['a claim that waits', () => at.claim({ wait_seconds: 0.05 })],
    ] as [string, () => Promise<Answer>][]) {
      expect((await call()).status, name).to.be.oneOf([200, 204]);
      expect(await leaseOf(worker), name).to.be.greaterThan(500);
    }
    expect((await at.heartbeat()).body.lease_seconds).to.equal(3);
  });

  it('are renewed for every heartbeat of a session that comes in the same statement', async () => {
    // One that was broken off and the next, for instance.
    const worker = await register();
    const beat = { workerId: worker.id, sessionId: worker.session, requestId: null };
    const renewed = await renewLeases(api.db, 600, [beat, { ...beat, sessionId: null }, { ...beat, sessionId: UNKNOWN }, beat]);
    expect(renewed.map((one) => one?.sessionId ?? null)).to.deep.equal([worker.session, worker.session, null, worker.session]);
  });

  it('are not revived once they have lapsed', async () => {
    const worker = await register();
    const id = await claimTask(worker);
    await sql`update workers set lease_until = now() where id = ${worker.id}`.execute(api.db);
    await taskIn(api, id, 'pending');
    for (const answer of [await worker.heartbeat(), await worker.claim(), await worker.claim({ wait_seconds: 5 })]) {
      expect(answer.body.code).to.equal('session_ended');
    }
    expect((await worker.report('logs', id, { entries: [{ message: 'x' }] })).body.code).to.equal('attempt_not_held');
  });

  for (const [where, pick] of [['the same replica', () => api], ['another replica', () => replica]] as const) {
    it(`let a heartbeat that hangs answer at once when its task is cancelled at ${where}`, async () => {
      const worker = await register();
      const [kept, cancelled] = [await claimTask(worker), await claimTask(worker)];
      const { answer } = await hangingHeartbeat(worker, [kept, cancelled].map((task_id) => ({ task_id, attempt: 1 })));
      await pick().call('POST', `/api/v1/tasks/${cancelled}/cancel`);
      expect((await answer).body.directives).to.deep.equal({ cancel: [{ task_id: cancelled, attempt: 1, reason: 'cancelled' }], lost: [], drain: false });
    });
  }

  it('tell of a timeout, a bulk cancellation and a cancelled workflow as of any cancellation', async () => {
    const worker = await register();
    const timed = await claimTask(worker);
    const first = await hangingHeartbeat(worker, [{ task_id: timed, attempt: 1 }]);
    await sql`update queue set deadline_at = now() where task_id = ${timed}::uuid`.execute(api.db);
    expect((await first.answer).body.directives.cancel).to.deep.equal([{ task_id: timed, attempt: 1, reason: 'timeout' }]);

    const bulk = await claimTask(worker);
    const second = await hangingHeartbeat(worker, [{ task_id: bulk, attempt: 1 }]);
    await api.call('POST', '/api/v1/bulk-operations', { action: 'cancel', filter: { worker_id: worker.id } });
    expect((await second.answer).body.directives.cancel).to.deep.equal([{ task_id: bulk, attempt: 1, reason: 'cancelled' }]);

    const workflow = await api.call('POST', '/api/v1/workflows', { tasks: [{ name: 'a', problem_id: problemOf(worker) }] });
    const { body: task } = await worker.claim();
    const third = await hangingHeartbeat(worker, [{ task_id: task.id as string, attempt: 1 }]);
    await replica.call('POST', `/api/v1/workflows/${workflow.body.id}/cancel`);
    expect((await third.answer).body.directives.cancel).to.have.length(1);
  });

  it('tell of attempts that went to others, and of tasks that are not there', async () => {
    const worker = await register();
    const id = await claimTask(worker, { retry: { max_attempts: 3, initial_seconds: 1000 } });
    await worker.report('fail', id, { error: 'x' });
    const answer = await worker.heartbeat({ attempts: [{ task_id: id, attempt: 1 }, { task_id: UNKNOWN, attempt: 1 }], wait_seconds: 30 });
    expect(answer.body.directives.lost).to.have.deep.members([{ task_id: id, attempt: 1, reason: 'pending' }, { task_id: UNKNOWN, attempt: 1, reason: 'unknown' }]);
    await api.call('PATCH', `/api/v1/tasks/${id}`, { run_at: '2020-01-01T00:00:00Z' });
    expect((await worker.claim()).body.attempt).to.equal(2);
    const { body } = await worker.heartbeat({ attempts: [{ task_id: id, attempt: 1 }, { task_id: id, attempt: 2 }] });
    expect(body.directives.lost).to.deep.equal([{ task_id: id, attempt: 1, reason: 'running' }]);
    await worker.report('complete', id, {});
    const ended = await worker.heartbeat({ attempts: [{ task_id: id, attempt: 2 }] });
    expect(ended.body.directives.lost).to.deep.equal([{ task_id: id, attempt: 2, reason: 'completed' }]);
  });

  it('tell of what the session holds and a list of attempts does not name, so that a task of a late claim comes back', async () => {
    const worker = await register();
    const claim = { request_id: 'r1' };
    const first = await submitTask(api, { problem_id: problemOf(worker) });
    expect((await worker.claim(claim)).body.id).to.equal(first);
    await worker.report('complete', first, {});
    const second = await submitTask(api, { problem_id: problemOf(worker) });
    // A copy of the claim that was on its way for long: its answer goes to nobody.
    expect((await worker.claim(claim)).body.id).to.equal(second);
    const third = await claimTask(worker);
    const named = { attempts: [{ task_id: third, attempt: 1 }] };
    const unnamed = [{ task_id: second, attempt: 1, request_id: 'r1' }];
    expect((await worker.heartbeat(named)).body.directives).to.deep.equal({ cancel: [], lost: [], unnamed, drain: false });
    expect((await worker.heartbeat({ ...named, wait_seconds: 0.05 })).body.directives.unnamed).to.deep.equal(unnamed);
    // A worker that names no list may run anything.
    for (const body of [{}, { current_task_id: third }]) expect((await worker.heartbeat(body)).body.directives).to.not.have.property('unnamed');
    const { body } = await worker.heartbeat({ attempts: [] });
    expect(body.directives.unnamed).to.have.deep.members([...unnamed, { task_id: third, attempt: 1, request_id: null }]);
    await worker.report('release', second, undefined, 1);
    expect((await worker.heartbeat(named)).body.directives).to.deep.equal({ cancel: [], lost: [], drain: false });
    expect((await worker.claim()).body).to.include({ id: second, attempt: 2 });
  });

  it('end a heartbeat that hangs when the worker registers again or leaves', async () => {
    const worker = await register();
    const first = await hangingHeartbeat(worker, []);
    const fresh = await TestWorker.register(replica, { id: worker.id });
    expect((await first.answer).body.code).to.equal('session_superseded');
    const second = await hangingHeartbeat(fresh.at(api), []);
    await fresh.leave();
    expect((await second.answer).body.code).to.equal('session_ended');
  });

  it('answer a heartbeat that does not want to wait, and one with nothing to say after its time', async () => {
    const worker = await register();
    const id = await claimTask(worker);
    for (const wait of [0, 0.05]) {
      const { status, body } = await worker.heartbeat({ attempts: [{ task_id: id, attempt: 1 }], wait_seconds: wait });
      expect(status).to.equal(200);
      expect(body.directives).to.deep.equal({ cancel: [], lost: [], drain: false });
    }
    for (const body of [{ wait_seconds: -1 }, { wait_seconds: 1e9 }, { attempts: [{ task_id: 'x', attempt: 1 }] }]) {
      expect((await worker.heartbeat(body)).status, JSON.stringify(body)).to.equal(422);
    }
  });

  it('let a heartbeat hang for the interval, and longer where nothing runs', async () => {
    const quick = await api.replica({ ...environment, HEARTBEAT_INTERVAL_SECONDS: '0.05' });
    const [idle, busy] = [await register(), await register()];
    const attempts = [{ task_id: await claimTask(busy), attempt: 1 }];
    const hanging = idle.at(quick).heartbeat({ attempts: [], wait_seconds: 30 });
    for (let n = 0; n < 5; n++) {
      const { body } = await busy.at(quick).heartbeat({ attempts, wait_seconds: 30 });
      expect(body.directives).to.deep.equal({ cancel: [], lost: [], drain: false });
    }
    await api.call('POST', `/api/v1/workers/${idle.id}/drain`);
    expect((await hanging).body.directives).to.deep.equal({ cancel: [], lost: [], drain: true });
  });

  it('outlast the claims that the API asks for', async () => {
    for (const [lease, wait] of [['600', 55], ['10', 5]] as const) {
      const one = await api.replica({ SWEEP_INTERVAL_MS: '60000', LEASE_SECONDS: lease, HEARTBEAT_INTERVAL_SECONDS: '2' });
      const { body } = await one.call('POST', '/api/v1/workers/register', { backend_type: 'kind', capabilities: { max_parallel_tasks: 10, supported_problems: ['asked-for'] } });
      expect(body).to.include({ lease_seconds: Number(lease), claim_wait_seconds: wait });
      const { headers, path } = { headers: { 'worker-session': body.session as string }, path: `/api/v1/workers/${body.id as string}` };
      for (const call of ['claim', 'claim-batch']) {
        await submitTask(one, { problem_id: 'asked-for' });
        expect((await one.call('POST', `${path}/${call}`, { wait_seconds: wait }, headers)).status, call).to.equal(200);
      }
    }
  });

  it('let a worker drain and claim again', async () => {
    const worker = await register();
    const running = await claimTask(worker);
    const { answer } = await hangingHeartbeat(worker, [{ task_id: running, attempt: 1 }]);
    const drained = await replica.call('POST', `/api/v1/workers/${worker.id}/drain`);
    expect(drained.body).to.include({ id: worker.id, draining: true, status: 'busy' });
    expect((await answer).body.directives).to.deep.equal({ cancel: [], lost: [], drain: true });
    const waiting = await submitTask(api, { problem_id: problemOf(worker) });
    expect((await worker.claim()).status).to.equal(204);
    // What a replica knows of the fleet may be a second old.
    await eventually(async () => (await readTask(api, waiting)).reason === 'unclaimable');
    expect((await api.call('POST', `/api/v1/workers/${worker.id}/drain`)).body.draining).to.equal(true);
    expect((await worker.report('complete', running, {})).status).to.equal(200);
    expect((await worker.heartbeat()).body).to.include({ draining: true, status: 'idle' });
    const hanging = await hangingHeartbeat(worker, [], true);
    const claim = worker.claim({ wait_seconds: 30 });
    expect((await replica.call('POST', `/api/v1/workers/${worker.id}/resume`)).body.draining).to.equal(false);
    expect((await claim).body.id).to.equal(waiting);
    expect((await hanging.answer).body.directives.drain).to.equal(false);
  });

  it('answer at once where the worker was told of another drain than there is', async () => {
    const worker = await register();
    await api.call('POST', `/api/v1/workers/${worker.id}/drain`);
    expect((await worker.heartbeat({ draining: false, wait_seconds: 30 })).body.directives.drain).to.equal(true);
    await api.call('POST', `/api/v1/workers/${worker.id}/resume`);
    expect((await worker.heartbeat({ draining: true, wait_seconds: 30 })).body.directives.drain).to.equal(false);
  });

  it('drain a worker on its own wish only under its current session', async () => {
    const worker = await TestWorker.register(api);
    const again = await TestWorker.register(api, { id: worker.id });
    const drain = (session: string): ReturnType<TestApi['call']> =>
      api.call('POST', `/api/v1/workers/${worker.id}/drain`, undefined, { 'worker-session': session });
    const refused = await drain(worker.session);
    expect([refused.status, refused.body.code]).to.deep.equal([409, 'session_superseded']);
    expect((await again.heartbeat()).body.directives.drain).to.equal(false);
    expect((await drain(again.session)).body).to.include({ draining: true });
    await again.leave();
  });

  it('let no worker drain that is offline, by whatever its session ended', async () => {
    const [left, silent] = [await register(), await register()];
    await left.leave();
    await sql`update workers set lease_until = now() where id = ${silent.id}`.execute(api.db);
    for (const { id } of [left, silent]) {
      const { status, body } = await api.call('POST', `/api/v1/workers/${id}/drain`);
      expect([status, body.code]).to.deep.equal([409, 'session_ended']);
      expect(body.detail).to.contain(id);
      expect((await api.call('GET', `/api/v1/workers/${id}`)).body).to.include({ status: 'offline', draining: false });
      expect((await api.call('POST', `/api/v1/workers/${id}/resume`)).status).to.equal(200);
    }
  });

  it('end the drain with a new registration', async () => {
    const worker = await register();
    await api.call('POST', `/api/v1/workers/${worker.id}/drain`);
    const again = await TestWorker.register(api, { id: worker.id });
    expect((await again.heartbeat()).body.directives.drain).to.equal(false);
    for (const verb of ['drain', 'resume']) {
      expect((await api.call('POST', `/api/v1/workers/worker-999999-kind/${verb}`)).body.code).to.equal('worker_not_found');
      expect((await api.call('POST', `/api/v1/workers/nobody/${verb}`)).status).to.equal(422);
    }
  });
});
