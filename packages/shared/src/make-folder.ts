/** Making the folders that users name, wherever they are. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes `folder` and those above it where they are missing. Not by `recursive` of `mkdir`, which never ends where a folder that is there
 * takes no others, as those of /proc. @throws where it cannot be made
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const isThere = (): Promise<boolean> => stat(folder).then((found) => found.isDirectory(), () => false);
  if (await isThere()) return;
  const above = dirname(folder);
  if (above !== folder) await makeFolder(above, mode);
  await mkdir(folder, mode).catch(async (error: unknown) => {
    // Somebody else may have made it meanwhile.
    if (!(await isThere())) throw error;
  });
}
