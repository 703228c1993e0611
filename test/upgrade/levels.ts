/** The earlier levels of the schema, from git: the set of migrations that a version has, and the last commit that has just these. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Undo } from '../chaos/undo.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS = 'packages/api/migrations/';

export interface Level {
  /** "1", "1-4": the numbers of its migrations. */
  readonly name: string;
  readonly commit: string;
}

/** Runs a program, in a process group of its own; resolves with what it printed. @throws with all that it said */
function output(program: string, args: readonly string[], cwd: string, undo?: Undo): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    const errors: string[] = [];
    child.stdout.on('data', (text: Buffer) => said.push(text.toString()));
    child.stderr.on('data', (text: Buffer) => errors.push(text.toString()));
    let ended = false;
    const kill = (): void => {
      // What it has started, a package manager for instance, ends with it.
      if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    const forget = undo?.atExit(kill);
    undo?.add(kill);
    child.once('error', reject);
    child.once('close', (code) => {
      ended = true;
      forget?.();
      if (code === 0) resolve(said.join(''));
      else reject(new Error(`${program} ${args[0] ?? ''} failed:\n${said.join('')}${errors.join('')}`));
    });
  });
}

const git = (...args: string[]): Promise<string> => output('git', args, ROOT).then((text) => text.trim());

/** ["0001", "0002", "0004"] is "1-2, 4". */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

/** In the order of history: of each commit on the main line that added migrations to others, the one before it. */
export async function earlierLevels(): Promise<Level[]> {
  const added = await git('log', '--first-parent', '--diff-merges=first-parent', '--diff-filter=A', '--reverse', '--no-patch', '--format=%H', '--', MIGRATIONS);
  const levels: Level[] = [];
  for (const hash of added.split('\n')) {
    const commit = await git('rev-parse', '--short', `${hash}^1`);
    const files = await git('ls-tree', '--name-only', commit, MIGRATIONS);
    const numbers = files.split('\n').filter((file) => file.endsWith('.sql')).map((file) => Number(file.slice(MIGRATIONS.length).split('_')[0]));
    if (numbers.length > 0) levels.push({ name: rangesOf(numbers), commit });
  }
  return levels;
}

/** A worktree of the commit in `folder`, installed and built by its own scripts. */
export async function build({ commit }: Level, folder: string, undo: Undo): Promise<string> {
  const worktree = join(folder, commit);
  undo.add(async () => {
    await rm(worktree, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    await git('worktree', 'prune');
  });
  await git('worktree', 'add', '--detach', worktree, commit);
  const setUp = `const { setUp } = await import('${pathToFileURL(join(worktree, 'scripts/lib/set-up.mjs')).href}'); await setUp({ packages: ['api', 'worker'] });`;
  await output(process.execPath, ['--input-type=module', '--eval', setUp], worktree, undo);
  return worktree;
}
