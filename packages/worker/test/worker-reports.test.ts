/** What the worker says of its tasks, until it is answered. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { problem } from '../src/conformance/model.js';
import type { Execution } from '../src/executors/executor.js';
import { Spool } from '../src/spool/spool.js';
import { COMPLETED, gate, SILENT, Stage } from './fixtures/scripted-worker.js';

describe('worker: reports', () => {
  const stage = Stage.forEachTest();

  it('runs a task: log before result, under its session and attempt, and leaves', async () => {
    const { api } = stage.current;
    const task = api.give();
    const worker = stage.current.start({}, async (context) => {
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

  it('leaves it to the API to say that a task timed out, and calls it failed where the API does not', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.2;
    const [left, own] = [api.give({ timeout_seconds: 0.1 }), api.give({ timeout_seconds: 0.1 })];
    let stopped = 0;
    const worker = stage.current.start({ concurrency: 2 }, async ({ signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      stopped += 1;
      api.look();
      return { kind: 'failed', error: 'stopped' };
    });
    await api.until(() => stopped === 2);
    api.model.running.splice(api.model.running.findIndex(({ task }) => task.id === left.id), 1);
    api.model.directives.cancel.push({ task_id: left.id, attempt: 1, reason: 'timeout' });
    const { verb, body } = await api.until(() => api.model.ended.get(`${own.id}/1`));
    expect({ verb, body }).to.deep.equal({ verb: 'fail', body: { error: 'timed out after 0.1 seconds' } });
    await worker.drain();
    expect(api.of('complete', 'fail', 'release', 'report').filter((call) => JSON.stringify(call).includes(left.id))).to.be.empty;
  });

  const kept: [string, Execution, Record<string, unknown>][] = [
    ['result', COMPLETED, { ok: true }],
    ['failure', { kind: 'failed', error: 'wrong', retryable: false }, { error: 'wrong', retryable: false }],
  ];
  for (const [what, execution, body] of kept) {
    it(`says of a ${what} what was decided, whatever stops the attempt while it is tidied up`, async () => {
      const { api } = stage.current;
      api.model.intervalSeconds = 0.2;
      const { opened, open } = gate();
      const [outran, cancelled, released] = [api.give({ timeout_seconds: 0.05 }), api.give(), api.give()];
      let [decided, stopped] = [0, 0];
      const worker = stage.current.start({ concurrency: 3 }, async ({ signal, decide, log }) => {
        signal.addEventListener('abort', () => (stopped += 1));
        await log('info', 'in time');
        await decide(execution);
        decided += 1;
        api.look();
        await opened;
        return execution;
      });
      await api.until(() => decided === 3);
      // Past its timeout, and what the worker waits beyond it.
      await new Promise((resolve) => setTimeout(resolve, 2_200));
      const before = api.of('heartbeat').length;
      api.cancel(cancelled);
      // What it was told to stop, it names no more.
      await api.until(() => api.of('heartbeat').slice(before).some(({ body: { attempts } }) => Array.isArray(attempts) && attempts.length === 2));
      const left = worker.release();
      open();
      await left;
      const verb = execution.kind === 'completed' ? 'complete' : 'fail';
      for (const { id } of [outran, released]) expect(api.model.ended.get(`${id}/1`)).to.deep.equal({ verb, body, lines: ['in time'] });
      expect(api.model.late.get(`${cancelled.id}/1`)).to.deep.include({ verb, body });
      expect(stopped).to.equal(0);
    });
  }

  it('repeats a report until it is answered', async () => {
    const { api } = stage.current;
    const task = api.give();
    api.script('complete', 'cut', 'lose', problem('database_unavailable'));
    const worker = stage.current.start();
    const calls = await api.untilCalls('complete', 4);
    expect(new Set(calls.map((call) => JSON.stringify(call.body))).size).to.equal(1);
    await worker.drain();
    expect(api.of('complete')).to.have.length(4);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
  });

  it('reports a failure where the result is refused', async () => {
    const { api } = stage.current;
    api.give();
    api.script('complete', problem('unstorable_json'));
    const worker = stage.current.start();
    const [failed] = await api.untilCalls('fail');
    expect(String(failed?.body.error)).to.match(/^the result was not taken: .*unstorable_json.*; it begins \{"ok":true\}$/);
    await worker.drain();
  });

  it('gets its results through when the API stops and comes back, and runs nothing twice', async () => {
    const { api } = stage.current;
    const { opened, open } = gate();
    const tasks = Array.from({ length: 50 }, () => api.give());
    const worker = stage.current.start({ concurrency: 50 }, async ({ task, log }) => {
      await log('info', `begun ${task.id}`);
      await opened;
      await log('info', `ended ${task.id}`);
      return { kind: 'completed', result: { task: task.id } };
    });
    await stage.current.untilBegun(50);
    await api.stop();
    open();
    // Until every one of them has tried to report in vain.
    while (worker.state().waitingReports < 50) await new Promise((resolve) => setImmediate(resolve));
    await api.start();
    await api.until(() => api.model.ended.size === 50);
    for (const { id } of tasks) {
      expect(api.model.ended.get(`${id}/1`)).to.deep.equal({ verb: 'complete', body: { task: id }, lines: [`begun ${id}`, `ended ${id}`] });
    }
    expect(stage.current.begun).to.equal(50);
    await worker.drain();
  });

  it('goes on where its spool has a file that cannot be removed, unfit until it can', async () => {
    const { api } = stage.current;
    api.model.intervalSeconds = 0.1;
    const events: unknown[] = [];
    const log = { ...SILENT, error: ({ event }: Record<string, unknown>): void => void events.push(event) };
    const root = await mkdtemp(join(tmpdir(), 'reports-test-'));
    const spool = await Spool.open({ root, apiUrl: api.url, maxBytes: 1024 * 1024, gatherMs: 0, log });
    const [first, second] = [api.give(), api.give()];
    api.always('complete', 'cut');
    const worker = stage.current.start({ spool, log });
    await api.untilCalls('complete');
    const [file] = (await readdir(spool.folder)).filter((name) => name.endsWith('report.json'));
    await rm(join(spool.folder, file!));
    await mkdir(join(spool.folder, file!, 'folder'), { recursive: true });
    api.always('complete', 'usual');
    await api.until(() => events.includes('spool_not_removed'));
    worker.offer(['test-*']);
    await api.until(() => worker.state().unfit?.includes(file!));
    expect(api.model.ended.get(`${first.id}/1`)?.verb).to.equal('complete');
    await rm(join(spool.folder, file!), { recursive: true });
    worker.offer(['test-*']);
    // The second may have been claimed before the first left its file.
    await api.until(() => worker.state().unfit === null && [...api.model.ended].some(([key, { verb }]) => key.startsWith(second.id) && verb === 'complete'));
    await worker.drain();
    expect(spool.files).to.equal(0);
    await rm(root, { recursive: true });
  });

  it('delivers what it has finished before it registers anew', async () => {
    const { api } = stage.current;
    const task = api.give();
    const worker = stage.current.start();
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
});
