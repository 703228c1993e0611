/** The worker against the scripted API: what it says, and what it does at each answer. */
import { expect } from 'chai';
import { Catalog } from '../src/catalog.js';
import { problem } from '../src/conformance/model.js';
import { ScriptedApi } from '../src/conformance/scripted-api.js';
import type { Execution, ExecutionContext } from '../src/executors/executor.js';
import type { WorkerOptions } from '../src/running-worker.js';
import { startWorker } from '../src/worker.js';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const COMPLETED: Execution = { kind: 'completed', result: { ok: true } };

/** Runs until it is stopped, and fails then. */
const untilStopped = ({ signal }: ExecutionContext): Promise<Execution> =>
  new Promise((resolve) => {
    const stop = (): void => {
      resolve({ kind: 'failed', error: 'stopped' });
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => { open(); } };
}

describe('worker', () => {
  let api: ScriptedApi;
  beforeEach(async () => {
    api = new ScriptedApi();
    begun = 0;
    await api.start();
  });
  afterEach(() => api.stop());

  /** How many executors have begun. */
  let begun: number;
  const untilBegun = (count = 1) => api.until(() => begun >= count);
  function start(more: Partial<WorkerOptions> = {}, execute: (context: ExecutionContext) => Promise<Execution> = () => Promise.resolve(COMPLETED)) {
    return startWorker({
      apiUrl: api.url, backendType: 'kind', concurrency: 1, problems: ['test-*'], log: SILENT,
      catalog: Catalog.of([{
        problems: ['test-*'], executor: (context) => {
          begun += 1;
          api.look();
          return execute(context);
        },
      }]),
      ...more,
    });
  }

  const reports = () => api.of('complete', 'fail', 'release');

  it('runs a task: log before result, under its session and attempt, and leaves', async () => {
    const task = api.give();
    const worker = start({}, async (context) => {
      await context.log('info', 'hello\u0000');
      return COMPLETED;
    });
    const [complete] = await api.untilCalls('complete');
    const [registered] = api.of('register');
    expect(registered?.body).to.deep.include({ backend_type: 'kind', capabilities: { max_parallel_tasks: 1, supported_problems: ['test-*'] } });
    expect(complete).to.deep.include({ session: api.model.sessions.get(complete!.workerId)?.session, attempt: 1, body: { ok: true } });
    expect(api.of('logs')[0]?.body).to.deep.include({ offset: 0 });
    await worker.drain();
    expect(api.model.ended.get(`${task.id}/1`)?.lines).to.deep.equal(['hello\uFFFD']);
    expect(await worker.stopped).to.equal('left');
    expect(api.calls.at(-1)?.operation).to.equal('leave');
  });

  it('repeats a claim whose answer was lost under the same request id, and gets its task', async () => {
    const task = api.give();
    api.script('claim', 'cut', 'lose', problem('database_unavailable'));
    const worker = start();
    await api.untilCalls('complete');
    const next = await api.untilCalls('claim', 5);
    const ids = next.map((call) => call.body.request_id);
    expect(new Set(ids.slice(0, 4)).size).to.equal(1);
    expect(ids[4]).to.not.equal(ids[0]);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
    await worker.release();
  });

  it('waits at least as long as the API asks', async () => {
    api.script('claim', problem('too_many_requests', {}, { 'retry-after': '1' }));
    const worker = start();
    const [first, second] = await api.untilCalls('claim', 2);
    expect(second!.at - first!.at).to.be.at.least(990);
    await worker.release();
  });

  it('claims no more than it may run', async () => {
    const { opened, open } = gate();
    for (let n = 0; n < 3; n++) api.give();
    const worker = start({ concurrency: 2 }, async () => {
      await opened;
      return COMPLETED;
    });
    await untilBegun(2);
    expect(api.of('claim')).to.have.length(2);
    open();
    await api.untilCalls('complete', 3);
    await worker.drain();
  });

  it('repeats a report until it is answered', async () => {
    const task = api.give();
    api.script('complete', 'cut', 'lose', problem('database_unavailable'));
    const worker = start();
    const calls = await api.untilCalls('complete', 4);
    expect(new Set(calls.map((call) => JSON.stringify(call.body))).size).to.equal(1);
    await worker.drain();
    expect(api.of('complete')).to.have.length(4);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
  });

  it('reports a failure where the result is refused', async () => {
    api.give();
    api.script('complete', problem('unstorable_json'));
    const worker = start();
    const [failed] = await api.untilCalls('fail');
    expect(String(failed?.body.error)).to.match(/the result was not taken/);
    await worker.drain();
  });

  it('stops what it is told to, and says nothing about it', async () => {
    const task = api.give();
    const { opened, open } = gate();
    const worker = start({}, async (context) => {
      const execution = await untilStopped(context);
      open();
      return execution;
    });
    await api.until(() => api.of('heartbeat').some((call) => JSON.stringify(call.body.attempts).includes(task.id)));
    api.cancel(task);
    await opened;
    await worker.drain();
    expect(reports()).to.be.empty;
  });

  it('hears of a cancel in the heartbeat that hangs, also for a task that was claimed after its begin', async () => {
    // Longer than the test may take: only an answer that comes at once passes it.
    api.model.intervalSeconds = 1_000;
    api.model.leaseSeconds = 3_000;
    const worker = start({}, untilStopped);
    await api.until(() => api.of('heartbeat').some((call) => call.body.wait_seconds !== undefined));
    const task = api.give();
    await api.until(() => api.of('heartbeat').some((call) => call.body.wait_seconds !== undefined && JSON.stringify(call.body.attempts).includes(task.id)));
    api.cancel(task);
    await api.untilCalls('claim', 2);
    await worker.drain();
    expect(reports()).to.be.empty;
  });

  it('does not call all the time where heartbeats do not hang', async () => {
    api.model.intervalSeconds = 1_000;
    api.model.leaseSeconds = 3_000;
    const worker = start();
    await worker.registered;
    const { session } = api.model.sessions.get(worker.id!)!;
    api.always('heartbeat', { status: 200, body: { session, lease_seconds: 3_000, heartbeat_interval_seconds: 1_000, directives: { cancel: [], lost: [], drain: false } } });
    const calls = await api.untilCalls('heartbeat', 5);
    const gaps = calls.slice(1).map((call, index) => call.at - calls[index]!.at);
    // Twice as long each time.
    for (const [index, gap] of gaps.entries()) expect(gap).to.be.at.least(0.9 * 200 * 2 ** index);
    await worker.drain();
  });

  it('hands back what runs when it is released', async () => {
    const task = api.give();
    const worker = start({}, untilStopped);
    await untilBegun();
    await worker.release();
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('release');
    expect(api.calls.at(-1)?.operation).to.equal('leave');
  });

  it('hands back what a drain does not finish in time', async () => {
    api.give();
    const worker = start({ drainMs: 10 }, untilStopped);
    await untilBegun();
    await worker.drain();
    expect(api.of('release')).to.have.length(1);
    expect(await worker.stopped).to.equal('left');
  });

  it('hands back a task that a claim took while it was cut off by the drain', async () => {
    const worker = start();
    await api.untilCalls('claim');
    const task = api.give();
    await worker.drain();
    expect(api.model.running).to.be.empty;
    expect([...api.model.pending.map((one) => one.id), ...[...api.model.ended.keys()].map((key) => key.split('/')[0])]).to.include(task.id);
  });

  it('claims nothing while the API drains it, and goes on when it is resumed', async () => {
    api.model.intervalSeconds = 0.5;
    const worker = start();
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

  for (const code of ['session_ended', 'worker_not_found'] as const) {
    it(`registers anew at ${code}, and stops what ran without a word`, async () => {
      api.give();
      const worker = start({}, untilStopped);
      await untilBegun();
      api.model.endSession(worker.id!);
      api.model.pending.length = 0;
      api.script('heartbeat', problem(code));
      api.look();
      const registrations = await api.untilCalls('register', 2);
      expect(registrations.map((call) => call.body.worker_id)).to.deep.equal([undefined, undefined]);
      await api.until(() => api.of('claim').some((call) => call.workerId === 'worker-002-kind'));
      await worker.drain();
      expect(reports()).to.be.empty;
    });
  }

  it('stops what runs when its lease has run out by its own clock, and registers anew', async () => {
    api.model.leaseSeconds = 1;
    api.model.intervalSeconds = 0.2;
    api.give();
    const worker = start({}, untilStopped);
    await untilBegun();
    api.always('heartbeat', 'hang');
    await api.untilCalls('register', 2);
    api.always('heartbeat', 'usual');
    expect(reports()).to.be.empty;
    await worker.release();
  });

  it('goes on with what runs while heartbeats fail', async () => {
    api.model.intervalSeconds = 0.1;
    api.give();
    const { opened, open } = gate();
    const worker = start({}, async ({ signal }) => {
      await opened;
      return signal.aborted ? { kind: 'failed', error: 'stopped' } : COMPLETED;
    });
    await untilBegun();
    api.always('heartbeat', problem('database_unavailable'));
    const before = api.of('heartbeat').length;
    await api.untilCalls('heartbeat', before + 4);
    open();
    expect((await api.untilCalls('complete'))[0]?.body).to.deep.equal({ ok: true });
    await worker.drain();
  });

  it('claims nothing while it is not fit, and says why in its registration', async () => {
    api.model.intervalSeconds = 0.2;
    let fault: string | null = 'no disk';
    const worker = start({ health: () => Promise.resolve(fault) });
    const task = api.give();
    await worker.registered;
    await api.untilCalls('heartbeat', 2);
    expect(api.of('claim')).to.be.empty;
    expect(worker.state().unfit).to.equal('no disk');
    expect(api.of('register')[0]?.body.metadata).to.deep.equal({ unfit: 'no disk' });
    fault = null;
    await api.until(() => api.model.ended.has(`${task.id}/1`));
    const again = api.of('register')[1];
    expect(again?.body).to.deep.include({ worker_id: worker.id, metadata: {} });
    await worker.drain();
  });

  it('hands a task back that it is not fit for, and takes no other before it is fit', async () => {
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
    const worker = start({ health }, () => Promise.resolve(fit ? COMPLETED : { kind: 'unfit', reason: 'the backend is gone' }));
    const [released] = await api.untilCalls('release');
    expect(released?.body).to.deep.equal({ reason: 'this worker is not fit: the backend is gone' });
    const heartbeats = api.of('heartbeat').length;
    await api.untilCalls('heartbeat', heartbeats + 3);
    expect(begun).to.equal(1);
    expect(worker.state().unfit).to.equal('the backend is gone');
    fit = true;
    open();
    await api.until(() => api.model.ended.get(`${second.id}/1`)?.verb === 'complete' && api.model.ended.has(`${first.id}/2`));
    await worker.drain();
  });

  it('gets its results through when the API stops and comes back, and runs nothing twice', async () => {
    const { opened, open } = gate();
    const tasks = Array.from({ length: 50 }, () => api.give());
    const worker = start({ concurrency: 50 }, async ({ task, log }) => {
      await log('info', `begun ${task.id}`);
      await opened;
      await log('info', `ended ${task.id}`);
      return { kind: 'completed', result: { task: task.id } };
    });
    await untilBegun(50);
    await api.stop();
    open();
    // Until every one of them has tried to report in vain.
    while (worker.state().waitingReports < 50) await new Promise((resolve) => setImmediate(resolve));
    await api.start();
    await api.until(() => api.model.ended.size === 50);
    for (const { id } of tasks) {
      expect(api.model.ended.get(`${id}/1`)).to.deep.equal({ verb: 'complete', body: { task: id }, lines: [`begun ${id}`, `ended ${id}`] });
    }
    expect(begun).to.equal(50);
    await worker.drain();
  });

  it('delivers what it has finished before it registers anew', async () => {
    const task = api.give();
    const worker = start();
    api.script('complete', 'cut', 'cut');
    await api.untilCalls('complete', 2);
    api.script('heartbeat', problem('session_ended'));
    api.script('claim', problem('session_ended'));
    await api.untilCalls('register', 2);
    const order = api.calls.map((call) => call.operation);
    expect(order.lastIndexOf('complete')).to.be.lessThan(order.lastIndexOf('register'));
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
    await worker.drain();
  });

  it('leaves after so many tasks', async () => {
    for (let n = 0; n < 5; n++) api.give();
    expect(await start({ maxTasks: 3, concurrency: 2 }).stopped).to.equal('left');
    expect(api.model.ended.size).to.equal(3);
    expect(api.model.pending).to.have.length(2);
    expect(api.model.running).to.be.empty;
  });

  it('leaves when there was nothing to do for long enough', async () => {
    api.give();
    expect(await start({ maxIdleMs: 500 }).stopped).to.equal('left');
    expect(api.model.ended.size).to.equal(1);
    expect(api.calls.at(-1)?.operation).to.equal('leave');
  });

  it('stops where somebody else has taken its fixed id, and takes another where the id was assigned', async () => {
    const fixed = start({ workerId: 'worker-001-kind' });
    await api.untilCalls('claim');
    api.model.register({ ...api.calls[0]!, body: { worker_id: 'worker-001-kind' } });
    api.look();
    expect(await fixed.stopped).to.equal('superseded');
    const worker = start({ preferredWorkerId: 'worker-001-kind' });
    await api.untilCalls('claim', 2);
    api.model.register({ ...api.calls[0]!, body: { worker_id: 'worker-001-kind' } });
    api.look();
    const registrations = await api.untilCalls('register', 3);
    expect(registrations.slice(1).map((call) => call.body.worker_id)).to.deep.equal(['worker-001-kind', undefined]);
    await worker.drain();
  });

  it('waits for an API that is away', async () => {
    api.script('register', 'cut', problem('database_unavailable'));
    const worker = start();
    await worker.registered;
    expect(worker.id).to.equal('worker-001-kind');
    await worker.drain();
  });
});
