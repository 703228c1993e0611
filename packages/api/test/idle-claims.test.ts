/** Claims that stand for heartbeats: what keeps the lease while one hangs, what ends it, and what is answered beside the tasks. */
import { LIMITS } from '@task-executor/shared';
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { callerOf, startTestApi, type Answer, type Caller, type TestApi } from './support/api.js';

const QUICK_LEASE = 3;
const QUICK_INTERVAL = 0.05;
const NONE = { cancel: [], lost: [] };

describe('claims of idle workers', () => {
  let api: TestApi;
  let replica: Caller;
  /** Of short leases. */
  let quick: Caller & { readonly url: string };
  const environment = { SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600', HEARTBEAT_INTERVAL_SECONDS: '60' };
  before(async () => {
    api = await startTestApi(environment);
    replica = await api.replica(environment);
    quick = await api.replica({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: String(QUICK_LEASE), HEARTBEAT_INTERVAL_SECONDS: String(QUICK_INTERVAL) });
  });
  after(() => api.stop());

  // Each worker takes only what its own test submits.
  let workers = 0;
  const register = async (at: Caller = api): Promise<{ worker: TestWorker; problem: string }> => {
    const problem = `idle-${++workers}`;
    return { worker: await TestWorker.register(at, { globs: [problem], parallel: 10 }), problem };
  };
  const claim = (worker: TestWorker, body: Record<string, unknown> = {}, at: Caller = api): Promise<Answer> =>
    at.call('POST', `/api/v1/workers/${worker.id}/claim-batch`, { idle: true, wait_seconds: 300, ...body }, { 'worker-session': worker.session });
  const leaseOf = async (worker: TestWorker): Promise<number> => {
    const { rows: [row] } = await sql<{ left: number }>`select extract(epoch from lease_until - now())::float8 as left from workers where id = ${worker.id}`.execute(api.db);
    return row?.left ?? NaN;
  };
  /** A claim that hangs; in an object, so that it is not awaited yet. */
  async function hangingClaim(worker: TestWorker, body: Record<string, unknown> = {}): Promise<{ answer: Promise<Answer> }> {
    await sql`update workers set lease_until = now() + interval '60 seconds' where id = ${worker.id}`.execute(api.db);
    const answer = claim(worker, body);
    await eventually(async () => (await leaseOf(worker)) > 500);
    return { answer };
  }
  const stateOf = async (worker: TestWorker): Promise<Answer['body']> => (await api.call('GET', `/api/v1/workers/${worker.id}`)).body;
  /** Resolves when the lease has been renewed `times` times. */
  async function renewals(worker: TestWorker, times: number): Promise<void> {
    const seen = new Set<string>();
    await eventually(async () => seen.add((await stateOf(worker)).last_heartbeat as string).size > times);
  }
  const unnamedOf = async (worker: TestWorker): Promise<unknown> => (await worker.heartbeat({ attempts: [] })).body.directives.unnamed;

  it('are offered with the registration', async () => {
    const { worker } = await register();
    expect((await worker.heartbeat()).body.idle_claims).to.equal(true);
  });

  it('keep the lease for as long as they hang, and say when they have renewed it last', async () => {
    const { worker, problem } = await register(quick);
    const began = performance.now();
    const answer = claim(worker, {}, quick);
    // All but two by half leases: that of the registration, and that of the call.
    await renewals(worker, 4);
    expect((await stateOf(worker)).status).to.equal('idle');
    const id = await submitTask(api, { problem_id: problem });
    const { body } = await answer;
    expect(body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([id]);
    expect(body).to.have.all.keys('tasks', 'waited_seconds', 'lease_seconds', 'heartbeat_interval_seconds');
    expect([body.lease_seconds, body.heartbeat_interval_seconds]).to.deep.equal([QUICK_LEASE, QUICK_INTERVAL]);
    expect(body.waited_seconds).to.be.within(QUICK_LEASE, (performance.now() - began) / 1000);
  });

  it('say so also where there was nothing', async () => {
    const { worker } = await register(quick);
    const began = performance.now();
    const answer = claim(worker, {}, quick);
    await renewals(worker, 3);
    await api.call('POST', `/api/v1/workers/${worker.id}/drain`);
    const { body } = await answer;
    expect(body.tasks).to.deep.equal([]);
    expect(body.waited_seconds).to.be.within(QUICK_LEASE / 2 - 0.1, (performance.now() - began) / 1000);
    await api.call('POST', `/api/v1/workers/${worker.id}/resume`);
    for (const wait of [0, 0.001, 0.001]) {
      const moment = performance.now();
      const soon = await claim(worker, { wait_seconds: wait }, quick);
      expect(soon.body).to.have.all.keys('tasks', 'waited_seconds', 'lease_seconds', 'heartbeat_interval_seconds');
      expect(soon.body.waited_seconds).to.be.within(0, (performance.now() - moment) / 1000);
    }
  });

  it('of workers that do not say so keep no lease', async () => {
    const { worker, problem } = await register(quick);
    const answer = claim(worker, { idle: false, wait_seconds: 60 }, quick);
    await eventually(async () => (await stateOf(worker)).status === 'offline');
    await submitTask(api, { problem_id: problem });
    expect((await answer).body.code).to.equal('session_ended');
    const { body } = await claim((await register()).worker, { idle: false, wait_seconds: 0.05 });
    expect(body).to.deep.equal({ tasks: [] });
  });

  it('keep no lease once the caller has gone', async () => {
    const { worker } = await register(quick);
    const gone = new AbortController();
    const waiting = fetch(`${quick.url}/api/v1/workers/${worker.id}/claim-batch`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ idle: true, wait_seconds: 300 }), signal: gone.signal,
    }).catch(() => null);
    await renewals(worker, 2);
    gone.abort();
    await waiting;
    await eventually(async () => (await stateOf(worker)).status === 'offline');
  });

  for (const [where, pick] of [['the same replica', () => api], ['another replica', () => replica]] as const) {
    it(`end at once with a drain that begins at ${where}`, async () => {
      const { worker, problem } = await register();
      const { answer } = await hangingClaim(worker);
      await pick().call('POST', `/api/v1/workers/${worker.id}/drain`);
      expect((await answer).body.directives).to.deep.equal({ ...NONE, drain: true });
      // And the next one with that which there is.
      await submitTask(api, { problem_id: problem });
      const next = await claim(worker);
      expect([next.body.tasks, next.body.directives]).to.deep.equal([[], { ...NONE, drain: true }]);
      expect((await claim(worker, { wait_seconds: 0 })).body.directives).to.deep.equal({ ...NONE, drain: true });
    });
  }

  it('end with a drain of which the word was lost: a renewal shows it', async () => {
    const { worker } = await register(quick);
    const answer = claim(worker, {}, quick);
    await renewals(worker, 2);
    await sql`update workers set draining_at = now() where id = ${worker.id}`.execute(api.db);
    expect((await answer).body.directives).to.deep.equal({ ...NONE, drain: true });
  });

  it('are not ended by a resume, nor by a cancellation', async () => {
    const { worker, problem } = await register();
    const cancelled = await submitTask(api, { problem_id: problem });
    expect((await worker.claim()).body.id).to.equal(cancelled);
    const { answer } = await hangingClaim(worker, { request_id: 'r1' });
    await replica.call('POST', `/api/v1/workers/${worker.id}/resume`);
    // What wakes this heartbeat wakes the claim.
    const heartbeat = worker.heartbeat({ attempts: [{ task_id: cancelled, attempt: 1 }], wait_seconds: 30 });
    await replica.call('POST', `/api/v1/tasks/${cancelled}/cancel`);
    expect((await heartbeat).body.directives.cancel).to.have.length(1);
    const id = await submitTask(api, { problem_id: problem });
    const { body } = await answer;
    expect(body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([id]);
    expect(body).to.not.have.property('directives');
  });

  it('end when the worker registers again, or leaves', async () => {
    const { worker } = await register();
    const first = await hangingClaim(worker);
    const fresh = await TestWorker.register(replica, { id: worker.id, globs: ['nothing'] });
    expect((await first.answer).body.code).to.equal('session_superseded');
    const second = await hangingClaim(fresh);
    await fresh.at(replica).leave();
    expect((await second.answer).body.code).to.equal('session_ended');
  });

  it('tell at their end of what the session holds without knowing of it, and end sooner for it', async () => {
    const patient = await api.replica({ ...environment, LEASE_SECONDS: '6', HEARTBEAT_INTERVAL_SECONDS: '0.05' });
    const { worker, problem } = await register(patient);
    const id = await submitTask(api, { problem_id: problem });
    // Of a copy of a claim, whose answer went to nobody.
    expect((await claim(worker, { request_id: 'r1' }, patient)).body.tasks).to.have.length(1);
    const { body } = await claim(worker, { request_id: 'r2' }, patient);
    expect([body.tasks, body.directives]).to.deep.equal([[], { ...NONE, unnamed: [{ task_id: id, attempt: 1, request_id: 'r1' }], drain: false }]);
    await worker.report('release', id, undefined, 1);
    const next = await claim(worker, { request_id: 'r3' }, patient);
    expect([next.body.tasks[0]?.id, next.body.tasks[0]?.attempt, next.body.directives]).to.deep.equal([id, 2, undefined]);
  });

  it('tell of it also where they have no id, and a claim of their appetite has just found nothing', async () => {
    const patient = await api.replica({ ...environment, LEASE_SECONDS: '6', HEARTBEAT_INTERVAL_SECONDS: '0.05' });
    const { worker, problem } = await register(patient);
    const id = await submitTask(api, { problem_id: problem });
    expect((await claim(worker, {}, patient)).body.tasks).to.have.length(1);
    expect((await claim(worker, { wait_seconds: 0 }, patient)).body.tasks).to.deep.equal([]);
    const { body } = await claim(worker, {}, patient);
    expect(body.directives.unnamed.map((one: { task_id: string }) => one.task_id)).to.deep.equal([id]);
  });

  it('bring tasks that come meanwhile, and tell nothing then', async () => {
    const { worker, problem } = await register();
    const held = await submitTask(api, { problem_id: problem });
    await claim(worker, { request_id: 'r1' });
    expect(await unnamedOf(worker)).to.have.length(1);
    const { answer } = await hangingClaim(worker, { request_id: 'r2' });
    const id = await submitTask(api, { problem_id: problem });
    const { body } = await answer;
    expect(body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([id]);
    expect(body).to.not.have.property('directives');
    await worker.report('complete', held, {});
  });

  it('do not tell of what a copy of theirs has taken', async () => {
    const { worker, problem } = await register();
    const { answer: one } = await hangingClaim(worker, { request_id: 'r1' });
    const { answer: other } = await hangingClaim(worker, { request_id: 'r1' });
    await submitTask(api, { problem_id: problem });
    const first = await Promise.race([one, other]);
    expect(first.body.tasks).to.have.length(1);
    await api.call('POST', `/api/v1/workers/${worker.id}/drain`);
    const second = [await one, await other].find((answer) => answer !== first);
    expect([second?.body.tasks, second?.body.directives]).to.deep.equal([[], { ...NONE, drain: true }]);
  });

  it('bring what was taken under their id before, whatever there is to tell', async () => {
    const { worker, problem } = await register();
    const id = await submitTask(api, { problem_id: problem });
    await claim(worker, { request_id: 'r1' });
    const again = async (): Promise<void> => {
      const began = performance.now();
      const { body } = await claim(worker, { request_id: 'r1' });
      expect(body.tasks.map((task: { id: string }) => task.id)).to.deep.equal([id]);
      expect(body.waited_seconds).to.be.within(0, (performance.now() - began) / 1000);
    };
    await again();
    // From here on it is known that a claim would find nothing.
    expect((await claim(worker, { request_id: 'r2', wait_seconds: 0.05 })).body.tasks).to.deep.equal([]);
    await again();
    await api.call('POST', `/api/v1/workers/${worker.id}/drain`);
    await again();
  });

  it('have renewed the lease when they are answered, also where they repeat another', async () => {
    const { worker, problem } = await register();
    await submitTask(api, { problem_id: problem });
    for (let n = 0; n < 2; n++) {
      await sql`update workers set lease_until = now() + interval '60 seconds' where id = ${worker.id}`.execute(api.db);
      expect((await claim(worker, { request_id: 'r1', wait_seconds: 0 })).body.tasks).to.have.length(1);
      expect(await leaseOf(worker)).to.be.greaterThan(500);
    }
  });

  it('are asked to wait longer the more of them there are', async () => {
    const one = await api.replica({ ...environment, CLAIM_WAIT_SECONDS: '1' });
    const at = { call: callerOf(one.url) };
    const { worker } = await register();
    expect((await claim(worker, { wait_seconds: 0 }, at)).body).to.not.have.property('next_wait_seconds');
    const many = Array.from({ length: 36 }, () => claim(worker, {}, at));
    expect(await eventually(async () => {
      const { body } = await claim(worker, { wait_seconds: 0 }, at);
      return body.next_wait_seconds === 2.4;
    })).to.equal(true);
    await api.call('POST', `/api/v1/workers/${worker.id}/drain`);
    for (const { body } of await Promise.all(many)) expect(body.directives.drain).to.equal(true);
  });

  it('take a wait that the contract allows', async () => {
    const { worker } = await register();
    for (const body of [{ wait_seconds: LIMITS.maxIdleClaimWaitSeconds + 1 }, { wait_seconds: -1 }, { idle: 1 }]) expect((await claim(worker, body)).status, JSON.stringify(body)).to.equal(422);
  });
});
