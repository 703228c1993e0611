/** What must hold for the repository itself so that a clone sets itself up anywhere. */
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';

const read = (name: string): Promise<string> => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

interface Manifest {
  packageManager: string;
  devDependencies: Record<string, string>;
}

describe('the repository', () => {
  it('names no registry in its lockfile: every machine installs from its own', async () => {
    expect(await read('pnpm-lock.yaml')).to.not.match(/https?:\/\/|tarball:/);
  });

  it('installs with the pnpm that it builds with', async () => {
    const manifest = JSON.parse(await read('package.json')) as Manifest;
    expect(manifest.packageManager).to.equal(`pnpm@${manifest.devDependencies['pnpm'] ?? ''}`);
  });

  it('pins every tool to one exact version', async () => {
    const { devDependencies } = JSON.parse(await read('package.json')) as Manifest;
    // But for our own programs, linked here so that `npx task-executor` and `npx task-executor-worker` find them.
    const { '@task-executor/cli': cli, '@task-executor/worker': worker, ...tools } = devDependencies;
    expect([cli, worker]).to.deep.equal(['workspace:*', 'workspace:*']);
    for (const [name, version] of Object.entries(tools)) expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
  });
});
