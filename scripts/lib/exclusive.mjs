/**
 * Lets one script at a time install and build in this folder: `npm start` and `npm test` may be begun together, and two
 * package managers in one node_modules, or two compilers in one dist, spoil each other's work.
 */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './run.mjs';

const folder = join(root, '.turbo');
const lock = join(folder, 'set-up.lock');

/** Runs `body` while no other script of ours is in its own. */
export async function exclusively(body) {
  await mkdir(folder, { recursive: true });
  let told = false;
  while (!(await take())) {
    if (!told) console.log('Waiting for another npm start or npm test to finish installing and building ...');
    told = true;
    await sleep(250);
  }
  const release = () => rm(lock, { force: true });
  try {
    return await body();
  } finally {
    await release();
  }
}

async function take() {
  try {
    const file = await open(lock, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (pid > 0 && !alive(pid)) await rm(lock, { force: true });
  return false;
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
