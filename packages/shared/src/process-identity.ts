/**
 * Processes by their number, which is all that a lock file has of one that was killed. A number is given again: the start mark tells
 * the process that had it from a later one. Linux answers from /proc; elsewhere `ps` is asked.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether process `pid` runs. A zombie does not: in a container whose first process reaps none it stays for ever. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user may not be signalled, and is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = await statFields(pid);
  return stat === null || stat[0] !== 'Z';
}

/** The start mark of process `pid`: on Linux `BOOT/TICKS`, since the start is counted from the boot. Null where none is to be had. */
export async function startMark(pid: number): Promise<string | null> {
  const stat = await statFields(pid);
  if (stat !== null) return `${await bootId()}/${stat[19] ?? ''}`;
  // Two processes of other locales or time zones must read the same.
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return run('ps', ['-o', 'lstart=', '-p', String(pid)], { env }).then(({ stdout }) => stdout.trim() || null, () => null);
}

/** Whether the process that had number `pid` and start mark `mark` still runs. Without a mark, any of that number is taken for it. */
export async function isSameProcess(pid: number, mark: string | null): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  const found = await startMark(pid);
  // One that has ended since shows no mark either.
  if (found === null) return isAlive(pid);
  return mark === null || isSameMark(mark, found);
}

/** Lock files of earlier versions may hold the ticks alone. */
function isSameMark(kept: string, found: string): boolean {
  return kept === found || (!kept.includes('/') && found.endsWith(`/${kept}`));
}

/** The fields from the third on of /proc/PID/stat (state first); null where there is no such file. The second may hold spaces and `)`. */
async function statFields(pid: number): Promise<string[] | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function bootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((id) => id.trim(), () => '');
}
