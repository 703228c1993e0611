/**
 * Brings a clone to where it can run: dependencies installed by the pinned pnpm, packages built by turbo. Both are skipped
 * when nothing they read has changed, so that a second start costs about a second and needs no network.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exclusively } from './exclusive.mjs';
import { environment, root, run, runQuietly } from './run.mjs';

const stamp = join(root, 'node_modules', '.installed-from');

/** Installs (always, or only when the lockfile or a manifest has changed) and builds. */
export async function setUp({ always = false, packages = [] } = {}) {
  await exclusively(async () => {
    await install(always);
    await turbo('Building', 'build', packages);
  });
}

/** Runs a turbo task over all packages, or over the named ones. */
export async function turbo(what, task, packages = []) {
  const filters = packages.map((name) => `--filter=@task-executor/${name}`);
  await runQuietly(what, 'turbo', ['run', task, ...filters, '--cache=local:rw', '--ui=stream', '--output-logs=errors-only']);
}

async function install(always) {
  const wanted = await fingerprint();
  if (!always && (await readFile(stamp, 'utf8').catch(() => '')) === wanted && existsSync(join(root, 'node_modules', '.modules.yaml'))) return;
  console.error('Installing the dependencies ...');
  const [program, ...args] = await pnpm();
  await run('Installing the dependencies', program, [
    ...args, 'install', '--frozen-lockfile', '--prefer-offline', '--config.confirm-modules-purge=false', '--reporter=append-only', '--loglevel=error',
  ]);
  await writeFile(stamp, wanted);
}

/** The command line of a pnpm of the pinned major version: the one on PATH, else the pinned one through npx. */
async function pnpm() {
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const pinned = packageManager.split('+')[0];
  const major = /@(\d+)\./.exec(pinned)[1];
  const found = await promisify(execFile)('pnpm', ['--version'], { cwd: '/', env: environment() }).then(({ stdout }) => stdout.trim(), () => '');
  if (found.startsWith(`${major}.`)) return ['pnpm', '--config.manage-package-manager-versions=false'];
  return ['npx', '--yes', pinned];
}

/** Changes whenever an install could give something else: the lockfile, a manifest, or the version of Node. */
async function fingerprint() {
  const hash = createHash('sha256').update(`${process.version} ${process.platform} ${process.arch}`);
  const names = (await readdir(join(root, 'packages'))).sort().map((name) => join('packages', name, 'package.json'));
  for (const name of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', ...names]) {
    hash.update(name).update(await readFile(join(root, name)).catch(() => ''));
  }
  return hash.digest('hex');
}
