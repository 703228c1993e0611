/** The worker against a scripted server: what it says, and what it does at each answer. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Catalog } from '../src/catalog.js';
import type { ExecutionContext } from '../src/executors/executor.js';
import { startWorker, type WorkerOptions } from '../src/worker.js';

const TASK_ID = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Call { path: string; session: string | undefined; attempt: string | undefined; body: Record<string, unknown> }
/** An answer, or 'cut' for a connection that breaks. */
type Reply = { status: number; body?: unknown } | 'cut';

class FakeApi {
  readonly calls: Call[] = [];
  /** Replies by the last word of the path, used one after another; then the default. */
  readonly script = new Map<string, Reply[]>();
  readonly #watchers: (() => void)[] = [];
  #sessions = 0;
  readonly #server = createServer((req, res) => {
    void this.#answer(req, res);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves with the calls of a kind once there are `count`. */
  async until(word: string, count = 1): Promise<Call[]> {
    for (;;) {
      const found = this.calls.filter((call) => call.path.endsWith(word));
      if (found.length >= count) return found;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of req) text += String(chunk);
    const path = `${req.method === 'DELETE' ? 'DELETE ' : ''}${req.url ?? ''}`;
    this.calls.push({
      path, session: req.headers['worker-session'] as string | undefined, attempt: req.headers['task-attempt'] as string | undefined,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    });
    for (const watcher of this.#watchers.splice(0)) watcher();
    const word = path.split('/').at(-1) ?? '';
    const reply = this.script.get(word)?.shift() ?? this.#usual(word);
    if (reply === 'hang') return;
    if (reply === 'cut') {
      res.destroy();
      return;
    }
    res.writeHead(reply.status, { 'content-type': 'application/json' });
    res.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
  }

  #usual(word: string): Reply | 'hang' {
    if (word === 'register') this.#sessions += 1;
    if (word === 'register' || word === 'heartbeat') return { status: 200, body: session(this.#sessions) };
    if (word === 'claim') return 'hang';
    if (word === 'logs') return { status: 200, body: { accepted: 1, next_offset: 1 } };
    return { status: 200, body: {} };
  }
}

function session(number: number, directives: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `worker-00${number}-kind`, session: `session-${number}`, lease_seconds: 30, heartbeat_interval_seconds: 0.05,
    directives: { cancel: [], lost: [], drain: false, ...directives },
  };
}

const problem = (status: number, code: string): Reply => ({ status, body: { code, title: code } });
const task = (more: Record<string, unknown> = {}): Reply => ({ status: 200, body: { id: TASK_ID, problem_id: 'test-x', attempt: 2, timeout_seconds: 60, parameters: {}, ...more } });

describe('worker', () => {
  let api: FakeApi;
  let apiUrl: string;
  beforeEach(async () => {
    api = new FakeApi();
    apiUrl = await api.start();
  });
  afterEach(() => api.stop());

  function start(more: Partial<WorkerOptions> = {}, execute: (context: ExecutionContext) => Promise<Record<string, unknown>> = () => Promise.resolve({ ok: true })) {
    return startWorker({
      apiUrl, backendType: 'kind', concurrency: 1, problems: ['test-*'], log: SILENT,
      catalog: Catalog.of([{ problems: ['test-*'], executor: async (context) => ({ kind: 'completed', result: await execute(context) }) }]),
      ...more,
    });
  }

  /** Runs until it is stopped. */
  const untilStopped = (context: ExecutionContext): Promise<Record<string, unknown>> =>
    new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => {
        reject(new Error('stopped'));
      });
    });

  it('runs a task: log before result, under its session and attempt, and leaves', async () => {
    api.script.set('claim', [task()]);
    const worker = start({}, async (context) => {
      await context.log('info', 'hello\u0000');
      return { ok: true };
    });
    const [complete] = await api.until('/complete');
    expect(complete).to.deep.include({ session: 'session-1', attempt: '2', body: { ok: true } });
    const [logs] = await api.until('/logs');
    expect(logs?.body).to.deep.include({ offset: 0 });
    expect((logs?.body.entries as { message: string }[])[0]?.message).to.equal('hello\uFFFD');
    expect(api.calls.findIndex((call) => call.path.endsWith('/logs'))).to.be.lessThan(api.calls.findIndex((call) => call.path.endsWith('/complete')));
    await worker.drain();
    expect(await worker.stopped).to.equal('left');
    expect(api.calls.at(-1)?.path).to.equal('DELETE /api/v1/workers/worker-001-kind');
  });

  it('repeats a claim whose answer was lost under the same request id, and a new one under another', async () => {
    api.script.set('claim', ['cut', { status: 503, body: {} }, { status: 204 }]);
    const worker = start();
    const ids = (await api.until('/claim', 4)).map((call) => call.body.request_id);
    expect(ids[1]).to.equal(ids[0]);
    expect(ids[2]).to.equal(ids[0]);
    expect(ids[3]).to.not.equal(ids[0]);
    await worker.release();
  });

  it('repeats a report until it is answered', async () => {
    api.script.set('claim', [task()]);
    api.script.set('complete', ['cut', { status: 503, body: {} }]);
    const worker = start();
    expect(await api.until('/complete', 3)).to.have.length(3);
    await worker.drain();
    expect(api.calls.filter((call) => call.path.endsWith('/complete'))).to.have.length(3);
  });

  it('reports a failure where the result is refused', async () => {
    api.script.set('claim', [task()]);
    api.script.set('complete', [problem(422, 'unstorable_json')]);
    const worker = start();
    const [failed] = await api.until('/fail');
    expect(String(failed?.body.error)).to.match(/the result was not taken/);
    await worker.drain();
  });

  it('stops what it is told to, and says nothing about it', async () => {
    api.script.set('claim', [task()]);
    let stopped = false;
    const worker = start({}, (context) => {
      api.script.set('heartbeat', [{ status: 200, body: session(1, { cancel: [{ task_id: TASK_ID, attempt: 2, reason: 'cancelled' }] }) }]);
      return untilStopped(context).finally(() => (stopped = true));
    });
    await api.until('/claim', 2);
    expect(stopped).to.equal(true);
    await worker.drain();
    expect(api.calls.some((call) => /\/(complete|fail|release)$/.test(call.path))).to.equal(false);
  });

  it('hands back what runs when it is released', async () => {
    api.script.set('claim', [task()]);
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const worker = start({}, (context) => {
      begun();
      return untilStopped(context);
    });
    await running;
    await worker.release();
    const [released] = await api.until('/release');
    expect(released?.attempt).to.equal('2');
    expect(api.calls.at(-1)?.path).to.match(/^DELETE/);
  });

  it('hands back what a drain does not finish in time', async () => {
    api.script.set('claim', [task()]);
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const worker = start({ drainMs: 10 }, (context) => {
      begun();
      return untilStopped(context);
    });
    await running;
    await worker.drain();
    expect(await api.until('/release')).to.have.length(1);
    expect(await worker.stopped).to.equal('left');
  });

  it('registers anew when its session has ended, and stops what ran without a word', async () => {
    api.script.set('claim', [task()]);
    const worker = start({}, (context) => {
      api.script.set('heartbeat', [problem(409, 'session_ended')]);
      return untilStopped(context);
    });
    const registrations = await api.until('/register', 2);
    expect(registrations.map((call) => call.body.worker_id)).to.deep.equal([undefined, undefined]);
    expect((await api.until('/claim', 2))[1]?.session).to.equal('session-2');
    await worker.drain();
    expect(api.calls.some((call) => /\/(complete|fail|release)$/.test(call.path))).to.equal(false);
  });

  it('stops where somebody else has taken its fixed id, and takes another where the id was assigned', async () => {
    api.script.set('heartbeat', [problem(409, 'session_superseded')]);
    expect(await start({ workerId: 'worker-001-kind' }).stopped).to.equal('superseded');
    api.script.set('heartbeat', [problem(409, 'session_superseded')]);
    const worker = start({ preferredWorkerId: 'worker-001-kind' });
    const registrations = await api.until('/register', 3);
    expect(registrations.slice(1).map((call) => call.body.worker_id)).to.deep.equal(['worker-001-kind', undefined]);
    await worker.drain();
  });

  it('waits for an API that is away', async () => {
    api.script.set('register', ['cut', { status: 503, body: {} }]);
    const worker = start();
    await worker.registered;
    expect(worker.id).to.equal('worker-001-kind');
    await worker.drain();
  });
});
