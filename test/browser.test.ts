/**
 * What a page of another origin can do to an API without authentication, tried with a real browser: nothing. It sends every method, with
 * and without CORS, as a form, a script and an image; it must read no answer and change nothing. Skipped where Chromium is missing.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createEmptyDatabase, type TestDatabase } from '../packages/api/test/support/database.js';
import { logged, Processes } from './support/processes.js';

const run = promisify(execFile);
const CHROMIUM = (process.env['PATH'] ?? '').split(':')
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** What the page does to the API at `api`; what it could read is in the element #found, as JSON. */
const attack = (api: string, taskId: string, workerId: string): string => `<!doctype html><pre id="found"></pre><script>
  const calls = [
    ['GET', '/api/v1/tasks'], ['HEAD', '/api/v1/tasks'], ['GET', '/health'], ['GET', '/metrics'], ['GET', '/api/v1/tasks/export'],
    ['POST', '/api/v1/tasks', 'application/json'], ['POST', '/api/v1/tasks', 'text/plain'], ['POST', '/api/v1/tasks', 'application/x-www-form-urlencoded'],
    ['POST', '/api/v1/queue/pause'], ['POST', '/api/v1/workers/internal/scale?num_workers=3'], ['POST', '/api/v1/workers/internal/start'],
    ['POST', '/api/v1/tasks/${taskId}/cancel'], ['PATCH', '/api/v1/tasks/${taskId}', 'application/json'], ['DELETE', '/api/v1/workers/${workerId}'],
    ['PUT', '/api/v1/tasks'], ['OPTIONS', '/api/v1/tasks'],
  ];
  const body = JSON.stringify({ problem_id: 'stolen', priority: 9 });
  const found = { own: null, read: [] };
  const atMost = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 3000))]);
  async function attempt(mode, [method, path, type]) {
    try {
      const answer = await fetch('${api}' + path, {
        method, mode, ...(type === undefined ? {} : { body, headers: { 'content-type': type } }),
      });
      if (answer.type !== 'opaque') found.read.push([mode, method, path, answer.status]);
    } catch {}
  }
  (async () => {
    found.own = (await fetch('/own')).status;
    for (const call of calls) for (const mode of ['cors', 'no-cors']) await atMost(attempt(mode, call));
    for (const name of ['script', 'img', 'iframe']) {
      const element = document.createElement(name);
      element.src = '${api}/api/v1/tasks';
      const over = new Promise((resolve) => { element.onload = () => resolve('load'); element.onerror = () => resolve('error'); });
      document.body.append(element);
      await atMost(over);
    }
    const form = Object.assign(document.createElement('form'), { method: 'post', action: '${api}/api/v1/queue/pause', target: 'hidden' });
    const frame = Object.assign(document.createElement('iframe'), { name: 'hidden' });
    document.body.append(frame, form);
    const sent = new Promise((resolve) => { frame.onload = resolve; });
    form.submit();
    await atMost(sent);
    document.getElementById('found').textContent = JSON.stringify(found);
  })();
</script>`;

describe('a page of another origin', function () {
  this.timeout(120_000);
  const processes = new Processes();
  let folder: string;
  let database: TestDatabase;
  let api: string;
  let site: Server;
  let page = '';

  before(async function () {
    if (CHROMIUM === undefined) {
      console.log('      Chromium is not installed (in Debian: the package chromium). Skipped.');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'task-executor-browser-'));
    database = await createEmptyDatabase();
    const child = processes.start(fileURLToPath(new URL('../packages/api', import.meta.url)), ['serve'], {
      DATABASE_URL: database.url, DATA_DIR: folder, PORT: '0', NUM_INTERNAL_WORKERS: '0',
    });
    api = await logged(child, 'listening', 'url');
    site = createServer((request, response) => response.setHeader('content-type', 'text/html').end(request.url === '/' ? page : '')).listen(0, '127.0.0.1');
    await once(site, 'listening');
  });
  after(async () => {
    if (CHROMIUM === undefined) return;
    site.closeAllConnections();
    site.close();
    await processes.killAll();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The document at `url` when everything on it is over. */
  async function shown(url: string): Promise<string> {
    const { stdout } = await run(CHROMIUM ?? '', [
      '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage', `--user-data-dir=${join(folder, 'profile')}`,
      '--host-resolver-rules=MAP elsewhere.test 127.0.0.1', '--virtual-time-budget=300000', '--dump-dom', url,
    ], { timeout: 60_000, env: { PATH: process.env['PATH'], HOME: folder } });
    return stdout;
  }

  const call = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${api}/api/v1${path}`, { method, ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) });
    return (await answer.json()) as Record<string, unknown>;
  };

  /** How many requests the API has refused so far. */
  const refused = async (): Promise<number> => {
    const metrics = await (await fetch(`${api}/metrics`)).text();
    return [...metrics.matchAll(/^task_executor_http_request_duration_seconds_count\{[^}]*status="403"[^}]*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  // The same site on another port, and another site.
  for (const host of ['127.0.0.1', 'elsewhere.test']) {
    it(`reads nothing and changes nothing, from ${host}`, async () => {
      const task = await call('POST', '/tasks', { problem_id: 'mine', parameters: {} });
      const worker = await call('POST', '/workers/register', { backend_type: 'kind', capabilities: { max_parallel_tasks: 1, supported_problems: ['none'] } });
      const before = await call('GET', '/tasks?page_size=100');
      const refusedBefore = await refused();
      page = attack(api, String(task['id']), String(worker['id']));
      const dom = await shown(`http://${host}:${(site.address() as AddressInfo).port}/`);
      const found = JSON.parse(/<pre id="found">(.*?)<\/pre>/.exec(dom)?.[1] ?? 'null') as { own: number; read: unknown[] } | null;
      // It was a page that could call, and did all that it wanted to.
      expect(found?.own).to.equal(200);
      expect(found?.read).to.deep.equal([]);
      // The browser itself holds back what a preflight would have to allow; the others came, and were refused.
      expect((await refused()) - refusedBefore).to.be.at.least(20);
      expect(await call('GET', '/tasks?page_size=100')).to.deep.equal(before);
      expect(await call('GET', '/queue/pauses')).to.deep.include({ pauses: [] });
      expect(await call('GET', `/workers/${String(worker['id'])}`)).to.include({ status: 'idle' });
      expect(await call('GET', '/workers/internal/status')).to.include({ num_workers: 0 });
    });
  }

  it('cannot make the API believe that it is its own, by a name of its choice', async () => {
    const dom = await shown(`http://elsewhere.test:${new URL(api).port}/api/v1/tasks`);
    expect(dom).to.include('host_not_allowed');
  });
});
