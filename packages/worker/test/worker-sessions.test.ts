/** Heartbeats, directives and the ends of sessions, against the scripted API. */
import { expect } from 'chai';
import { problem } from '../src/conformance/model.js';
import { COMPLETED, gate, Stage, untilStopped } from './fixtures/scripted-worker.js';

describe('worker: sessions', () => {
  const stage = Stage.forEachTest();

  it('stops what it is told to, and says nothing about it', async () => {
    const { api } = stage.current;
    const task = api.give();
    const { opened, open } = gate();
    const worker = stage.current.start({}, async (context) => {
      const execution = await untilStopped(context);
      open();
      return execution;
    });
    await api.until(() => api.of('heartbeat').some((call) => JSON.stringify(call.body.attempts).includes(task.id)));
    api.cancel(task);
    await opened;
    await worker.drain();
    expect(api.of('complete', 'fail', 'release')).to.be.empty;
  });

  it('hears of a cancel in the heartbeat that hangs, also for a task that was claimed after its begin', async () => {
    const { api } = stage.current;
    // Longer than the test may take: only an answer that comes at once passes it.
    api.model.intervalSeconds = 1_000;
    api.model.leaseSeconds = 3_000;
    const worker = stage.current.start({}, untilStopped);
    await api.until(() => api.of('heartbeat').some((call) => call.body.wait_seconds !== undefined));
    const task = api.give();
    await api.until(() => api.of('heartbeat').some((call) => call.body.wait_seconds !== undefined && JSON.stringify(call.body.attempts).includes(task.id)));
    api.cancel(task);
    await api.untilCalls('claim', 2);
    await worker.drain();
    expect(api.of('complete', 'fail', 'release')).to.be.empty;
  });

  it('does not call all the time where heartbeats do not hang', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 1_000;
    api.model.leaseSeconds = 3_000;
    const worker = stage.current.start();
    await worker.registered;
    const { session } = api.model.sessions.get(worker.id!)!;
    const directives = { cancel: [], lost: [], drain: false };
    api.always('heartbeat', { status: 200, body: { id: worker.id, session, lease_seconds: 3_000, heartbeat_interval_seconds: 1_000, directives } });
    const calls = await api.untilCalls('heartbeat', 5);
    const gaps = calls.slice(1).map((call, index) => call.at - calls[index]!.at);
    // Twice as long each time.
    for (const [index, gap] of gaps.entries()) expect(gap).to.be.at.least(0.9 * 200 * 2 ** index);
    await worker.drain();
  });

  it('names one session in all tries of a registration, and a new one in the next', async () => {
    const { api } = stage.current;
    api.script('register', 'cut', problem('database_unavailable'), 'cut');
    const worker = stage.current.start();
    await worker.registered;
    const tries = api.of('register').map((call) => call.body.session);
    expect([tries.length, new Set(tries).size, typeof tries[0]]).to.deep.equal([4, 1, 'string']);
    api.model.endSession(worker.id!);
    api.script('heartbeat', problem('session_ended'));
    const sessions = (await api.untilCalls('register', 5)).map((call) => call.body.session);
    expect(new Set(sessions).size).to.equal(2);
    await worker.drain();
  });

  it('makes another session where that of an earlier try has ended, and none where the API knows of no such thing', async () => {
    const { api } = stage.current;
    api.script('register', 'cut', problem('session_ended'), problem('validation_failed', { errors: [{ path: '/body/session', message: 'unknown' }] }));
    const worker = stage.current.start();
    const [first, second, third, fourth] = (await api.untilCalls('register', 4)).map((call) => call.body.session);
    expect([first === second, typeof third, third === first, fourth]).to.deep.equal([true, 'string', false, undefined]);
    await worker.drain();
  });

  for (const code of ['session_ended', 'worker_not_found'] as const) {
    it(`registers anew at ${code}, and stops what ran without a word`, async () => {
      const { api } = stage.current;
      api.give();
      const worker = stage.current.start({}, untilStopped);
      await stage.current.untilBegun();
      api.model.endSession(worker.id!);
      api.model.pending.length = 0;
      api.script('heartbeat', problem(code));
      api.look();
      const registrations = await api.untilCalls('register', 2);
      expect(registrations.map((call) => call.body.worker_id)).to.deep.equal([undefined, undefined]);
      await api.until(() => api.of('claim').some((call) => call.workerId === 'worker-002-kind'));
      await worker.drain();
      expect(api.of('complete', 'fail', 'release')).to.be.empty;
    });
  }

  it('stops what runs when its lease has run out by its own clock, and registers anew', async () => {
    const { api } = stage.current;
    api.model.leaseSeconds = 1;
    api.model.intervalSeconds = 0.2;
    api.give();
    const worker = stage.current.start({}, untilStopped);
    await stage.current.untilBegun();
    api.always('heartbeat', 'hang');
    await api.untilCalls('register', 2);
    api.always('heartbeat', 'usual');
    expect(api.of('complete', 'fail', 'release')).to.be.empty;
    await worker.release();
  });

  it('hands back a task that it holds and was never given, and none that it runs, reports or may yet get', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.05;
    // Of the second claim no answer comes.
    api.script('claim-batch', 'usual', 'hang');
    const { opened, open } = gate();
    const own = api.give();
    const worker = stage.current.start({ concurrency: 4 }, async () => {
      await opened;
      return COMPLETED;
    });
    await stage.current.untilBegun();
    const [, hanging] = await api.untilCalls('claim-batch', 2);
    const due = api.strand(worker.id!, {}, String(hanging?.body.request_id));
    const stray = api.strand(worker.id!);
    await api.until(() => api.model.ended.get(`${stray.id}/1`)?.verb === 'release');
    api.always('report', problem('database_unavailable'));
    open();
    await api.untilCalls('report');
    await api.untilCalls('heartbeat', api.of('heartbeat').length + 4);
    expect([...api.model.ended.keys()]).to.deep.equal([`${stray.id}/1`]);
    api.always('report', 'usual');
    await worker.drain();
    // The last claim is resolved when the worker leaves.
    expect([...api.model.ended].map(([key, { verb }]) => [key, verb])).to.deep.include.members([[`${own.id}/1`, 'complete'], [`${due.id}/1`, 'release']]);
  });

  it('goes on with what runs while heartbeats fail', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.1;
    api.give();
    const { opened, open } = gate();
    const worker = stage.current.start({}, async ({ signal }) => {
      await opened;
      return signal.aborted ? { kind: 'failed', error: 'stopped' } : COMPLETED;
    });
    await stage.current.untilBegun();
    api.always('heartbeat', problem('database_unavailable'));
    const before = api.of('heartbeat').length;
    await api.untilCalls('heartbeat', before + 4);
    open();
    expect((await api.untilCalls('complete'))[0]?.body).to.deep.equal({ ok: true });
    await worker.drain();
  });

  it('stops where somebody else has taken its fixed id, and takes another where the id was assigned', async () => {
    const { api } = stage.current;
    const fixed = stage.current.start({ workerId: 'worker-001-kind' });
    await api.untilCalls('claim');
    api.model.register({ ...api.calls[0]!, body: { worker_id: 'worker-001-kind' } });
    api.look();
    expect(await fixed.stopped).to.equal('superseded');
    const worker = stage.current.start({ preferredWorkerId: 'worker-001-kind' });
    await api.untilCalls('claim', 2);
    api.model.register({ ...api.calls[0]!, body: { worker_id: 'worker-001-kind' } });
    api.look();
    const registrations = await api.untilCalls('register', 3);
    expect(registrations.slice(1).map((call) => call.body.worker_id)).to.deep.equal(['worker-001-kind', undefined]);
    await worker.drain();
  });

  it('waits for an API that is away', async () => {
    const { api } = stage.current;
    api.script('register', 'cut', problem('database_unavailable'));
    const worker = stage.current.start();
    await worker.registered;
    expect(worker.id).to.equal('worker-001-kind');
    await worker.drain();
  });
});
