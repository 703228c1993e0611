/** Whose folders are taken over, and whose are left alone. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMark } from '@task-executor/shared';
import { expect } from 'chai';
import { scratchHome } from '../src/executors/scratch.js';
import { isAbandoned, own } from '../src/spool/owner.js';
import { Spool } from '../src/spool/spool.js';
import { SILENT } from './fixtures/scripted-worker.js';

const HOLDER = new URL('./fixtures/spool-holder.ts', import.meta.url).pathname;
const APART = ['--user', '--map-current-user', '--pid', '--fork', '--mount-proc', '--kill-child'];

describe('owners of folders', function () {
  this.timeout(30_000);
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'owner-test-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  async function owned(change: Record<string, unknown>): Promise<void> {
    (await own(folder))();
    const path = join(folder, 'owner.json');
    await writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), ...change }));
  }
  const age = () => utimes(join(folder, 'owner.json'), new Date(0), new Date(0));

  it('that live keep it, however long ago they touched it', async () => {
    // Null: of a system that did not say when a process started.
    for (const change of [{}, { started: null }]) {
      await owned(change);
      await age();
      expect(await isAbandoned(folder)).to.equal(false);
    }
  });

  it('that are gone leave it at once: no such process, or a later one of the same pid', async () => {
    for (const change of [{ pid: 2 ** 22 + 1 }, { pid: 2 ** 22 + 1, started: null }, { started: 'earlier' }]) {
      await owned(change);
      expect(await isAbandoned(folder)).to.equal(true);
    }
  });

  it('that are zombies leave it at once', async function () {
    if (process.platform !== 'linux') this.skip();
    // A parent that never asks how its child has ended.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString('utf8'));
    await owned({ pid, started: await startMark(pid) });
    expect(await isAbandoned(folder)).to.equal(false);
    process.kill(pid, 'SIGKILL');
    while (!(await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z ')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await isAbandoned(folder)).to.equal(true);
  });

  for (const [where, change] of [
    ['on another host', { host: 'elsewhere' }],
    ['in another PID namespace', { pidNamespace: 'pid:[1]' }],
    ['of a namespace that it does not name', { pidNamespace: undefined }],
  ] as const) {
    it(`${where} leave it when they have not touched it for a while`, async () => {
      await owned({ ...change, pid: 2 ** 22 + 1 });
      expect(await isAbandoned(folder)).to.equal(false);
      await age();
      expect(await isAbandoned(folder)).to.equal(true);
    });
  }

  it('that live in another PID namespace of this host keep their spool and their scratch folder', async function () {
    try {
      execFileSync('unshare', [...APART, 'true'], { stdio: 'ignore' });
    } catch {
      this.skip();
    }
    const child = spawn('unshare', [...APART, process.execPath, '--import', 'tsx', HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const theirs = JSON.parse(line.toString('utf8')) as string[];
    const spool = await Spool.open({ root: join(folder, 'spool'), apiUrl: 'http://127.0.0.1:1', maxBytes: 1024 * 1024, gatherMs: 0, log: SILENT });
    expect(await spool.leftovers()).to.be.empty;
    await spool.close();
    // What is swept beside it shows that the sweep is over with both.
    const gone = await mkdtemp(join(folder, 'task-executor-scratch-'));
    await utimes(gone, new Date(0), new Date(0));
    await scratchHome(folder);
    while ((await readdir(folder)).includes(gone.slice(folder.length + 1))) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const path of theirs) expect(await readdir(path)).to.include('owner.json');
  });
});
