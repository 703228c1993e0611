/** Workers as processes of their own, killed, signalled and configured for real, against the scripted API. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { problem } from '../src/conformance/model.js';
import { ScriptedApi } from '../src/conformance/scripted-api.js';

interface LogLine { event?: string; port?: number }

describe('worker processes', function () {
  this.timeout(60_000);
  let api: ScriptedApi;
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    api = new ScriptedApi();
    api.model.intervalSeconds = 0.3;
    await api.start();
    folder = await mkdtemp(join(tmpdir(), 'worker-process-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await api.stop();
    await rm(folder, { recursive: true });
  });

  function start(args: string[] = [], environment: Record<string, string> = {}) {
    const main = new URL('../src/main.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'start', ...args], {
      env: { PATH: process.env.PATH, HOME: folder, API_URL: api.url, SPOOL_DIR: join(folder, 'spool'), ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const log: LogLine[] = [];
    let [text, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      log.push(...lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine));
      api.look();
    });
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    return {
      child, errors: () => errors,
      /** Resolves with the line of the log that has this event for the first time, or the `count`th. */
      said: (event: string, count = 1) => api.until(() => log.filter((line) => line.event === event)[count - 1]),
      exit: async (): Promise<number | null> => {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
        return child.exitCode;
      },
    };
  }

  /** What is in the spools: log batches and reports, of which a file may hold several. */
  async function spooled(): Promise<unknown[]> {
    const root = join(folder, 'spool');
    const names = (await readdir(root, { recursive: true }).catch(() => [])).filter((name) => /\.[0-9]+\.json$|report\.json$|reports\..*\.json$/.test(name));
    const texts = await Promise.all(names.map((name) => readFile(join(root, name), 'utf8').catch(() => '[]')));
    return texts.flatMap((text) => [JSON.parse(text) as unknown].flat());
  }
  async function untilSpooled(count: number): Promise<void> {
    while ((await spooled()).length < count) await new Promise((resolve) => setImmediate(resolve));
  }

  it('delivers after kill -9 and a restart what it had finished, under its old session, before it registers', async () => {
    const tasks = [api.give({ parameters: { duration_seconds: 0, max_steps: 3 } }), api.give({ parameters: { duration_seconds: 0, max_steps: 1, fail: true } })];
    for (const operation of ['report', 'logs'] as const) api.always(operation, 'cut');
    const first = start(['--concurrency', '2']);
    await untilSpooled(4);
    first.child.kill('SIGKILL');
    await first.exit();
    const [session] = [...api.model.sessions.values()].map((one) => one.session);
    await api.stop();
    const second = start(['--concurrency', '2']);
    await second.said('leftover');
    for (const operation of ['report', 'logs'] as const) api.always(operation, 'usual');
    const before = api.calls.length;
    await api.start();
    await api.untilCalls('register', 2);
    const [completed, failed] = tasks.map(({ id }) => api.model.ended.get(`${id}/1`));
    expect(completed).to.deep.include({ verb: 'complete', lines: ['step 1 of 3', 'step 2 of 3', 'step 3 of 3'] });
    expect(failed).to.deep.include({ verb: 'fail', lines: ['step 1 of 1'] });
    const later = api.calls.slice(before);
    expect(new Set(later.filter((call) => ['report', 'logs'].includes(call.operation)).map((call) => call.session))).to.deep.equal(new Set([session]));
    expect(await spooled()).to.be.empty;
    second.child.kill('SIGTERM');
    expect(await second.exit()).to.equal(0);
  });

  it('keeps a report for the next start where the API is away when it leaves', async () => {
    api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
    api.always('logs', 'cut');
    const first = start();
    await untilSpooled(2);
    await api.stop();
    first.child.kill('SIGTERM');
    await first.said('draining');
    first.child.kill('SIGINT');
    await first.said('reports_left');
    expect(await first.exit()).to.equal(0);
    api.always('logs', 'usual');
    await api.start();
    start(['--once']);
    await api.until(() => api.model.ended.size === 1);
  });

  it('sends heartbeats while its main thread is blocked, and ends the process when the session is over', async () => {
    const main = new URL('./fixtures/blocked-worker.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--import', 'tsx', main], { env: { ...process.env, API_URL: api.url }, stdio: 'ignore' });
    children.push(child);
    const task = api.give();
    await api.until(() => api.model.running.length === 1);
    // Not named: the thread that names it is blocked before it can.
    const heartbeats = api.of('heartbeat').length;
    await api.untilCalls('heartbeat', heartbeats + 8);
    expect(api.of('complete', 'fail', 'release')).to.be.empty;
    api.script('heartbeat', problem('session_ended'));
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).to.equal('SIGKILL');
    expect(task.attempt).to.equal(1);
  });

  it('runs one task and leaves', async () => {
    for (let n = 0; n < 2; n++) api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
    expect(await start(['--once', '--concurrency', '5']).exit()).to.equal(0);
    expect(api.of('register')[0]?.body).to.deep.include({ capabilities: { max_parallel_tasks: 1, supported_problems: ['test-*'] } });
    expect(api.model.ended.size).to.equal(1);
    expect(api.model.pending).to.have.length(1);
  });

  it('runs the last task to its end, however long it may take after a signal', async () => {
    const task = api.give({ parameters: { duration_seconds: 1, max_steps: 1 } });
    expect(await start(['--once', '--drain-seconds', '0.1']).exit()).to.equal(0);
    expect([...api.model.ended].map(([key, { verb }]) => [key, verb])).to.deep.equal([[`${task.id}/1`, 'complete']]);
  });

  it('hands back at the end of a drain what does not finish', async () => {
    const task = api.give({ parameters: { duration_seconds: 600 } });
    const worker = start(['--drain-seconds', '0.2']);
    await worker.said('attempt_started');
    worker.child.kill('SIGTERM');
    expect(await worker.exit()).to.equal(0);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('release');
  });

  it('takes the same signal twice at once for one, as npm and a terminal send it', async () => {
    const task = api.give({ parameters: { duration_seconds: 1, max_steps: 1 } });
    const worker = start();
    await worker.said('attempt_started');
    worker.child.kill('SIGINT');
    worker.child.kill('SIGINT');
    expect(await worker.exit()).to.equal(0);
    expect(api.model.ended.get(`${task.id}/1`)?.verb).to.equal('complete');
  });

  it('hands back at the second signal what writes more than can be kept while the API is away', async () => {
    const catalog = join(folder, 'catalog.yaml');
    await writeFile(catalog, `problems:\n  - {match: test-*, command: [sh, -c, 'yes ${'x'.repeat(1_000)}']}\n`);
    const task = api.give();
    const started = ['--catalog', catalog, '--spool-max-mb', '1'];
    const worker = start(started);
    await api.untilCalls('logs');
    await api.stop();
    const spool = join(folder, 'spool');
    const kept = async (): Promise<number> => {
      const names = await readdir(spool, { recursive: true });
      return (await Promise.all(names.map((name) => stat(join(spool, name)).then(({ size }) => size, () => 0)))).reduce((sum, size) => sum + size, 0);
    };
    while (await kept() < 500_000) await new Promise((resolve) => setTimeout(resolve, 50));
    worker.child.kill('SIGTERM');
    await worker.said('draining');
    worker.child.kill('SIGINT');
    expect(await worker.exit()).to.equal(0);
    await api.start();
    start(started);
    expect((await api.until(() => api.model.ended.get(`${task.id}/1`))).verb).to.equal('release');
  });

  it('reads its catalog again at SIGHUP, and keeps the old one where the new has a mistake', async () => {
    const catalog = join(folder, 'catalog.yaml');
    const entry = (command: string): string => `problems:\n  - match: test-*\n    command: ${command}\n`;
    await writeFile(catalog, entry('[sh, -c, exit 3]'));
    const worker = start(['--catalog', catalog]);
    const endOf = async (): Promise<unknown> => {
      const { id } = api.give();
      return (await api.until(() => api.model.ended.get(`${id}/1`))).body.error;
    };
    expect(await endOf()).to.match(/code 3/);
    await writeFile(catalog, entry('[]'));
    worker.child.kill('SIGHUP');
    await worker.said('catalog_refused');
    expect(await endOf()).to.match(/code 3/);
    await writeFile(catalog, entry('[sh, -c, exit 4]'));
    worker.child.kill('SIGHUP');
    await worker.said('catalog_reloaded');
    expect(await endOf()).to.match(/code 4/);
  });

  it('reads its catalog again for each SIGHUP in turn, also for one that comes while it starts', async () => {
    const catalog = join(folder, 'catalog.yaml');
    const asked: ServerResponse[] = [];
    const service = createServer((_request, response) => {
      asked.push(response);
      api.look();
    }).listen(0, '127.0.0.1').unref();
    try {
      await once(service, 'listening');
      const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
      const entry = (code: number): string => `  - {match: test-*, command: [sh, -c, exit ${code}]}\n`;
      const slow = `problems:\n  - {match: slow, http: {url: "${url}", health_url: "${url}"}, optional: true}\n`;
      const fails = async (words: RegExp): Promise<void> => {
        const { id } = api.give();
        expect((await api.until(() => api.model.ended.get(`${id}/1`))).body.error).to.match(words);
      };
      const answer = async (count: number): Promise<void> => {
        (await api.until(() => asked[count - 1])).writeHead(503).end();
      };
      await writeFile(catalog, slow + entry(3));
      const worker = start(['--catalog', catalog]);
      await api.until(() => asked[0]);
      await writeFile(catalog, `problems:\n${entry(4)}`);
      worker.child.kill('SIGHUP');
      await answer(1);
      await worker.said('catalog_reloaded');
      await fails(/code 4/);

      await writeFile(catalog, slow + entry(5));
      worker.child.kill('SIGHUP');
      await api.until(() => asked[1]);
      await writeFile(catalog, `problems:\n${entry(6)}`);
      worker.child.kill('SIGHUP');
      await fails(/code [46]/);
      await answer(2);
      await worker.said('catalog_reloaded', 3);
      await fails(/code 6/);
    } finally {
      service.closeAllConnections();
      service.close();
    }
  });

  it('keeps its catalog whole where the new one has nothing, or too much, of what it may claim', async () => {
    const catalog = join(folder, 'catalog.yaml');
    const entries = (...globs: string[]): string => `problems:\n${globs.map((glob) => `  - match: ${glob}\n    simulated: true\n`).join('')}`;
    await writeFile(catalog, entries('test-*', 'other-*'));
    const worker = start(['--catalog', catalog, '--problems', 'test-*']);
    await api.untilCalls('claim');
    const completes = async (): Promise<void> => {
      const { id } = api.give({ parameters: { duration_seconds: 0, max_steps: 1 } });
      expect((await api.until(() => api.model.ended.get(`${id}/1`))).verb).to.equal('complete');
    };
    for (const [index, wrong] of [entries('other-*'), entries(...Array.from({ length: 60 }, (_, n) => `[test-a${n}, test-b${n}]`))].entries()) {
      await writeFile(catalog, wrong);
      worker.child.kill('SIGHUP');
      await worker.said('catalog_refused', index + 1);
      await completes();
    }
  });

  it('claims at once what a catalog that it reads again adds, while what runs goes on in its session', async () => {
    const catalog = join(folder, 'catalog.yaml');
    const entry = (match: string): string => `problems:\n  - match: ${match}\n    simulated: true\n`;
    await writeFile(catalog, entry('test-*'));
    // The second goes by what was there when it came.
    api.script('claim-batch', 'usual', 'hang');
    const worker = start(['--catalog', catalog, '--concurrency', '2']);
    const running = api.give({ parameters: { duration_seconds: 600 } });
    await worker.said('attempt_started');
    const fresh = api.give({ problem_id: 'new-1', parameters: { duration_seconds: 0, max_steps: 1 } });
    const [hanging] = await api.untilCalls('claim-batch', 2).then((calls) => calls.slice(1));
    await writeFile(catalog, entry('[test-*, new-*]'));
    worker.child.kill('SIGHUP');
    await api.until(() => api.model.ended.get(`${fresh.id}/1`)?.verb === 'complete');
    expect(api.of('register')).to.have.length(1);
    expect(api.model.running.map(({ task }) => task.id)).to.deep.equal([running.id]);
    expect(api.of('claim-batch')[2]?.body.request_id).to.equal(hanging?.body.request_id);
  });

  for (const [args, problems] of [[[], ['test-*']], [['--problems', 'test-a*'], ['test-a*']]] as const) {
    it(`claims at SIGHUP what it did before where it has no catalog file (${args.join(' ') || 'without --problems'})`, async () => {
      const worker = start([...args]);
      await api.untilCalls('claim');
      worker.child.kill('SIGHUP');
      await worker.said('catalog_reloaded');
      const [told] = await api.until(() => {
        const calls = api.of('heartbeat').filter(({ body }) => body.capabilities !== undefined);
        return calls.length > 0 && calls;
      });
      expect(told?.body.capabilities).to.deep.equal({ max_parallel_tasks: 1, supported_problems: problems });
    });
  }

  it('goes on without its log where nobody reads it any more', async () => {
    const worker = start();
    await worker.said('registered');
    worker.child.stdout?.destroy();
    const tasks = Array.from({ length: 3 }, () => api.give({ parameters: { duration_seconds: 0, max_steps: 1 } }));
    await api.until(() => tasks.every(({ id }) => api.model.ended.has(`${id}/1`)));
    worker.child.kill('SIGTERM');
    expect(await worker.exit()).to.equal(0);
  });

  it('shows its health and its metrics', async () => {
    const fault = join(folder, 'fault');
    await writeFile(join(folder, 'catalog.yaml'), `health:\n  command: [sh, -c, 'test ! -e ${fault}']\nproblems:\n  - match: test-*\n    simulated: true\n`);
    await writeFile(join(folder, 'worker.yaml'), `api-url: ${api.url}\ncatalog: catalog.yaml\nport: 0\nconcurrency: 3\n`);
    const worker = start(['--config', join(folder, 'worker.yaml'), '--concurrency', '2']);
    const { port } = await worker.said('serving_status');
    await api.untilCalls('claim-batch');
    expect(api.of('register')[0]?.body).to.deep.include({ capabilities: { max_parallel_tasks: 2, supported_problems: ['test-*'] } });
    const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, init);
    const health = await get('/health');
    expect(health.status).to.equal(200);
    expect(await health.json()).to.deep.equal({ status: 'fit', reason: null, worker_id: 'worker-001-kind', running_tasks: 0, waiting_reports: 0 });
    const { id } = api.give({ parameters: { duration_seconds: 0 } });
    await api.until(() => api.model.ended.has(`${id}/1`));
    let metrics = '';
    while (!metrics.includes('attempts_total{outcome="completed"} 1')) metrics = await (await get('/metrics')).text();
    expect(metrics).to.match(/^task_executor_worker_fit 1$/m);
    for (const [, name, type] of metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)) expect(name!.endsWith('_total'), name).to.equal(type === 'counter');
    expect((await get('/metrics', { method: 'POST' })).status).to.equal(405);
    expect((await get('/else')).status).to.equal(404);
  });

  it('names every mistake in its configuration at once, and ends with 2', async () => {
    const file = join(folder, 'worker.yaml');
    await writeFile(file, 'concurrency: 0\nno-such-key: 1\nbackend-type: {a: 1}\nproblems: [a, "b c"]\nonce: maybe\nspool-max-mb: 0\n');
    const worker = start(['--config', file, '--port', '70000', '--id', 'me'], { MAX_IDLE_SECONDS: '-1' });
    expect(await worker.exit()).to.equal(2);
    for (const mistake of [/worker\.yaml:2: there is no setting "no-such-key"/, /worker\.yaml:3: backend-type must be a plain value/, /WORKER_CONCURRENCY \(--concurrency\)/,
      /WORKER_PROBLEMS \(--problems\) holds "b c"/, /WORKER_ONCE/, /SPOOL_MAX_MB/, /WORKER_PORT/, /WORKER_ID/, /MAX_IDLE_SECONDS/]) expect(worker.errors()).to.match(mistake);
    expect(api.calls).to.be.empty;
  });

  it('says which port or folder it cannot use', async () => {
    await writeFile(join(folder, 'file'), '');
    const blocked = start([], { SPOOL_DIR: join(folder, 'file') });
    expect(await blocked.exit()).to.equal(2);
    expect(blocked.errors()).to.match(/SPOOL_DIR \(--spool-dir\).*cannot be used/);
    const taken = start(['--port', new URL(api.url).port]);
    expect(await taken.exit()).to.equal(2);
    expect(taken.errors()).to.match(/WORKER_PORT \(--port\).*cannot be listened on/);
  });

  it('claims nothing that it has no executor for, and takes no option that it does not know', async () => {
    const wider = start(['--problems', 'test-*,other-*']);
    expect(await wider.exit()).to.equal(2);
    expect(wider.errors()).to.match(/WORKER_PROBLEMS \(--problems\) holds other-\*: the catalog has no executor/);
    const mistyped = start(['--no-such-option']);
    expect(await mistyped.exit()).to.equal(2);
    expect(mistyped.errors()).to.match(/unknown option '--no-such-option'/);
    expect(api.calls).to.be.empty;
  });
});
