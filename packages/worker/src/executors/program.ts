/** Finds a program the way a shell would, so that what is missing is named before anything is started. */
import { access, constants, open, stat } from 'node:fs/promises';
import { basename, delimiter, resolve } from 'node:path';

/** More than any system takes. */
const MAX_SHEBANG_BYTES = 512;

/**
 * The path of `program`: from `folder` where the name has a slash, else the first in `searchPath`; null: none can be run, for
 * a script also where its interpreter cannot.
 */
export async function findProgram(program: string, searchPath: string, folder: string): Promise<string | null> {
  const path = await findFile(program, searchPath, folder);
  if (path === null) return null;
  const interpreter = await interpreterOf(path);
  return interpreter === null || (await findFile(interpreter, searchPath, folder)) !== null ? path : null;
}

async function findFile(program: string, searchPath: string, folder: string): Promise<string | null> {
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

/** What a script's first line names, also by way of `env`; null where the file is no script or cannot be read. */
async function interpreterOf(path: string): Promise<string | null> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SHEBANG_BYTES), 0, MAX_SHEBANG_BYTES, 0);
      const [line = ''] = buffer.toString('latin1', 0, bytesRead).split('\n', 1);
      if (!line.startsWith('#!')) return null;
      const [interpreter = '', argument] = line.slice(2).trim().split(/[ \t]+/);
      const namesAnother = basename(interpreter) === 'env' && argument !== undefined && !/^-|=/.test(argument);
      if (namesAnother) return argument;
      return interpreter === '' ? null : interpreter;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
