/** Removes folders that a program could write to, and may have taken its own rights away in. */
import { constants } from 'node:fs';
import { chmod, lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes `path` and all below it, if it is there; resolves with why that failed, or null. */
export async function removeFolder(path: string): Promise<string | null> {
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    await remove().catch(async () => {
      // A program may have taken away its own right to write in a folder (package caches do).
      await unlock(path);
      await remove();
    });
    return null;
  } catch (error) {
    return String(error);
  }
}

/**
 * Gives back our own rights in `folder` and all below it, in folders that are ours alone: a path may be another's link a moment after it
 * was looked at, and root needs no rights.
 */
async function unlock(folder: string): Promise<void> {
  const found = await lstat(folder);
  const user = process.geteuid?.();
  if (!found.isDirectory() || user === 0 || found.uid !== user) return;
  await chmod(folder, constants.S_IRWXU);
  for await (const entry of await opendir(folder)) {
    if (entry.isDirectory()) await unlock(join(folder, entry.name));
  }
}
