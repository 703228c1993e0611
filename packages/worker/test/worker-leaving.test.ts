/** How a worker is drained, released and leaves, against the scripted API. */
import { expect } from 'chai';
import { COMPLETED, gate, SILENT, Stage, untilStopped } from './fixtures/scripted-worker.js';

describe('worker: leaving', () => {
  const stage = Stage.forEachTest();

  it('hands back what runs when it is released', async () => {
    const { api } = stage.current;
    const task = api.give();
    const worker = stage.current.start({}, untilStopped);
    await stage.current.untilBegun();
    await worker.release();
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('release');
    expect(api.calls.at(-1)?.operation).to.equal('leave');
  });

  it('tells the API that it takes nothing more while it finishes what runs, until the API itself answers', async () => {
    const { api } = stage.current;
    const { opened, open } = gate();
    const said: string[] = [];
    const task = api.give();
    // The last of them as a proxy answers while the API is deployed.
    api.script('drain', 'cut', { status: 503 }, { status: 404 });
    const worker = stage.current.start({ log: { ...SILENT, info: (about) => said.push(String(about.event)) } }, () => opened.then(() => COMPLETED));
    await stage.current.untilBegun();
    expect(api.of('drain')).to.be.empty;
    const drained = worker.drain();
    const last = await api.until(() => api.of('drain').find(({ status }) => status === 200));
    expect(last.session).to.equal(api.model.sessions.get(last.workerId)?.session);
    expect(api.of('drain')).to.have.length(4);
    // As the API says of a worker that it drains, whoever asked for it.
    api.model.directives.drain = true;
    api.look();
    await api.until(() => api.of('heartbeat').some(({ body }) => body.draining === true));
    open();
    await drained;
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
    expect(said).to.not.include('drained_by_api');
  });

  it('says nothing of a drain where it has nothing to finish, or the API does not know its session', async () => {
    const { api } = stage.current;
    const idle = stage.current.start();
    await api.untilCalls('claim');
    await idle.drain();
    expect(api.of('drain')).to.be.empty;
    const { opened, open } = gate();
    const task = api.give();
    api.script('drain', { status: 409, body: { code: 'session_superseded', status: 409 } });
    const worker = stage.current.start({ maxTasks: 1 }, () => opened.then(() => COMPLETED));
    await api.until(() => api.of('drain').some(({ status }) => status === 409));
    open();
    expect(await worker.stopped).to.equal('left');
    expect(api.of('drain')).to.have.length(1);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
  });

  it('hands back what a drain does not finish in time', async () => {
    const { api } = stage.current;
    api.give();
    const worker = stage.current.start({ drainMs: 10 }, untilStopped);
    await stage.current.untilBegun();
    await worker.drain();
    expect(api.of('release')).to.have.length(1);
    expect(await worker.stopped).to.equal('left');
  });

  it('lets its last task take longer than a drain may, and ends it in time once it is drained', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.05;
    const { opened, open } = gate();
    const first = api.give();
    const patient = stage.current.start({ maxTasks: 1, drainMs: 10 }, async (context) => {
      await Promise.race([opened, untilStopped(context)]);
      return context.signal.aborted ? { kind: 'failed', error: 'stopped' } : COMPLETED;
    });
    await stage.current.untilBegun();
    await api.untilCalls('heartbeat', api.of('heartbeat').length + 4);
    open();
    expect(await patient.stopped).to.equal('left');
    expect(api.model.ended.get(`${first.id}/1`)?.verb).to.equal('complete');
    const second = api.give();
    const drained = stage.current.start({ maxTasks: 1, drainMs: 10 }, untilStopped);
    await stage.current.untilBegun(2);
    await drained.drain();
    expect(api.model.ended.get(`${second.id}/1`)?.verb).to.equal('release');
  });

  it('hands back a task that a claim took while it was cut off by the drain', async () => {
    const { api } = stage.current;
    const worker = stage.current.start();
    await api.untilCalls('claim');
    const task = api.give();
    await worker.drain();
    expect(api.model.running).to.be.empty;
    expect([...api.model.pending.map((one) => one.id), ...[...api.model.ended.keys()].map((key) => key.split('/')[0])]).to.include(task.id);
  });

  it('hands back what a claim without an answer took while it finishes what runs', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.05;
    const { opened, open } = gate();
    const running = api.give();
    api.script('claim-batch', 'usual', 'lose');
    api.always('claim-batch', 'cut');
    const worker = stage.current.start({ concurrency: 2 }, () => opened.then(() => COMPLETED));
    await stage.current.untilBegun();
    const lost = api.give();
    await api.untilCalls('claim-batch', 3);
    const drained = worker.drain();
    await api.until(() => api.model.ended.get(`${lost.id}/1`)?.verb === 'release');
    open();
    await drained;
    expect(api.model.ended.get(`${running.id}/1`)?.verb).to.equal('complete');
    expect(lost.attempt).to.equal(1);
  });

  it('claims nothing while the API drains it, and goes on when it is resumed', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.5;
    const worker = stage.current.start();
    await api.untilCalls('claim');
    api.model.directives.drain = true;
    api.look();
    await api.until(() => worker.state().draining);
    // The claim that hangs is refused nothing: the API gives no task to a worker that it drains.
    const claims = api.of('claim').length;
    api.give();
    await api.untilCalls('heartbeat', api.of('heartbeat').length + 1);
    expect(api.of('claim').length).to.equal(claims);
    api.model.directives.drain = false;
    api.look();
    await api.untilCalls('complete');
    await worker.drain();
  });

  it('leaves when there was nothing to do for long enough', async () => {
    const { api } = stage.current;
    api.give();
    expect(await stage.current.start({ maxIdleMs: 500 }).stopped).to.equal('left');
    expect(api.model.ended.size).to.equal(1);
    expect(api.calls.at(-1)?.operation).to.equal('leave');
  });

  it('does not take an API that is away for one that has nothing to do', async () => {
    const { api } = stage.current;
    await api.stop();
    expect(await stage.current.start({ maxIdleMs: 50 }).stopped).to.equal('unreached');
  });
});
