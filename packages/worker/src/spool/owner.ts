/**
 * Whose a spool folder is. A process that starts takes over the folders of processes that are gone; it must never take one
 * from a living process of this host. Whether a process lives is seen only from its own PID namespace: containers may share
 * a volume and the name of their host. Of another namespace or another host a folder is taken once nobody has touched it for
 * a while.
 */
import { readFile, readlink, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isSameProcess, startMark } from '@task-executor/shared';

interface Owner {
  readonly host: string;
  /** Where `pid` counts; null where the system has no such thing. */
  readonly pidNamespace: string | null;
  readonly pid: number;
  /** Its start mark; null where the system says none. */
  readonly started: string | null;
}

const FILE = 'owner.json';
const TOUCH_MS = 15_000;
/** So long untouched, a folder whose owner cannot be looked for is taken for left. */
const ABANDONED_MS = 8 * TOUCH_MS;

/** Marks `folder` as this process's own, until the returned function is called. */
export async function own(folder: string): Promise<() => void> {
  const owner: Owner = { host: hostname(), pidNamespace: await ownPidNamespace(), pid: process.pid, started: await startMark(process.pid) };
  const path = join(folder, FILE);
  await writeFile(path, JSON.stringify(owner), { mode: 0o600 });
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** Whether nobody owns `folder` any more. */
export async function isAbandoned(folder: string): Promise<boolean> {
  const path = join(folder, FILE);
  try {
    const owner = JSON.parse(await readFile(path, 'utf8')) as Owner;
    if (owner.host === hostname() && owner.pidNamespace === (await ownPidNamespace())) {
      return !(await isSameProcess(owner.pid, owner.started));
    }
    return Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS;
  } catch {
    // Being made at this moment, or left by a crash in the middle of that.
    const found = await stat(folder).catch(() => null);
    return found !== null && Date.now() - found.mtimeMs > ABANDONED_MS;
  }
}

async function ownPidNamespace(): Promise<string | null> {
  return readlink('/proc/self/ns/pid').catch(() => null);
}
