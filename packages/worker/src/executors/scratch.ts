/**
 * Where workspaces are made, and whether there is room for them. Each process has a folder of its own for them; those of
 * processes that were killed are removed by the next one that comes. Artifacts that wait to be stored lie beside: they outlive
 * their process.
 */
import { randomUUID } from 'node:crypto';
import { access, constants, lstat, mkdtemp, opendir, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@task-executor/shared';
import { isAbandoned, own } from '../spool/owner.js';
import { BOUNDS } from './bounds.js';
import { removeFolder } from './removal.js';

const PREFIX = 'task-executor-scratch-';
const ARTIFACTS_PREFIX = 'task-executor-artifacts-';
const MIB = 1024 * 1024;
/** The size of one of the `blocks` that the system says a file has. */
const BLOCK_BYTES = 512;
/** No attempt takes files for longer than it may run. */
const ARTIFACTS_KEPT_MS = LIMITS.maxTimeoutSeconds * 1000;

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
    const isLeft = (name.startsWith(PREFIX) && await isAbandoned(path)) || (name.startsWith(ARTIFACTS_PREFIX) && await isForgotten(path));
    // What cannot be removed is another user's, mostly.
    if (isLeft) await removeFolder(path);
  }
}

/** Where the artifacts of one attempt may wait in `root`. */
export function artifactsPath(root: string): string {
  return join(root, `${ARTIFACTS_PREFIX}${randomUUID()}`);
}

async function isForgotten(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found !== null && Date.now() - found.ctimeMs > ARTIFACTS_KEPT_MS;
}

/** Why no workspace should be made there, or null. */
export async function scratchFault(scratch: Scratch): Promise<string | null> {
  try {
    await access(scratch.root, constants.W_OK | constants.X_OK);
  } catch (error) {
    return `scratch folders cannot be made: ${error instanceof Error ? error.message : String(error)}`;
  }
  return diskFault(scratch);
}

/**
 * Says that the disk is full, or null where it is not or cannot be asked. What is in the folder `apart` does not count: it is about to
 * go.
 */
export async function diskFault({ root, minFreeMib }: Scratch, apart: string | null = null): Promise<string | null> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(root);
    const free = bavail * bsize;
    const isShort = free < minFreeMib * MIB || (files > 0 && ffree === 0);
    const used = isShort && apart !== null ? await usageOf(apart) : { bytes: 0, files: 0 };
    const freeMib = Math.floor((free + used.bytes) / MIB);
    if (freeMib < minFreeMib) return `the disk of ${root} has ${freeMib} MiB left; scratch folders need ${minFreeMib}`;
    return files > 0 && ffree + used.files === 0 ? `the disk of ${root} can take no more files` : null;
  } catch {
    return null;
  }
}

/** What `path` and all below it take of their disk. */
async function usageOf(path: string): Promise<{ bytes: number; files: number }> {
  const found = await lstat(path);
  const sum = { bytes: found.blocks * BLOCK_BYTES, files: 1 };
  if (!found.isDirectory()) return sum;
  for await (const entry of await opendir(path)) {
    const { bytes, files } = await usageOf(join(path, entry.name));
    sum.bytes += bytes;
    sum.files += files;
  }
  return sum;
}
