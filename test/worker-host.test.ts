/** `npm run worker`: what somebody with a clone and a catalog of his own types on a host of workers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createEmptyDatabase, type TestDatabase } from '../packages/api/test/support/database.js';
import { descendantsOf, isAlive } from './support/process-tree.js';
import { logged, Processes, terminate } from './support/processes.js';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('npm run worker', function () {
  this.timeout(120_000);
  let folder: string;
  let database: TestDatabase;
  let started: number[] = [];
  const processes = new Processes();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-host-'));
    database = await createEmptyDatabase();
  });
  after(async () => {
    for (const pid of started.filter(isAlive)) process.kill(pid, 'SIGKILL');
    await processes.killAll();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('runs a worker with the options and the catalog of where it was typed', async () => {
    const api = processes.start(join(root, 'packages/api'), ['serve'], { DATABASE_URL: database.url, DATA_DIR: join(folder, 'data'), PORT: '0', NUM_INTERNAL_WORKERS: '0' });
    const url = await logged(api, 'listening', 'url');
    await writeFile(join(folder, 'mine.yaml'), 'problems:\n  - match: mine\n    command: [node, -p, "process.env.TASK_ID.length"]\n');
    const created = await fetch(`${url}/api/v1/tasks`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ problem_id: 'mine', parameters: {} }),
    });
    const { id } = (await created.json()) as { id: string };

    const npm = spawn('npm', ['--prefix', root, 'run', 'worker', '--', '--api-url', url, '--catalog', 'mine.yaml', '--once'], {
      cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SPOOL_DIR: join(folder, 'spool'), INIT_CWD: undefined },
    });
    npm.stdout.once('data', () => {
      started = descendantsOf(npm.pid ?? 0);
    }).resume();
    expect(await once(npm, 'exit')).to.deep.equal([0, null]);
    const task = (await (await fetch(`${url}/api/v1/tasks/${id}`)).json()) as { status: string };
    expect(task.status).to.equal('completed');
    expect(await terminate(api)).to.equal(0);
  });
});
