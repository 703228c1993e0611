/**
 * Whether a process is a PostgreSQL server, by its number alone, which is all that is left of one after its parent was killed.
 * Linux answers from /proc; elsewhere `ps` is asked.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive } from '@task-executor/shared';
import { errorCode } from './error.js';

const run = promisify(execFile);

/** Whether `pid` is a postmaster at work in `folder` (a real path): a postmaster's working directory is its data folder. */
export async function isPostmasterOf(pid: number, folder: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  if (process.platform === 'linux') return isPostmasterNow(pid, folder);
  return run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => isCommandOf(stdout, folder), () => false);
}

/** As isPostmasterOf, without waiting: for a process that is at its own end. */
export function isPostmasterNow(pid: number, folder: string): boolean {
  try {
    if (process.platform !== 'linux') {
      return isCommandOf(execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }), folder);
    }
    return readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim() === 'postgres' && worksIn(pid, folder);
  } catch {
    return false;
  }
}

function isCommandOf(command: string, folder: string): boolean {
  return command.includes('postgres') && command.includes(folder);
}

function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`) === folder;
  } catch (error) {
    // In a container root may not see it of another user's process; then the name has to do.
    return errorCode(error) === 'EACCES';
  }
}

/** Waits until `pid` has ended; false when it still runs after `timeoutMs`. @throws once `stopping` aborts */
export async function waitForEnd(pid: number, timeoutMs: number, stopping?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(20, undefined, { signal: stopping });
  }
  return true;
}
