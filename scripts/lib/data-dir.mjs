/** The data folder that the API uses, and the API that runs on it. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { root } from './run.mjs';

/** DATA_DIR as the API reads it when it is started from the top of the repository. */
export const dataDir = resolve(root, process.env.DATA_DIR || '.data');

/** The process number of the API that runs on the data folder; null when none does. */
export async function runningApi() {
  const pid = Number(await readFile(join(dataDir, 'api.pid'), 'utf8').catch(() => ''));
  return pid > 0 && (await isNode(pid)) ? pid : null;
}

/** The file of a killed API stays behind, and its number may be another program's by now. */
async function isNode(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  return command === null || /\bserve\b/.test(command.replaceAll('\0', ' '));
}
