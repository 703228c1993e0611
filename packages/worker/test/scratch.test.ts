import { chmod, mkdir, mkdtemp, readdir, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { scratchHome } from '../src/executors/scratch.js';
import { removeFolder } from '../src/executors/removal.js';
import { openWorkspace } from '../src/executors/workspace.js';
import { TASK } from './fixtures/executions.js';
import { unprivileged } from './fixtures/unprivileged.js';

describe('scratch folders', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'scratch-test-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  async function foreign(name: string, owner: Record<string, unknown> | null): Promise<string> {
    const path = join(root, name);
    await mkdir(join(path, 'left'), { recursive: true });
    if (owner !== null) await writeFile(join(path, 'owner.json'), JSON.stringify(owner));
    return name;
  }

  it('of processes that are gone are removed; those of the living, and folders of others, stay', async () => {
    const dead = { host: hostname(), pidNamespace: await readlink('/proc/self/ns/pid').catch(() => null), pid: 2 ** 22 + 1, started: null };
    const gone = await foreign('task-executor-scratch-gone', dead);
    const half = await foreign('task-executor-scratch-half', null);
    await utimes(join(root, half), new Date(0), new Date(0));
    const other = await foreign('task-executor-scratch-other-host', { host: 'elsewhere', pid: 1, started: null });
    const unrelated = await foreign('unrelated', dead);
    const locked = join(root, gone, 'left');
    await writeFile(join(locked, 'file'), '');
    await chmod(locked, 0o500);
    const home = await unprivileged([root, join(root, gone), join(root, half), join(root, half, 'left'), locked], async () => {
      const made = await scratchHome(root);
      for (let names = await readdir(root); names.includes(gone) || names.includes(half); names = await readdir(root)) await new Promise((resolve) => setTimeout(resolve, 5));
      return made;
    });
    expect(await readdir(root)).to.have.members([other, unrelated, home.slice(root.length + 1)]);
  });

  it('are this process\'s own, of all its tasks, and made again where somebody removed them', async () => {
    const homes = await Promise.all([scratchHome(root), scratchHome(root)]);
    expect(homes[0]).to.equal(homes[1]);
    const [one, two] = await Promise.all([openWorkspace(TASK, root), openWorkspace(TASK, root)]);
    expect(one.folder).to.not.equal(two.folder);
    for (const { folder } of [one, two]) expect(folder.startsWith(homes[0])).to.equal(true);
    expect(await removeFolder(one.folder)).to.equal(null);
    await rm(homes[0], { recursive: true });
    const again = await openWorkspace(TASK, root);
    expect(again.folder.startsWith(homes[0])).to.equal(false);
  });
});
