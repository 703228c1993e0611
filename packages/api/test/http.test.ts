import { spawnSync } from 'node:child_process';
import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { Client } from 'undici';
import { eventually } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

/** A request with headers that fetch would not send. */
function raw(url: string, options: { method?: string; path: string; headers: Record<string, string> }): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const req = rawRequest({ hostname, port, ...options }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (body += chunk));
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, body });
      });
    });
    req.on('error', reject);
    req.end();
  });
}

describe('http', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api.stop());

  it('answers problems for unknown paths, methods and media types', async () => {
    expect((await api.call('GET', '/nowhere')).body.code).to.equal('path_not_found');
    expect((await api.call('GET', '/api/v1/tasks/%E0%A4%A')).body.code).to.equal('malformed_request');
    const wrong = await api.call('PUT', '/api/v1/tasks', {});
    expect(wrong.body.code).to.equal('method_not_allowed');
    expect((await api.call('POST', '/api/v1/tasks', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).body.code).to.equal('unsupported_media_type');
    expect((await api.call('POST', '/api/v1/tasks')).body.errors).to.deep.equal([{ path: '/body', message: 'must be given' }]);
    expect((await fetch(`${api.url}/health`, { method: 'HEAD' })).status).to.equal(200);
  });

  const bodies: [string, string, string][] = [
    ['not JSON', '{"problem_id": ', 'malformed_json'],
    ['a NUL in a string', '{"problem_id":"a","parameters":{"x":"\\u0000"}}', 'unstorable_json'],
    ['a NUL in a key', '{"problem_id":"a","parameters":{"\\u0000":1}}', 'unstorable_json'],
    ['a lone surrogate', '{"problem_id":"a","parameters":{"x":"\\ud800"}}', 'unstorable_json'],
    ['an integer that would be rounded', '{"problem_id":"a","parameters":{"x":9007199254740993}}', 'unstorable_json'],
    ['a number that is too large', '{"problem_id":"a","parameters":{"x":1e400}}', 'unstorable_json'],
    ['a __proto__ key', '{"problem_id":"a","parameters":{"__proto__":{"x":1}}}', 'unstorable_json'],
    ['6,000 levels', `{"problem_id":"a","parameters":{"x":${'['.repeat(6000)}${']'.repeat(6000)}}}`, 'unstorable_json'],
    ['more than a mebibyte', `{"problem_id":"a","parameters":{"x":"${'x'.repeat(1024 * 1024)}"}}`, 'body_too_large'],
    ['a list', '[]', 'validation_failed'],
  ];
  for (const [name, body, code] of bodies) {
    it(`refuses ${name}`, async () => {
      expect((await api.call('POST', '/api/v1/tasks', body)).body.code).to.equal(code);
    });
  }

  it('answers to allowed hosts and origins only', async () => {
    const { host } = new URL(api.url);
    expect((await raw(api.url, { path: '/health', headers: { host: 'evil.example' } })).status).to.equal(403);
    expect((await raw(api.url, { path: '/health', headers: { host: 'localhost:1' } })).status).to.equal(200);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const foreign = await raw(api.url, { method, path: '/api/v1/tasks', headers: { host, origin: 'http://evil.example' } });
      expect(foreign.status).to.equal(403);
      expect((JSON.parse(foreign.body) as { code: string }).code).to.equal('origin_not_allowed');
      expect((await raw(api.url, { method, path: '/api/v1/tasks', headers: { host, 'sec-fetch-site': 'cross-site' } })).status).to.equal(403);
    }
    expect((await raw(api.url, { path: '/health', headers: { host, origin: `http://${host}` } })).status).to.equal(200);
  });

  it('serves its contract, its pages and its metrics', async () => {
    expect((await api.call('GET', '/')).body).to.include({ name: 'task-executor', docs: '/docs', health: '/health' });
    expect((await api.call('GET', '/openapi.json')).body.openapi).to.equal('3.1.0');
    expect((await api.call('GET', '/openapi.yaml')).body).to.match(/^openapi: 3.1.0/);
    for (const page of ['/docs', '/redoc']) {
      const html = (await api.call('GET', page)).body as string;
      const scripts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
      expect(scripts.length).to.be.greaterThan(1);
      for (const script of scripts) expect((await fetch(`${api.url}${script}`)).status, script).to.equal(200);
    }
    const metrics = await api.call('GET', '/metrics');
    for (const name of ['task_executor_queue_tasks', 'task_executor_workers', 'task_executor_http_request_duration_seconds', 'task_executor_sql_duration_seconds', 'nodejs_eventloop_lag_seconds']) {
      expect(metrics.body).to.include(name);
    }
  });

  it('has metrics that promtool accepts', async function () {
    const { body } = await api.call('GET', '/metrics');
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: body as string, encoding: 'utf8' });
    if (checked.error !== undefined) {
      console.log('      promtool is not installed (Debian: prometheus): not checked');
      this.skip();
    }
    expect(checked.stderr + checked.stdout).to.equal('');
    expect(checked.status).to.equal(0);
  });

  it('is degraded without workers, and ready', async () => {
    expect((await api.call('GET', '/health')).body).to.deep.include({ status: 'degraded', workers: { total: 0, idle: 0, busy: 0, offline: 0 } });
    expect((await api.call('GET', '/ready')).body).to.deep.equal({ ready: true, database: true, workers: true });
  });

  it('runs, scales and stops internal workers', async () => {
    const path = '/api/v1/workers/internal';
    expect((await api.call('POST', `${path}/scale`, { num_workers: 2 })).body).to.include({ previous_count: 0, new_count: 2 });
    const status = (await api.call('GET', `${path}/status`)).body;
    expect(status.workers.map((worker: { id: string }) => worker.id)).to.deep.equal(['worker-001-kind', 'worker-002-kind']);
    expect((await api.call('POST', `${path}/scale?num_workers=1`)).body).to.include({ previous_count: 2, new_count: 1 });
    for (const wrong of ['scale', 'scale?num_workers=51', 'scale?num_workers=x']) expect((await api.call('POST', `${path}/${wrong}`)).status, wrong).to.equal(422);
    expect((await api.call('POST', `${path}/scale?num_workers=1`, { num_workers: 2 })).status).to.equal(422);
    expect((await api.call('POST', `${path}/stop`)).body.stopped_count).to.equal(1);
    expect((await api.call('POST', `${path}/start`)).body.worker_count).to.equal(1);
    expect((await api.call('POST', `${path}/stop`)).body.stopped_count).to.equal(1);
    expect((await api.call('GET', `${path}/status`)).body).to.deep.equal({ running: false, num_workers: 0, workers: [] });
  });

  it('lets go of a caller that goes on over its connection while it stops', async () => {
    const replica = await api.replica();
    const { body: { id, last_heartbeat: registered } } = await api.call('POST', '/api/v1/workers/register', { backend_type: 'kind' });
    const connection = new Client(replica.url);
    const claim = () => connection.request({
      method: 'POST', path: `/api/v1/workers/${id}/claim`, headers: { 'content-type': 'application/json' }, body: '{"wait_seconds": 30}',
    });
    const seen: [number, unknown][] = [];
    const calling = (async () => {
      for (;;) {
        const { statusCode, headers, body } = await claim();
        await body.dump();
        seen.push([statusCode, headers.connection]);
      }
    })().catch(() => undefined);
    await eventually(async () => (await api.call('GET', `/api/v1/workers/${id}`)).body.last_heartbeat > registered);
    await replica.stop();
    await calling;
    await connection.destroy();
    expect(seen[0]?.[0]).to.equal(204);
    expect(seen.slice(1)).to.deep.equal(seen.length > 1 ? [[503, 'close']] : []);
  });

  it('survives sockets that send nonsense', async () => {
    const { hostname, port } = new URL(api.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end('NONSENSE\r\n\r\n'));
      socket.on('close', () => {
        resolve();
      });
      socket.resume();
    });
    expect((await api.call('GET', '/')).status).to.equal(200);
  });
});
