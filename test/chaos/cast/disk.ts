/** A small disk for one host: a tmpfs, where this host lets us mount one, that can be filled and emptied. */
import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DISK_MIB } from '../settings.js';
import type { Undo } from '../undo.js';

const run = promisify(execFile);

export class Disk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Null where it may not be. */
  static async mount(folder: string, undo: Undo): Promise<Disk | null> {
    await mkdir(folder, { recursive: true });
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=0700`, 'tmpfs', folder]);
    } catch {
      return null;
    }
    undo.add(() => run('umount', ['--lazy', folder]));
    return new Disk(folder);
  }

  /** To the last byte. */
  async fill(): Promise<void> {
    const file = await open(join(this.folder, 'filler'), 'w');
    try {
      for (const bytes of [1024 * 1024, 4096]) {
        while (await file.write(Buffer.alloc(bytes)).then(({ bytesWritten }) => bytesWritten === bytes, () => false));
      }
    } finally {
      await file.close();
    }
  }

  async empty(): Promise<void> {
    await rm(join(this.folder, 'filler'), { force: true });
  }
}
