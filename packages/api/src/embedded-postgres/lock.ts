/**
 * One process per data folder: a lock file that names its holder by number and start time, so that the file of a process
 * killed with -9 is recognised as stale even after its number was given to another one.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSameProcess, startMark } from '@task-executor/shared';
import { EmbeddedPostgresError, errorCode } from './error.js';

/** Takes the lock of `dataDir` and returns what gives it back. @throws EmbeddedPostgresError while another process holds it. */
export async function takeLock(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'postgres.lock');
  const mine = `${String(process.pid)} ${(await startMark(process.pid)) ?? ''}\n`;
  const draft = `${path}.${String(process.pid)}`;
  await writeFile(draft, mine);
  try {
    for (;;) {
      // link() fails where the name exists: of two processes that start at once one gets it, complete with its content.
      const taken = await link(draft, path).then(() => true, (error: unknown) => {
        if (errorCode(error) === 'EEXIST') return false;
        throw error;
      });
      if (taken) break;
      await removeIfStale(path, dataDir);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return async () => {
    if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true });
  };
}

async function removeIfStale(path: string, dataDir: string): Promise<void> {
  const content = await readFile(path, 'utf8').catch(() => null);
  if (content === null) return;
  const [number = '', ...rest] = content.trim().split(' ');
  const pid = Number(number);
  const mark = rest.length === 0 ? null : rest.join(' ');
  if (Number.isInteger(pid) && pid > 0 && (await isSameProcess(pid, mark))) {
    throw new EmbeddedPostgresError(
      `The data folder ${dataDir} is in use by process ${String(pid)}: stop that one first (make stop), or set DATA_DIR to another folder.`,
    );
  }
  // Renamed before it is removed: another process may have put its own lock here since it was read; that one goes back.
  const aside = `${path}.stale.${String(process.pid)}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => null);
  if (moved !== null && moved !== content) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
