import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder } from '../src/index.js';

describe('makeFolder', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'make-folder-test-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const codeOf = (folder: string): Promise<unknown> =>
    makeFolder(folder).then(() => 'made', (error: unknown) => (error as NodeJS.ErrnoException).code);

  it('makes what is missing, with its mode, also where others make it in the same moment', async () => {
    const folder = join(root, 'a/b/c');
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(folder, 0o700)));
    for (const made of ['a', 'a/b', 'a/b/c']) expect((await stat(join(root, made))).mode & 0o777).to.equal(0o700);
    await symlink('a', join(root, 'link'));
    await makeFolder(join(root, 'link/x'));
    expect((await stat(join(root, 'a/x'))).isDirectory()).to.equal(true);
  });

  it('says why it cannot', async function () {
    await writeFile(join(root, 'file'), '');
    await symlink('nowhere', join(root, 'dangling'));
    expect(await codeOf(join(root, 'file'))).to.equal('EEXIST');
    expect(await codeOf(join(root, 'file/a'))).to.equal('EEXIST');
    expect(await codeOf(join(root, 'dangling'))).to.equal('EEXIST');
    if (process.platform !== 'linux') this.skip();
    // With `recursive`, mkdir would never answer, and keep a thread busy.
    for (const folder of ['/proc/x', '/proc/x/y', '/proc/self/fd/x']) expect(await codeOf(folder), folder).to.equal('ENOENT');
  });
});
