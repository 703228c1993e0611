/** A worker that runs many tasks at once: what it claims and reports goes together, and each report has its own answer. */
import { expect } from 'chai';
import { problem } from '../src/conformance/model.js';
import { COMPLETED, gate, Stage } from './fixtures/scripted-worker.js';

describe('worker: many at once', () => {
  const stage = Stage.forEachTest();
  const outcomesIn = (body: Record<string, unknown>) => (body.reports as { task_id: string; outcome: string }[]).map(({ outcome }) => outcome);

  it('claims as many as there is room for, and reports together what ends together', async () => {
    const { api } = stage.current;
    const { opened, open } = gate();
    const tasks = Array.from({ length: 30 }, () => api.give());
    const worker = stage.current.start({ concurrency: 20 }, async ({ task }) => {
      await opened;
      return task.id === tasks[0]?.id ? { kind: 'failed', error: 'as asked', retryable: false } : COMPLETED;
    });
    await stage.current.untilBegun(20);
    const [claim] = api.of('claim-batch');
    expect(claim?.body).to.include({ max_tasks: 20 });
    open();
    await api.until(() => api.model.ended.size === 30);
    const [report] = api.of('report');
    expect(outcomesIn(report!.body)).to.deep.equal(['failed', ...Array.from({ length: 19 }, () => 'completed')]);
    expect(report).to.deep.include({ session: api.model.sessions.get(report!.workerId)?.session });
    expect(api.model.ended.get(`${tasks[0]?.id ?? ''}/1`)).to.deep.include({ verb: 'fail', body: { error: 'as asked', retryable: false } });
    expect(api.of('claim', 'complete', 'fail')).to.be.empty;
    await worker.drain();
  });

  it('takes for the window of a report the one under way', async () => {
    const { api } = stage.current;
    const gates = Array.from({ length: 4 }, gate);
    const tasks = gates.map(() => api.give());
    const worker = stage.current.start({ concurrency: 4 }, async ({ task }) => {
      await gates[tasks.findIndex(({ id }) => id === task.id)]?.opened;
      return COMPLETED;
    });
    await stage.current.untilBegun(4);
    api.script('report', 'hang');
    gates[0]?.open();
    await api.untilCalls('report');
    for (const { open } of gates.slice(1)) open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(api.of('report')).to.have.length(1);
    await api.stop();
    await api.start();
    await api.until(() => api.model.ended.size === 4);
    await worker.drain();
  });

  it('takes a refusal of one report for that one alone', async () => {
    const { api } = stage.current;
    const { opened, open } = gate();
    const tasks = Array.from({ length: 3 }, () => api.give());
    const worker = stage.current.start({ concurrency: 3 }, async () => {
      await opened;
      return COMPLETED;
    });
    await stage.current.untilBegun(3);
    api.model.takeBack(tasks[1]!.id);
    open();
    await api.until(() => api.model.ended.size === 2);
    await worker.drain();
    expect(api.of('report')).to.have.length(1);
    expect([...api.model.late.keys()]).to.deep.equal([`${tasks[1]!.id}/1`]);
  });

  it('sends each report by itself where one of them makes the whole call refused', async () => {
    const { api } = stage.current;
    const { opened, open } = gate();
    const tasks = Array.from({ length: 3 }, () => api.give());
    const worker = stage.current.start({ concurrency: 3 }, async () => {
      await opened;
      return COMPLETED;
    });
    await stage.current.untilBegun(3);
    api.script('report', problem('unstorable_json'));
    api.script('complete', problem('unstorable_json'));
    open();
    await api.until(() => api.model.ended.size === 3);
    expect([...api.model.ended.values()].map(({ verb }) => verb).sort()).to.deep.equal(['complete', 'complete', 'fail']);
    expect(tasks.map(({ attempt }) => attempt)).to.deep.equal([1, 1, 1]);
    await worker.drain();
  });

  it('repeats claims and reports that are not answered, and does nothing twice', async () => {
    const { api } = stage.current;
    const tasks = Array.from({ length: 40 }, () => api.give());
    api.script('claim-batch', 'cut', 'lose', problem('database_unavailable'));
    api.script('report', 'cut', 'lose', problem('database_unavailable'));
    const worker = stage.current.start({ concurrency: 40 });
    await api.until(() => api.model.ended.size === 40);
    expect(stage.current.begun).to.equal(40);
    const [first, second, third, fourth, fifth] = (await api.untilCalls('claim-batch', 5)).map((call) => call.body.request_id);
    expect([second, third, fourth]).to.deep.equal([first, first, first]);
    expect(fifth).to.not.equal(first);
    await worker.drain();
    expect(tasks.map(({ id }) => api.model.ended.get(`${id}/1`)?.verb)).to.deep.equal(tasks.map(() => 'complete'));
  });

  it('speaks one by one, for good, with an API that does not know these calls', async () => {
    const { api } = stage.current;
    for (let n = 0; n < 6; n++) api.give();
    api.always('claim-batch', problem('path_not_found'));
    api.always('report', problem('path_not_found'));
    const worker = stage.current.start({ concurrency: 3 });
    await api.until(() => api.model.ended.size === 6);
    expect(api.of('claim-batch')).to.have.length(1);
    expect(api.of('report')).to.have.length(1);
    await worker.drain();
  });

  it('hands back the tasks that a claim took while it was cut off by the drain', async () => {
    const { api } = stage.current;
    const worker = stage.current.start({ concurrency: 5 });
    await api.untilCalls('claim-batch');
    api.script('claim-batch', 'lose');
    for (let n = 0; n < 3; n++) api.give();
    await worker.drain();
    expect(api.model.running).to.be.empty;
  });
});
