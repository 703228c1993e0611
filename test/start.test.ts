/** `npm start` as what runs a service sees it: one process that is asked to end, and ends when everything has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createEmptyDatabase, type TestDatabase } from '../packages/api/test/support/database.js';
import { descendantsOf, isAlive } from './support/process-tree.js';

describe('npm start', function () {
  this.timeout(120_000);
  let folder: string;
  let database: TestDatabase;
  let started: number[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'task-executor-start-'));
    database = await createEmptyDatabase();
  });
  after(async () => {
    for (const pid of started.filter(isAlive)) process.kill(pid, 'SIGKILL');
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('says where the command line finds it, and ends in good order where npm alone gets the signal', async () => {
    const npm = spawn('npm', ['start'], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DATABASE_URL: database.url, DATA_DIR: folder, PORT: '0', NUM_INTERNAL_WORKERS: '1' },
    });
    const exited = once(npm, 'exit');
    const events: string[] = [];
    let url = '';
    let said = '';
    npm.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    // The output is open for as long as anything of it runs.
    for await (const line of createInterface({ input: npm.stdout })) {
      if (!line.startsWith('{')) continue;
      const { event, url: listened } = JSON.parse(line) as { event: string; url?: string };
      events.push(event);
      if (event !== 'listening') continue;
      url = listened ?? '';
      started = descendantsOf(npm.pid ?? 0);
      npm.kill('SIGTERM');
    }
    expect(await exited, said).to.deep.equal([0, null]);
    expect(said).to.contain(`export TASK_EXECUTOR_URL=${url}\n`);
    expect(events.at(-1)).to.equal('stopped');
  });
});
