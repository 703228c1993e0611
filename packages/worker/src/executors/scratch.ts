/** Where workspaces are made, and whether there is room for them. */
import { access, constants, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { BOUNDS } from './bounds.js';

export interface Scratch {
  readonly root: string;
  readonly minFreeMib: number;
}

/** `scratch`, with the usual for what is absent. */
export function scratchOf(scratch: Partial<Scratch> = {}): Scratch {
  return { root: tmpdir(), minFreeMib: BOUNDS.minFreeMib, ...scratch };
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
