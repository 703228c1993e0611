/** The parts of chaos by themselves: the schedule of faults, the proxy, the records, and the making of mutants. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Cast } from '../cast/cast.js';
import { operationsOf } from '../checker/records.js';
import { changed } from '../mutants/mutate.js';
import { Nemesis } from '../nemesis/nemesis.js';
import { kindsOf, PERMANENT, schedule } from '../nemesis/schedule.js';
import { Proxy, type Fault } from '../network/proxy.js';
import { REPLICAS, WORKERS } from '../settings.js';
import { Undo } from '../undo.js';

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    const of = (seed: number) => JSON.stringify(schedule(seed, 60, { smallDisks: true }));
    expect(of(7)).to.equal(of(7)).and.not.equal(of(8));
  });

  it('has every kind in a minute, whatever the seed', () => {
    const all = kindsOf(schedule(1, 3_600, { smallDisks: true })).sort();
    expect(all).to.include.members(['kill_worker', 'crash_postgres', 'fill_disk', 'worker_duplicate', 'database_half_open']);
    for (let seed = 0; seed < 200; seed++) expect(kindsOf(schedule(seed, 60, { smallDisks: true })).sort(), `seed ${seed}`).to.deep.equal(all);
  });
});

describe('what is broken for good', () => {
  it('is on a host of its own each, and leaves two workers and a replica whole', async () => {
    const nothing = (): void => undefined;
    const hosts = (name: string, count: number) => Array.from({ length: count }, (_one, n) => ({
      program: { name: `${name}-${n + 1}`, kill: () => Promise.resolve(), pause: nothing }, host: { folder: '' }, disk: null,
    }));
    const ways = (name: string, count: number, end: string) => Array.from({ length: count }, (_one, n) => ({ name: `${name}-${n + 1} to ${end}`, mayDuplicate: true, set: nothing }));
    const cast = {
      workers: hosts('worker', WORKERS), replicas: hosts('api', REPLICAS), proxies: { worker: ways('worker', WORKERS, 'api'), client: [], database: ways('api', REPLICAS, 'postgres') },
      postgres: { holdSnapshot: () => Promise.resolve(() => Promise.resolve()) }, undo: new Undo(),
    } as unknown as Cast;
    const nemesis = new Nemesis(cast);
    for (const { deed, target } of PERMANENT) await nemesis.breakForGood(deed, target);
    const hit = nemesis.journal.map(({ on }) => on.split(' to ')[0] ?? '');
    expect(new Set(hit).size).to.equal(PERMANENT.length);
    expect(hit.filter((name) => name.startsWith('worker-'))).to.have.length(WORKERS - 2);
    expect(hit.filter((name) => name.startsWith('api-'))).to.have.length(REPLICAS - 1);
  });
});

describe('the proxy', () => {
  const undo = new Undo();
  let proxy: Proxy;
  let requests = 0;

  before(async () => {
    // Answers each piece with itself, twice as long.
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        requests += 1;
        socket.write(`${bytes.toString()}${bytes.toString()}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    undo.add(() => server.close());
    proxy = await Proxy.start('proxy', () => ({ port: (server.address() as AddressInfo).port }), undo);
  });
  after(() => undo.run());

  /** What comes back for 'ab' under `fault`, in pieces; and whether the connection was reset. */
  async function ask(fault: Fault | null, { pieces = 1 } = {}): Promise<{ said: string; reset: boolean }> {
    requests = 0;
    proxy.set(fault);
    const socket = connect(proxy.port, '127.0.0.1');
    let said = '';
    let heard = 0;
    const reset = new Promise<boolean>((resolve) => {
      socket.on('error', () => {
        resolve(true);
      });
      socket.on('data', (bytes) => {
        said += bytes.toString();
        heard += 1;
        if (said.length >= 4 && heard >= pieces) resolve(false);
      });
    });
    socket.write('ab');
    const wasReset = await reset;
    socket.destroy();
    return { said, reset: wasReset };
  }

  it('is a wire without a fault, and delays, both ways', async () => {
    expect(await ask(null)).to.deep.equal({ said: 'abab', reset: false });
    const began = performance.now();
    expect(await ask({ kind: 'delay', ms: 30 })).to.deep.equal({ said: 'abab', reset: false });
    // A timer may be a millisecond early.
    expect(performance.now() - began).to.be.at.least(2 * 29);
  });

  it('cuts', async () => {
    expect(await ask({ kind: 'cut' })).to.deep.equal({ said: '', reset: true });
    expect(requests).to.equal(0);
  });

  it('loses an answer after the request has arrived', async () => {
    expect(await ask({ kind: 'lost_answer' })).to.deep.equal({ said: '', reset: true });
    expect(requests).to.equal(1);
  });

  it('drips', async () => {
    expect(await ask({ kind: 'drip', bytes: 1, ms: 20 }, { pieces: 2 })).to.deep.equal({ said: 'abab', reset: false });
  });

  it('gives requests twice and one answer', async () => {
    expect(await ask({ kind: 'duplicate' })).to.deep.equal({ said: 'abab', reset: false });
    expect(proxy.counts.duplicates).to.equal(1);
    while (requests < 2) await new Promise((resolve) => setImmediate(resolve));
  });

  it('swallows everything while it is half open, and resets what waited', async () => {
    proxy.set({ kind: 'half_open' });
    const before = proxy.counts.swallowed;
    const socket = connect(proxy.port, '127.0.0.1');
    const lost = once(socket, 'error');
    socket.write('ab');
    while (proxy.counts.swallowed === before) await new Promise((resolve) => setImmediate(resolve));
    proxy.set(null);
    await lost;
    expect(socket.bytesRead).to.equal(0);
  });
});

describe('the records of workers', () => {
  it('are unknown without an answer, and end at a line that was cut off', () => {
    const path = '/api/v1/workers/worker-001-kind/tasks/t/complete';
    const lines = [
      { at: 1, call: 'a', type: 'invoke', path, session: 's', attempt: 2, body: { x: 1 } }, { at: 2, call: 'a', type: 'answer', status: 200, answer: {} },
      { at: 3, call: 'b', type: 'invoke', path, session: 's', attempt: 2, body: { x: 1 } },
      { at: 4, call: 'c', type: 'invoke', path, session: 's', attempt: 3, body: { x: 1 } }, { at: 5, call: 'c', type: 'answer', status: 409, answer: { code: 'attempt_not_held' } },
      { at: 6, call: 'd', type: 'invoke', path, session: 's', attempt: 3, body: { x: 1 } }, { at: 7, call: 'd', type: 'answer', status: 503, answer: {} },
    ];
    const found = operationsOf('host', `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"at":8,"ca`);
    expect(found.map(({ result, code }) => [result, code])).to.deep.equal([['ok', null], ['unknown', null], ['fail', 'attempt_not_held'], ['unknown', null]]);
  });

  it('have each task that was claimed, and each report, of a call about many', () => {
    const path = '/api/v1/workers/worker-001-kind';
    const reports = [{ task_id: 't', attempt: 1, outcome: 'completed', result: { x: 1 } }, { task_id: 'u', attempt: 2, outcome: 'failed', error: 'no' }];
    const lines = [
      { at: 1, call: 'a', type: 'invoke', path: `${path}/claim-batch`, session: 's', attempt: 0, body: { request_id: 'r', max_tasks: 2 } },
      { at: 2, call: 'a', type: 'answer', status: 200, answer: { tasks: [{ id: 't', attempt: 1 }, { id: 'u', attempt: 2 }] } },
      { at: 3, call: 'b', type: 'invoke', path: `${path}/claim-batch`, session: 's', attempt: 0, body: { request_id: 'q' } },
      { at: 4, call: 'b', type: 'answer', status: 200, answer: { tasks: [] } },
      { at: 5, call: 'c', type: 'invoke', path: `${path}/report`, session: 's', attempt: 0, body: { reports } },
      { at: 6, call: 'c', type: 'answer', status: 200, answer: { reports: [{ accepted: true }, { accepted: false, problem: 'attempt_not_held' }] } },
      { at: 7, call: 'd', type: 'invoke', path: `${path}/report`, session: 's', attempt: 0, body: { reports: reports.slice(0, 1) } },
    ];
    const found = operationsOf('host', lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(found.flatMap((one) => (one.verb === 'claim' ? [[one.requestId, one.claimed]] : []))).to.deep.equal([
      ['r', { taskId: 't', attempt: 1 }], ['r', { taskId: 'u', attempt: 2 }], ['q', null],
    ]);
    expect(found.flatMap((one) => (one.verb === 'report' ? [[one.taskId, one.attempt, one.how, one.body, one.result, one.code]] : []))).to.deep.equal([
      ['t', 1, 'completed', { x: 1 }, 'ok', null], ['u', 2, 'failed', { error: 'no' }, 'fail', 'attempt_not_held'], ['t', 1, 'completed', { x: 1 }, 'unknown', null],
    ]);
  });
});

describe('a mutant', () => {
  it('is made at one place only', () => {
    expect(changed('a b c', 'b', 'x', 'file')).to.equal('a x c');
    for (const text of ['a c', 'b b']) expect(() => changed(text, 'b', 'x', 'file')).to.throw(/times, not once/);
  });
});
