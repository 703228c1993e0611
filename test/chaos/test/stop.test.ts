/** A run that is broken off leaves nothing behind: no process, no mount, no file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('a run of chaos', function () {
  this.timeout(180_000);
  let scratch: string;
  let child: ChildProcess | null = null;
  before(async function () {
    if (process.platform !== 'linux') this.skip();
    scratch = await mkdtemp(join(tmpdir(), 'task-executor-stopped-'));
    // PostgreSQL runs as another user when root starts it.
    await chmod(scratch, 0o711);
  });
  after(async () => {
    if (child !== null && child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await rm(scratch, { recursive: true, force: true });
  });

  /** Processes that work in `scratch`, or were started with something of it. */
  async function processes(): Promise<string[]> {
    const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(all.map(async (pid) => {
      const [environment, cwd] = await Promise.all([readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''), readlink(`/proc/${pid}/cwd`).catch(() => '')]);
      return Number(pid) !== process.pid && pid !== String(child?.pid) && (environment.includes(scratch) || cwd.startsWith(scratch)) ? [pid] : [];
    }));
    return found.flat();
  }

  it('ends everything on Ctrl-C', async () => {
    const running = spawn(process.execPath, ['--import', 'tsx', 'test/chaos/main.ts', '--seconds', '600', '--seed', '1'], {
      cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: scratch },
    });
    child = running;
    const said: string[] = [];
    for (const stream of [running.stdout, running.stderr]) stream.on('data', (bytes) => said.push(String(bytes)));
    while (!said.join('').includes('faults in') && running.exitCode === null) await sleep(50);
    expect(await processes()).to.not.be.empty;
    running.kill('SIGINT');
    await once(running, 'close');
    expect(running.exitCode, said.join('')).to.equal(130);
    // tsx keeps what it has compiled.
    expect((await readdir(scratch)).filter((name) => !name.startsWith('tsx-')), said.join('')).to.deep.equal([]);
    expect(await readFile('/proc/mounts', 'utf8')).to.not.include(scratch);
    // What a worker that was killed had started ends a moment later.
    while ((await processes()).length > 0) await sleep(50);
  });
});
