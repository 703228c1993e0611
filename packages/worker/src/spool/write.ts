/** Files that are there as a whole or not at all, whenever the process or the machine dies: written beside, synced, renamed. */
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes `name` in `folder`, for good once it resolves. @throws where that failed; nothing is left of it then */
export async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  const beside = `${path}.part`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    // On a full disk, what was written of it would keep the room from others.
    await rm(beside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const entry = await open(folder, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}
