/**
 * Other queues on PostgreSQL, measured in the same run on the same server. They live in bench/peers with a lockfile of their own and
 * need a newer Node than we do, which the npm package `node` brings. Both are installed here, when they are asked for.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Failure, run } from '../../scripts/lib/run.mjs';
import { Child } from './child.mjs';

const FOLDER = fileURLToPath(new URL('../peers/', import.meta.url));
/** Each is a file in bench/peers; with the package that it is. */
const PACKAGES = { 'graphile-worker': 'graphile-worker', 'pg-boss': 'pg-boss', 'dbos': '@dbos-inc/dbos-sdk' };
const NAMES = Object.keys(PACKAGES);
const NODE = 'node@24.21.0';
const LEAST_NODE = [22, 18];

/** @throws Failure where they cannot be installed */
export async function preparePeers() {
  const execPath = await findNode();
  const { dependencies } = JSON.parse(await readFile(join(FOLDER, 'package.json'), 'utf8'));
  if (!(await isInstalled())) {
    console.error('bench: installing the peers ...');
    await run('Installing the peers', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false'], { cwd: FOLDER });
  }
  return {
    versions: Object.fromEntries(NAMES.map((name) => [name, dependencies[PACKAGES[name]]])),
    on: (postgres, undo) => ({ names: NAMES, measure: (name, load, options) => measure({ postgres, undo, execPath }, name, load, options) }),
  };
}

/** A Node that is new enough: ours, or that of the npm package. */
async function findNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return process.execPath;
  console.error(`bench: the peers need a newer Node: getting ${NODE} ...`);
  try {
    const { stdout } = await promisify(execFile)('npx', ['--yes', '--package', NODE, '--call', 'node --print process.execPath']);
    return stdout.trim();
  } catch (error) {
    throw new Failure(`The peers need Node ${LEAST_NODE.join('.')} or later, and ${NODE} could not be installed: ${error.message}`);
  }
}

/** Whether node_modules holds what the lockfile says. */
async function isInstalled() {
  const installed = join(FOLDER, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const versions = async (file) => JSON.parse(await readFile(file, 'utf8')).packages;
  const [wanted, there] = [await versions(join(FOLDER, 'package-lock.json')), await versions(installed)];
  return Object.entries(wanted).every(([path, { version, optional }]) => path === '' || optional === true || there[path]?.version === version);
}

/** One load on one peer (see peers/main.mjs), on a database of its own; with the CPU seconds that PostgreSQL took. */
async function measure({ postgres, undo, execPath }, name, load, options) {
  const database = await postgres.createDatabase();
  const child = new Child(join(FOLDER, 'main.mjs'), [name, load, JSON.stringify(options)], { undo, execPath, env: { DATABASE_URL: database.url } });
  try {
    let before = null;
    let after = null;
    child.listen((message) => {
      // The last measurement counts: those before it are warm-ups.
      if (message.begin) before = postgres.cpu();
      if (message.end) after = postgres.cpu();
    });
    const { result } = await child.wait((message) => message.result !== undefined);
    const [from, to] = await Promise.all([before, after]);
    return { ...result, cpu: { ...result.cpu, api: null, postgres: from === null || to === null ? null : to - from } };
  } finally {
    await child.stop();
    await database.drop();
  }
}
