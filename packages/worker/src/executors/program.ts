/** Finds a program the way a shell would, so that what is missing is named before anything is started. */
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';

/** The path of `program`: from `folder` where the name has a slash, else the first in `searchPath`; null: none can be run. */
export async function findProgram(program: string, searchPath: string, folder: string): Promise<string | null> {
  const candidates = program.includes('/')
    ? [resolve(folder, program)]
    : searchPath.split(delimiter).map((place) => resolve(folder, place, program));
  for (const path of candidates) if (await isExecutable(path)) return path;
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
