/**
 * Where workspaces are made, and whether there is room for them. Each process has a folder of its own for them; those of
 * processes that were killed are removed by the next one that comes.
 */
import { access, constants, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAbandoned, own } from '../spool/owner.js';
import { BOUNDS } from './bounds.js';

const PREFIX = 'task-executor-scratch-';

export interface Scratch {
  readonly root: string;
  readonly minFreeMib: number;
}

/** `scratch`, with the usual for what is absent. */
export function scratchOf(scratch: Partial<Scratch> = {}): Scratch {
  return { root: tmpdir(), minFreeMib: BOUNDS.minFreeMib, ...scratch };
}

const homes = new Map<string, Promise<string>>();

/** This process's own folder in `root`, made at the first call, and again where somebody has removed it. */
export async function scratchHome(root: string): Promise<string> {
  const made = homes.get(root);
  const home = await made?.then((path) => access(path).then(() => path)).catch(() => undefined);
  if (home !== undefined) return home;
  // Of two that find it missing, one makes it.
  if (homes.get(root) === made) homes.set(root, makeHome(root));
  return homes.get(root) ?? makeHome(root);
}

async function makeHome(root: string): Promise<string> {
  const home = await mkdtemp(join(root, PREFIX));
  try {
    await own(home);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
  void sweep(root);
  return home;
}

/** Removes what processes that are gone have left in `root`; what is somebody else's stays. */
async function sweep(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const path = join(root, name);
    if (name.startsWith(PREFIX) && await isAbandoned(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Why no workspace should be made there, or null. */
export async function scratchFault(scratch: Scratch): Promise<string | null> {
  try {
    await access(scratch.root, constants.W_OK | constants.X_OK);
  } catch (error) {
    return `scratch folders cannot be made: ${error instanceof Error ? error.message : String(error)}`;
  }
  return fullDisk(scratch);
}

/** That the disk is full, in words, or null where it is not or cannot be asked. */
export async function fullDisk({ root, minFreeMib }: Scratch): Promise<string | null> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(root);
    const freeMib = Math.floor((bavail * bsize) / (1024 * 1024));
    if (freeMib < minFreeMib) return `the disk of ${root} has ${freeMib} MiB left; scratch folders need ${minFreeMib}`;
    return files > 0 && ffree === 0 ? `the disk of ${root} can take no more files` : null;
  } catch {
    return null;
  }
}
