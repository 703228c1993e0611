/** The data folder that the API uses, and the API that runs on it. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { root } from './run.mjs';

/** DATA_DIR as the API reads it when it is started from the top of the repository. */
export const dataDir = resolve(root, process.env.DATA_DIR || '.data');

/** Where `make api-dev` keeps its process number: it starts the API again, so who ends the API has to end it first. */
export const devPidFile = join(dataDir, 'api-dev.pid');

/** The process number of the API that runs on the data folder; null when none does. */
export function runningApi() {
  return running(join(dataDir, 'api.pid'), /\bserve\b/);
}

/** The process number of the `make api-dev` that runs on the data folder; null when none does. */
export function runningDev() {
  return running(devPidFile, /\bdev\.mjs\b/);
}

/** The file of a killed process stays behind, and its number may be another program's by now. */
async function running(file, program) {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  if (!(pid > 0)) return null;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return null;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  return command === null || program.test(command.replaceAll('\0', ' ')) ? pid : null;
}
