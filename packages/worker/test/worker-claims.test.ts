/** What the worker claims, and when, against the scripted API. */
import { expect } from 'chai';
import { problem } from '../src/conformance/model.js';
import { COMPLETED, gate, SILENT, Stage } from './fixtures/scripted-worker.js';

describe('worker: claims', () => {
  const stage = Stage.forEachTest();
  /** A worker that is fit until `become` has said otherwise. */
  function startChecked(...[more, execute]: Parameters<Stage['start']>) {
    let fault: string | null = null;
    const worker = stage.current.start({ health: () => Promise.resolve(fault), ...more }, execute);
    const become = async (reason: string | null): Promise<void> => {
      fault = reason;
      worker.offer(['test-*']);
      await stage.current.api.until(() => worker.state().unfit === reason);
    };
    return { worker, become };
  }
  /** What heartbeats have said of fitness, each that was answered. */
  const told = (): unknown[] => stage.current.api.of('heartbeat').filter(({ body, status }) => body.unfit !== undefined && status === 200).map(({ body }) => body.unfit);

  it('repeats a claim whose answer was lost under the same request id, and gets its task', async () => {
    const { api } = stage.current;
    const task = api.give();
    api.script('claim', 'cut', 'lose', problem('database_unavailable'));
    const worker = stage.current.start();
    await api.untilCalls('complete');
    const next = await api.untilCalls('claim', 5);
    const ids = next.map((call) => call.body.request_id);
    expect(new Set(ids.slice(0, 4)).size).to.equal(1);
    expect(ids[4]).to.not.equal(ids[0]);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
    await worker.release();
  });

  it('hands back what a claim without an answer took when the API drains it, and claims anew when it is resumed', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.05;
    const task = api.give();
    api.script('claim', 'lose');
    api.always('claim', 'cut');
    const worker = stage.current.start();
    await api.untilCalls('claim', 2);
    api.model.directives.drain = true;
    api.look();
    const { verb, body } = await api.until(() => api.model.ended.get(`${task.id}/1`));
    expect({ verb, body }).to.deep.equal({ verb: 'release', body: { reason: 'no claim of this worker brought the task' } });
    const before = api.of('claim');
    api.always('claim', 'usual');
    api.model.directives.drain = false;
    api.look();
    await api.until(() => api.model.ended.get(`${task.id}/2`)?.verb === 'complete');
    expect(before.map((call) => call.body.request_id)).to.not.include(api.of('claim')[before.length]?.body.request_id);
    await worker.drain();
  });

  it('gives up a claim whose answer is too large to read, hands back what it took, and asks for fewer', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.1;
    const tasks = [api.give(), api.give()];
    for (const task of tasks) Object.assign(task.parameters, { text: 'x'.repeat(33 * 1024 * 1024) });
    const events: unknown[] = [];
    const error = (about: object): void => {
      events.push((about as { event: unknown }).event);
    };
    const worker = stage.current.start({ concurrency: 2, log: { ...SILENT, error } });
    await api.until(() => tasks.every(({ id }) => [...api.model.ended].some(([key, { verb }]) => key.startsWith(id) && verb === 'complete')));
    const claims = api.of('claim-batch').map(({ body }) => body);
    expect(claims.slice(0, 2).map((body) => body.max_tasks)).to.deep.equal([2, 1]);
    expect(claims[1]?.request_id).to.not.equal(claims[0]?.request_id);
    expect(events).to.deep.equal(['claim_too_large']);
    expect(tasks.map(({ id }) => api.model.ended.get(`${id}/1`)?.verb)).to.deep.equal(['release', 'release']);
    await worker.release();
  }).timeout(20_000);

  it('waits at least as long as the API asks', async () => {
    const { api } = stage.current;
    api.script('claim', problem('too_many_requests', {}, { 'retry-after': '1' }));
    const worker = stage.current.start();
    const [first, second] = await api.untilCalls('claim', 2);
    expect(second!.at - first!.at).to.be.at.least(990);
    await worker.release();
  });

  it('claims no more than it may run', async () => {
    const { api } = stage.current;
    const { opened, open } = gate();
    for (let n = 0; n < 3; n++) api.give();
    const worker = stage.current.start({ concurrency: 2 }, async () => {
      await opened;
      return COMPLETED;
    });
    await stage.current.untilBegun(2);
    expect(api.of('claim-batch').every((call) => Number(call.body.max_tasks) <= 2)).to.equal(true);
    expect(api.model.running).to.have.length(2);
    open();
    await api.until(() => api.model.ended.size === 3);
    await worker.drain();
  });

  it('claims nothing while it is not fit, and says why in its registration', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.2;
    let fault: string | null = 'no disk';
    const worker = stage.current.start({ health: () => Promise.resolve(fault) });
    const task = api.give();
    await worker.registered;
    await api.untilCalls('heartbeat', 2);
    expect(api.of('claim')).to.be.empty;
    expect(worker.state().unfit).to.equal('no disk');
    expect(api.of('register')[0]?.body.metadata).to.deep.equal({ unfit: 'no disk' });
    expect(told()).to.deep.equal([]);
    fault = null;
    await api.until(() => api.model.ended.has(`${task.id}/1`) && told().length === 1);
    expect(told()).to.deep.equal([null]);
    await worker.drain();
    expect(api.of('register')).to.have.length(1);
  });

  it('tells the API at once whether it is fit, while a task runs and in a drain, until it is answered', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.2;
    const { opened, open } = gate();
    const { worker, become } = startChecked({ concurrency: 4 }, () => opened.then(() => COMPLETED));
    api.give();
    await stage.current.untilBegun();
    api.always('heartbeat', problem('database_unavailable'));
    await become('no disk');
    await api.until(() => api.of('heartbeat').filter(({ body }) => body.unfit !== undefined).length > 1);
    api.always('heartbeat', 'usual');
    await api.until(() => told().length === 1);
    await become('no cluster');
    await api.until(() => told().length === 2);
    api.model.directives.drain = true;
    api.look();
    await api.until(() => worker.state().draining);
    await become(null);
    await api.until(() => told().length === 3);
    expect(told()).to.deep.equal(['no disk', 'no cluster', null]);
    open();
    await worker.drain();
    expect(api.of('register')).to.have.length(1);
  });

  it('goes on at once when it is fit again, while a task runs, and registers anew to tell an older API when nothing does', async () => {
    const { api } = stage.current;
    Object.assign(api.model, { intervalSeconds: 0.2, hearsOfFitness: false });
    const { opened, open } = gate();
    const { worker, become } = startChecked({ concurrency: 4 }, () => opened.then(() => COMPLETED));
    api.give();
    await stage.current.untilBegun();
    await become('no disk');
    await become(null);
    for (let n = 0; n < 3; n++) api.give();
    await stage.current.untilBegun(4);
    await become('no disk');
    expect(api.of('register')).to.have.length(1);
    open();
    const [, again] = await api.untilCalls('register', 2);
    expect(again?.body).to.deep.include({ worker_id: worker.id, metadata: { unfit: 'no disk' } });
    expect([...api.model.ended.values()].map(({ verb }) => verb)).to.deep.equal(Array.from({ length: 4 }, () => 'complete'));
    await worker.drain();
  });

  it('registers anew to tell an older replica that it is fit, where another one was told that it is not', async () => {
    const { api } = stage.current;
    const { worker, become } = startChecked();
    await api.untilCalls('claim');
    await become('no disk');
    await api.until(() => told().length === 1);
    api.model.hearsOfFitness = false;
    await become(null);
    const [, again] = await api.untilCalls('register', 2);
    expect(again?.body).to.deep.include({ worker_id: worker.id, metadata: {} });
    await worker.drain();
  });

  it('leaves the line when an attempt finds it unfit while another runs, and hands back what its claim may have taken', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.05;
    // Of the second claim no answer comes.
    api.script('claim-batch', 'usual', 'hang');
    const [found, fit, ended] = [gate(), gate(), gate()];
    let checks = 0;
    const health = async (): Promise<string | null> => {
      checks += 1;
      if (checks > 1) await fit.opened;
      return null;
    };
    const [first] = [api.give(), api.give()];
    const worker = stage.current.start({ concurrency: 3, health }, async ({ task: { id, attempt } }) => {
      const isUnfit = id === first.id && attempt === 1;
      await (isUnfit ? found : ended).opened;
      return isUnfit ? { kind: 'unfit', reason: 'no disk' } : COMPLETED;
    });
    await stage.current.untilBegun(2);
    const [, hanging] = await api.untilCalls('claim-batch', 2);
    const taken = api.strand(worker.id!, {}, String(hanging?.body.request_id));
    found.open();
    expect((await api.until(() => api.model.ended.get(`${taken.id}/1`))).verb).to.equal('release');
    expect(api.of('claim-batch')).to.have.length(2);
    fit.open();
    await api.untilCalls('claim-batch', 3);
    ended.open();
    await api.until(() => api.model.ended.get(`${taken.id}/2`)?.verb === 'complete');
    expect(api.of('claim-batch')[2]?.body.request_id).to.not.equal(hanging?.body.request_id);
    await worker.drain();
  });

  it('asks for its id, to tell an older API that it is not fit, only while its lease holds: then the id may be that of another', async () => {
    const { api } = stage.current;
    Object.assign(api.model, { leaseSeconds: 1, intervalSeconds: 0.2, hearsOfFitness: false });
    const { worker, become } = startChecked();
    await api.untilCalls('claim');
    const former = worker.id;
    api.always('register', problem('database_unavailable'));
    await become('no disk');
    const calls = await api.until(() => {
      const [, ...again] = api.of('register');
      return again.at(-1)?.body.worker_id === undefined && again.length > 0 && again;
    });
    expect(calls[0]?.body.worker_id).to.equal(former);
    api.always('register', 'usual');
    await api.until(() => worker.id !== former);
    await worker.drain();
  });

  it('does not end a drain by an older API to say whether it is fit', async () => {
    const { api } = stage.current;
    Object.assign(api.model, { intervalSeconds: 0.2, hearsOfFitness: false });
    const { worker, become } = startChecked();
    await api.untilCalls('claim');
    api.model.directives.drain = true;
    api.look();
    await api.until(() => worker.state().draining);
    await become('no backend');
    await become(null);
    await become('no backend');
    await api.untilCalls('heartbeat', api.of('heartbeat').length + 3);
    expect(api.of('register')).to.have.length(1);
    expect(worker.state().draining).to.equal(true);
    api.model.directives.drain = false;
    api.look();
    const [, resumed] = await api.untilCalls('register', 2);
    expect(resumed?.body.metadata).to.deep.equal({ unfit: 'no backend' });
    await become(null);
    const task = api.give();
    await api.until(() => api.model.ended.has(`${task.id}/1`));
    const [, , fit] = await api.untilCalls('register', 3);
    expect(fit?.body.metadata).to.deep.equal({});
    await worker.drain();
  });

  it('looks at once whether it is fit for what it offers now', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.2;
    let checks = 0;
    let fault: string | null = null;
    const health = (): Promise<string | null> => {
      checks += 1;
      return Promise.resolve(fault);
    };
    const worker = stage.current.start({ health });
    await worker.registered;
    fault = 'no script';
    worker.offer(['test-*']);
    await api.until(() => worker.state().unfit === 'no script');
    // By now its pauses are several seconds long.
    await api.until(() => checks >= 5);
    fault = null;
    const task = api.give();
    worker.offer(['test-*']);
    await api.until(() => api.model.ended.has(`${task.id}/1`), AbortSignal.timeout(1_000));
    await worker.drain();
  });

  it('hands back what a claim brings of a problem that it offers no more, and claims again when the API knows', async () => {
    const { api } = stage.current;
    const worker = stage.current.start({ problems: ['test-*', 'old-*'] });
    await api.untilCalls('claim');
    worker.offer(['test-*']);
    const old = api.give({ problem_id: 'old-1' });
    const { verb, body } = await api.until(() => api.model.ended.get(`${old.id}/1`));
    expect({ verb, body }).to.deep.equal({ verb: 'release', body: { reason: 'the worker takes this problem no more' } });
    const next = api.give();
    await api.until(() => api.model.ended.get(`${next.id}/1`)?.verb === 'complete');
    expect(stage.current.begun).to.equal(1);
    await worker.drain();
  });

  it('hands back a task of a problem that it offered no more, where the API goes by what it registered with', async () => {
    const { api } = stage.current;
    const worker = stage.current.start({ problems: ['test-*', 'old-*'] });
    await api.untilCalls('claim');
    api.script('heartbeat', ...Array.from({ length: 3 }, () => problem('validation_failed')));
    worker.offer(['test-*']);
    await api.until(() => api.of('heartbeat').some((call) => call.body.capabilities !== undefined && call.status === 422));
    const old = api.give({ problem_id: 'old-1' });
    const { verb, body } = await api.until(() => api.model.ended.get(`${old.id}/1`));
    expect({ verb, body }).to.deep.equal({ verb: 'release', body: { reason: 'this worker is not fit: it has no executor for old-1' } });
    await worker.drain();
  });

  it('hands a task back that it is not fit for, and takes no other before it is fit', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.3;
    const { opened, open } = gate();
    let checks = 0;
    const health = async (): Promise<string | null> => {
      checks += 1;
      if (checks > 1) await opened;
      return null;
    };
    const [first, second] = [api.give(), api.give()];
    let fit = false;
    const worker = stage.current.start({ health }, () => Promise.resolve(fit ? COMPLETED : { kind: 'unfit', reason: 'the backend is gone' }));
    const [released] = await api.untilCalls('release');
    expect(released?.body).to.deep.equal({ reason: 'this worker is not fit: the backend is gone' });
    const heartbeats = api.of('heartbeat').length;
    await api.untilCalls('heartbeat', heartbeats + 3);
    expect(stage.current.begun).to.equal(1);
    expect(worker.state().unfit).to.equal('the backend is gone');
    fit = true;
    open();
    await api.until(() => api.model.ended.get(`${second.id}/1`)?.verb === 'complete' && api.model.ended.has(`${first.id}/2`));
    await worker.drain();
  });

  it('leaves after so many tasks', async () => {
    const { api } = stage.current;
    for (let n = 0; n < 5; n++) api.give();
    expect(await stage.current.start({ maxTasks: 3, concurrency: 2 }).stopped).to.equal('left');
    expect(api.model.ended.size).to.equal(3);
    expect(api.model.pending).to.have.length(2);
    expect(api.model.running).to.be.empty;
  });
});
