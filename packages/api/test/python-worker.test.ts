/** The worker of examples/worker.py, in another language and by the protocol's page alone, at the real API. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { eventually, submitTask } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const PROGRAM = new URL('../../../examples/worker.py', import.meta.url).pathname;

describe('the worker in Python', () => {
  let api: TestApi;
  before(async function () {
    const { stdout } = await promisify(execFile)('python3', ['--version']).catch(() => ({ stdout: '' }));
    if (!stdout.startsWith('Python 3')) {
      process.stderr.write('python3 is missing: the worker in Python is not tried\n');
      this.skip();
    }
    api = await startTestApi({ HEARTBEAT_INTERVAL_SECONDS: '0.2' });
  });
  after(() => api?.stop());

  it('runs tasks, stops a cancelled one, and leaves in good order', async () => {
    const worker = spawn('python3', [PROGRAM], { env: { PATH: process.env.PATH, API_URL: api.url }, stdio: 'inherit' });
    const ended = once(worker, 'exit');
    try {
      const task = async (id: string) => (await api.call('GET', `/api/v1/tasks/${id}`)).body;
      const [good, bad, long, last] = [
        await submitTask(api, { parameters: { duration_seconds: 0, max_steps: 2 } }),
        await submitTask(api, { parameters: { duration_seconds: 0, fail: true, error: 'as asked' } }),
        await submitTask(api, { parameters: { duration_seconds: 600 } }),
        await submitTask(api, { parameters: { duration_seconds: 0 } }),
      ];
      await eventually(async () => (await task(long)).status === 'running');
      expect(await task(good)).to.deep.include({ status: 'completed', result: { success: true } });
      expect(await task(bad)).to.deep.include({ status: 'failed', error_details: 'as asked' });
      const { logs } = (await api.call('GET', `/api/v1/tasks/${good}/logs`)).body;
      expect(logs.map((line: { message: string }) => line.message)).to.deep.equal(['step 1', 'step 2']);
      await api.call('POST', `/api/v1/tasks/${long}/cancel`);
      await eventually(async () => (await task(last)).status === 'completed');
      expect(await task(long)).to.include({ status: 'cancelled' });
      worker.kill('SIGTERM');
      expect((await ended)[0]).to.equal(0);
      expect((await api.call('GET', '/api/v1/workers')).body.workers[0]).to.include({ status: 'offline', tasks_completed: 2, tasks_failed: 1 });
    } finally {
      worker.kill('SIGKILL');
    }
  });

  it('fails a task whose result the API refuses, and takes the next one', async () => {
    const source = await readFile(PROGRAM, 'utf8');
    const result = '{"success": True}';
    expect(source).to.contain(result);
    const folder = await mkdtemp(join(tmpdir(), 'python-worker-'));
    const program = join(folder, 'worker.py');
    await writeFile(program, source.replace(result, '{"text": chr(wanted.get("char", 97)) * wanted.get("times", 1), "number": float(wanted.get("number", 0))}'));
    const worker = spawn('python3', [program], { env: { PATH: process.env.PATH, API_URL: api.url }, stdio: ['ignore', 'inherit', 'ignore'] });
    try {
      const submit = (more: object): Promise<string> => submitTask(api, { retry: { max_attempts: 1 }, parameters: { duration_seconds: 0, max_steps: 1, ...more } });
      const refused = [await submit({ times: 2_000_000 }), await submit({ char: 0 }), await submit({ number: 'nan' })];
      const next = await submit({});
      const task = async (id: string) => (await api.call('GET', `/api/v1/tasks/${id}`)).body;
      await eventually(async () => (await task(next)).status === 'completed');
      const ends = await Promise.all(refused.map(async (id) => {
        const { status, error_details } = await task(id);
        return [status, error_details];
      }));
      expect(ends).to.deep.equal([['failed', 'body_too_large'], ['failed', 'unstorable_json'], ['failed', 'malformed_json']]);
    } finally {
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      await rm(folder, { recursive: true });
    }
  });
});
