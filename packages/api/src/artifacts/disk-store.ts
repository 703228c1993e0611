/**
 * Artifacts in a folder. A file appears under its key whole or not at all: it is written under a name in tmp/, flushed to the
 * disk, renamed, and the folder is flushed. Several processes may share the folder.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '@task-executor/shared';
import type { Logger } from 'pino';
import { UPLOAD_MS, type ArtifactStore, type ByteRange } from './store.js';

export class DiskStore implements ArtifactStore {
  readonly #root: string;
  readonly #temporary: string;
  readonly #log: Logger;
  #cleaning: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  private constructor(root: string, log: Logger) {
    this.#root = root;
    this.#temporary = join(root, 'tmp');
    this.#log = log;
    this.#cleaning = this.#clean();
    this.#timer = setInterval(() => {
      this.#cleaning = this.#clean();
    }, UPLOAD_MS);
    this.#timer.unref();
  }

  /** Makes the folder where it is not there. @throws where it cannot be made */
  static async open(folder: string, log: Logger): Promise<DiskStore> {
    const root = resolve(folder);
    await makeFolder(join(root, 'tmp'));
    return new DiskStore(root, log);
  }

  async put(key: string, content: Readable): Promise<void> {
    const target = join(this.#root, key);
    const temporary = join(this.#temporary, `${basename(key)}.part`);
    try {
      await pipeline(content, createWriteStream(temporary, { flags: 'wx', flush: true }));
      if ((await mkdir(dirname(target), { recursive: true })) !== undefined) await syncFolder(this.#root);
      await rename(temporary, target);
      await syncFolder(dirname(target));
    } catch (error) {
      await Promise.allSettled([rm(temporary, { force: true }), rm(target, { force: true })]);
      throw error;
    }
  }

  async open(key: string, { first, last }: ByteRange): Promise<Readable> {
    const file = await open(join(this.#root, key));
    return createReadStream('', { fd: file, start: first, end: last, highWaterMark: 256 * 1024 });
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#root, key), { force: true });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#cleaning;
  }

  /** Removes what is left of uploads whose process ended: only old files, since others may be under way here or in another process. */
  async #clean(): Promise<void> {
    try {
      for (const name of await readdir(this.#temporary)) {
        const path = join(this.#temporary, name);
        // An upload that ends meanwhile takes its file away.
        const found = await stat(path).catch(() => null);
        if (found === null || Date.now() - found.mtimeMs < UPLOAD_MS) continue;
        await rm(path, { force: true });
        this.#log.info({ event: 'upload_removed' }, 'what a broken-off upload had left was removed');
      }
    } catch (error) {
      this.#log.warn({ event: 'artifacts_not_cleaned', error: String(error) }, 'the folder of artifacts could not be cleaned');
    }
  }
}

/** Makes renames in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
