/** Claims that stand for the heartbeats of a worker that runs nothing, against the scripted API. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { problem } from '../src/conformance/model.js';
import { COMPLETED, gate, Stage, untilStopped } from './fixtures/scripted-worker.js';

describe('worker: idle claims', () => {
  const stage = Stage.forEachTest();
  const SHORT_LEASE_SECONDS = 1;
  const LONG_LEASE_SECONDS = 3_000;

  /** Of the first claim that waits in vain the answer brings a task, as if it had been on its way for all that time; later ones hang. */
  function holdUp(more: Record<string, unknown>): void {
    const { api } = stage.current;
    const { model } = api;
    model.claimedNothing = (call) => {
      model.pending.push({ id: randomUUID(), problem_id: 'test-late', parameters: {}, timeout_seconds: 60, attempt: 0 });
      const reply = model.claimMany(call);
      Object.assign(reply?.body as object, { waited_seconds: 0, ...more });
      api.always('claim-batch', 'hang');
      return reply!;
    };
  }
  function asUsual(): void {
    const { api } = stage.current;
    Reflect.deleteProperty(api.model, 'claimedNothing');
    for (const operation of ['heartbeat', 'claim-batch'] as const) api.always(operation, 'usual');
  }

  beforeEach(() => {
    Object.assign(stage.current.api.model, { leaseSeconds: 30, intervalSeconds: 0.1, idleClaims: { waitSeconds: 0.2, nextWaitSeconds: 0.2 } });
  });

  it('sends no heartbeat while it runs nothing, says so with each claim, and keeps its session for longer than a lease', async () => {
    const { api } = stage.current;
    api.model.leaseSeconds = SHORT_LEASE_SECONDS;
    const worker = stage.current.start();
    await api.untilCalls('claim-batch', 2);
    api.model.idleClaims = { waitSeconds: 0.2, nextWaitSeconds: 2 * SHORT_LEASE_SECONDS };
    const [, , ...calls] = await api.untilCalls('claim-batch', 5);
    expect(calls.map(({ body }) => [body.idle, body.max_tasks])).to.deep.equal([[true, 1], [true, 1], [true, 1]]);
    expect(calls.at(-1)?.body.wait_seconds).to.equal(2 * SHORT_LEASE_SECONDS);
    const task = api.give();
    await api.until(() => api.model.ended.get(`${task.id}/1`)?.verb === 'complete');
    // The one that began with the session, before there was a claim.
    expect(api.of('heartbeat').filter(({ at }) => at < calls[1]!.at)).to.have.lengthOf.at.most(1);
    expect(api.of('register')).to.have.lengthOf(1);
    expect(worker.state().leaseLeftMs).to.be.above(0);
    await worker.drain();
  });

  it('sends heartbeats while it runs something, and claims without a word of idleness then', async () => {
    const { api } = stage.current;
    api.give();
    const { opened, open } = gate();
    const worker = stage.current.start({ concurrency: 2 }, async () => {
      await opened;
      return COMPLETED;
    });
    await stage.current.untilBegun();
    await api.untilCalls('heartbeat', api.of('heartbeat').length + 3);
    const claims = (await api.untilCalls('claim-batch', 2)).slice(1);
    expect(claims.map(({ body }) => body.idle)).to.deep.equal(claims.map(() => undefined));
    open();
    await api.until(() => api.of('claim-batch').at(-1)?.body.idle === true);
    await worker.drain();
  });

  it('fences a task by when its claim renewed the lease, not by when the answer came', async () => {
    const { api } = stage.current;
    const { model } = api;
    model.leaseSeconds = SHORT_LEASE_SECONDS;
    model.idleClaims = { waitSeconds: 2 * SHORT_LEASE_SECONDS, nextWaitSeconds: 2 * SHORT_LEASE_SECONDS };
    // An older replica's, which says nothing of the lease.
    holdUp({ lease_seconds: undefined, heartbeat_interval_seconds: undefined });
    api.always('heartbeat', 'hang');
    const worker = stage.current.start({}, untilStopped);
    await api.untilCalls('register', 2);
    expect(stage.current.begun).to.equal(0);
    expect(api.of('complete', 'fail', 'release')).to.be.empty;
    asUsual();
    await worker.release();
  });

  it('fences a task by the lease that its claim tells of, where that has become shorter since the registration', async () => {
    const { api } = stage.current;
    Object.assign(api.model, { leaseSeconds: LONG_LEASE_SECONDS, idleClaims: { waitSeconds: 1_000, nextWaitSeconds: 1_000 } });
    api.always('heartbeat', 'hang');
    const worker = stage.current.start({}, untilStopped);
    await api.untilCalls('claim-batch');
    api.model.leaseSeconds = SHORT_LEASE_SECONDS;
    api.give();
    await api.untilCalls('register', 2);
    expect(stage.current.begun).to.equal(1);
    asUsual();
    await worker.release();
  });

  it('begins a task under the lease that its claim tells of, where that has become longer', async () => {
    const { api } = stage.current;
    const waitSeconds = 2 * SHORT_LEASE_SECONDS;
    Object.assign(api.model, { leaseSeconds: SHORT_LEASE_SECONDS, idleClaims: { waitSeconds, nextWaitSeconds: waitSeconds } });
    holdUp({ lease_seconds: LONG_LEASE_SECONDS });
    api.always('heartbeat', 'hang');
    const worker = stage.current.start({}, untilStopped);
    await stage.current.untilBegun();
    expect(api.of('register')).to.have.lengthOf(1);
    asUsual();
    await worker.release();
  });

  it('hears of a drain in the answer to its claim, hangs with heartbeats meanwhile, and claims when it is resumed', async () => {
    const { api } = stage.current;
    api.model.idleClaims = { waitSeconds: 1_000, nextWaitSeconds: 1_000 };
    const worker = stage.current.start();
    await api.untilCalls('claim-batch');
    api.model.directives.drain = true;
    api.look();
    await api.until(() => worker.state().draining);
    await api.untilCalls('heartbeat', api.of('heartbeat').length + 3);
    expect(api.of('claim-batch')).to.have.lengthOf(1);
    api.model.directives.drain = false;
    api.look();
    await api.untilCalls('claim-batch', 2);
    await worker.drain();
  });

  it('sends heartbeats again when it is unfit, though its claim hangs', async () => {
    const { api } = stage.current;
    api.model.idleClaims = { waitSeconds: 1_000, nextWaitSeconds: 1_000 };
    let fault: string | null = null;
    const worker = stage.current.start({ health: () => Promise.resolve(fault) });
    await api.untilCalls('claim-batch');
    const before = api.of('heartbeat').length;
    fault = 'the disk is full';
    worker.offer(['test-*']);
    await api.untilCalls('heartbeat', before + 3);
    await worker.release();
  });

  it('keeps its id when it tells an older API that it is unfit after its claim has hung for longer than a lease', async () => {
    const { api } = stage.current;
    api.model.leaseSeconds = SHORT_LEASE_SECONDS;
    api.model.idleClaims = { waitSeconds: 2 * SHORT_LEASE_SECONDS, nextWaitSeconds: 1_000 };
    let fault: string | null = null;
    const worker = stage.current.start({ health: () => Promise.resolve(fault) });
    await api.untilCalls('claim-batch', 2);
    // What it knows of its lease it has from claims alone.
    api.always('heartbeat', problem('validation_failed'));
    fault = 'the disk is full';
    worker.offer(['test-*']);
    const [, again] = await api.untilCalls('register', 2);
    expect(again?.body).to.deep.include({ worker_id: worker.id, metadata: { unfit: fault } });
    api.always('heartbeat', 'usual');
    await worker.release();
  });

  it('asks with a heartbeat when a claim is cut, and repeats the claim', async () => {
    const { api } = stage.current;
    api.script('claim-batch', 'usual', 'cut', problem('database_unavailable'));
    const worker = stage.current.start();
    const [, cut, , again] = await api.untilCalls('claim-batch', 4);
    expect(again?.body.request_id).to.equal(cut?.body.request_id);
    await api.until(() => api.of('heartbeat').some(({ at }) => at > cut!.at));
    expect(api.of('register')).to.have.lengthOf(1);
    await worker.drain();
  });

  it('claims as usual where an older replica answers', async () => {
    const { api } = stage.current;
    api.script('claim-batch', problem('validation_failed'));
    const worker = stage.current.start();
    const [idle] = await api.untilCalls('claim-batch');
    const [plain] = await api.untilCalls('claim');
    expect(plain?.body.request_id).to.equal(idle?.body.request_id);
    await api.untilCalls('heartbeat');
    const task = api.give();
    await api.until(() => api.model.ended.get(`${task.id}/1`)?.verb === 'complete');
    expect(api.of('claim-batch')).to.have.lengthOf(1);
    await worker.drain();
  });

  it('fences what a usual claim brings by that claim, however long heartbeats had rested before', async () => {
    const { api } = stage.current;
    api.model.leaseSeconds = SHORT_LEASE_SECONDS;
    api.model.idleClaims = { waitSeconds: 2 * SHORT_LEASE_SECONDS, nextWaitSeconds: 2 * SHORT_LEASE_SECONDS };
    api.script('claim-batch', 'usual', problem('validation_failed'));
    let task = '';
    const worker = stage.current.start({}, async ({ signal }) => {
      await api.until(() => api.of('heartbeat').some((call) => JSON.stringify(call.body.attempts).includes(task)));
      return signal.aborted ? { kind: 'failed', error: 'stopped' } : COMPLETED;
    });
    await api.untilCalls('claim');
    task = api.give().id;
    await api.until(() => api.model.ended.get(`${task}/1`)?.verb === 'complete');
    expect(api.of('register')).to.have.lengthOf(1);
    await worker.drain();
  });

  it('begins what a usual claim brings after more than a lease, which heartbeats have renewed meanwhile', async () => {
    const { api } = stage.current;
    const leaseSeconds = 4;
    Object.assign(api.model, { leaseSeconds, intervalSeconds: 0.2, idleClaims: null });
    const worker = stage.current.start();
    const [claim] = await api.untilCalls('claim');
    await api.until(() => api.of('heartbeat').some(({ at }) => at > claim!.at + leaseSeconds * 1000));
    const task = api.give();
    await api.until(() => api.model.ended.get(`${task.id}/1`)?.verb === 'complete');
    expect([api.of('claim')[0], api.of('register').length]).to.deep.equal([claim, 1]);
    await worker.drain();
  });

  it('claims one at a time where one answers that has no call for many', async () => {
    const { api } = stage.current;
    api.always('claim-batch', problem('path_not_found'));
    const task = api.give();
    const worker = stage.current.start({ concurrency: 2 });
    await api.until(() => api.model.ended.get(`${task.id}/1`)?.verb === 'complete');
    await worker.drain();
  });

  it('hands back what an idle claim says that it holds and was never given', async () => {
    const { api } = stage.current;
    const worker = stage.current.start({ concurrency: 2 });
    await api.untilCalls('claim-batch');
    const stray = api.strand(worker.id!);
    await api.until(() => api.model.ended.get(`${stray.id}/1`)?.verb === 'release');
    await worker.drain();
  });

  it('ends where somebody else has taken its fixed id while its claim hangs', async () => {
    const { api } = stage.current;
    api.model.idleClaims = { waitSeconds: 1_000, nextWaitSeconds: 1_000 };
    const worker = stage.current.start({ workerId: 'worker-001-kind' });
    await api.untilCalls('claim-batch');
    api.model.register({ ...api.calls[0]!, body: { worker_id: 'worker-001-kind' } });
    api.look();
    expect(await worker.stopped).to.equal('superseded');
  });
});
