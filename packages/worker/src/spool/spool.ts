/**
 * The spool: a folder of files for what the API has not yet taken. A file is there as a whole or not at all, whenever the
 * process or the machine dies: written beside, synced, renamed. Each process has a folder of its own and takes over, at its
 * start, what is in the folders of processes that are gone. Folders of different APIs are kept apart: a report is never
 * given to an API that did not give the task.
 */
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerLog } from '../log.js';
import { isAbandoned, own } from './owner.js';
import { isParcel, nameOf, partsOf, type AttemptIdentity, type Content, type Parcel } from './parcel.js';

const PROCESS_FOLDER = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UNREADABLE = 'unreadable';

/** The part of the space that log lines may take: reports are worth more. */
const LOGS_SHARE = 0.75;
/** Room for a report of some size. */
const PROBE_BYTES = 64 * 1024;

export interface SpoolOptions {
  readonly root: string;
  readonly apiUrl: string;
  readonly maxBytes: number;
  readonly log: WorkerLog;
}

/** One attempt's files that were found at the start, in the order in which they are to be sent. */
export interface Leftover {
  readonly identity: AttemptIdentity;
  /** The first line's number, and the sequence numbers of its batches. */
  readonly offset: number;
  readonly sequences: readonly number[];
  readonly hasReport: boolean;
}

export class Spool {
  readonly folder: string;
  readonly #log: WorkerLog;
  readonly #maxBytes: number;
  readonly #disown: () => void;
  readonly #sizes = new Map<string, number>();
  #bytes = 0;
  #fault: string | null = null;

  private constructor(folder: string, disown: () => void, { maxBytes, log }: SpoolOptions) {
    this.folder = folder;
    this.#disown = disown;
    this.#maxBytes = maxBytes;
    this.#log = log;
  }

  /** @throws where the folder cannot be made or written to */
  static async open(options: SpoolOptions): Promise<Spool> {
    const api = createHash('sha256').update(options.apiUrl.replace(/\/+$/, '')).digest('hex').slice(0, 16);
    const base = join(options.root, api);
    const folder = join(base, randomUUID());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // A folder for temporary files is everybody's; another user's reports are not to be sent, nor ours to be given to them.
    if (process.getuid !== undefined && (await lstat(base)).uid !== process.getuid()) throw new Error(`${base} belongs to another user`);
    const spool = new Spool(folder, await own(folder), options);
    await spool.#takeOver(base);
    return spool;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get files(): number {
    return this.#sizes.size;
  }

  /** Keeps `content`, for good once it resolves; what had the same name is replaced. @throws where there is no room */
  async put(identity: AttemptIdentity, sequence: number | null, content: Content): Promise<void> {
    const parcel: Parcel = { ...identity, ...content };
    const text = JSON.stringify(parcel);
    const bytes = Buffer.byteLength(text);
    const bound = content.kind === 'logs' ? this.#maxBytes * LOGS_SHARE : this.#maxBytes;
    if (this.#bytes + bytes > bound) throw new Error(`the spool is full: ${this.#bytes} of ${this.#maxBytes} bytes`);
    const name = nameOf(identity, sequence);
    // Counted before it is written, so that writers at the same time stay within the bound together.
    this.#count(name, bytes);
    try {
      await writeWhole(this.folder, name, text);
      this.#fault = null;
    } catch (error) {
      this.#count(name, 0);
      this.#fault = `the spool cannot be written: ${String(error)}`;
      throw error;
    }
  }

  /** What was kept, or null where it is gone or cannot be read. */
  async get(identity: AttemptIdentity, sequence: number | null): Promise<Parcel | null> {
    return this.#read(nameOf(identity, sequence));
  }

  async remove(identity: AttemptIdentity, sequence: number | null): Promise<void> {
    const name = nameOf(identity, sequence);
    if (!this.#sizes.has(name)) return;
    await rm(join(this.folder, name), { force: true });
    this.#count(name, 0);
  }

  /** Why nothing can be written, or null. Tries it where the last write failed. */
  async check(): Promise<string | null> {
    if (this.#fault === null) return null;
    try {
      await writeWhole(this.folder, 'probe', 'x'.repeat(PROBE_BYTES));
      await rm(join(this.folder, 'probe'), { force: true });
      this.#fault = null;
    } catch (error) {
      this.#fault = `the spool cannot be written: ${String(error)}`;
    }
    return this.#fault;
  }

  /** The attempts that files are there for. To be asked before anything is put. */
  async leftovers(): Promise<Leftover[]> {
    const byAttempt = new Map<string, string[]>();
    for (const name of [...this.#sizes.keys()].sort()) {
      const attempt = partsOf(name)?.attempt ?? '';
      byAttempt.set(attempt, [...(byAttempt.get(attempt) ?? []), name]);
    }
    const found: Leftover[] = [];
    for (const names of byAttempt.values()) {
      const parcels: { sequence: number | null; parcel: Parcel }[] = [];
      for (const name of names) {
        const parcel = await this.#read(name);
        if (parcel !== null) parcels.push({ sequence: partsOf(name)?.sequence ?? null, parcel });
      }
      const [first] = parcels;
      if (first === undefined) continue;
      const { worker_id, session, task_id, attempt } = first.parcel;
      found.push({
        identity: { worker_id, session, task_id, attempt },
        offset: first.parcel.kind === 'logs' ? first.parcel.offset : 0,
        sequences: parcels.flatMap(({ sequence }) => (sequence === null ? [] : [sequence])),
        hasReport: parcels.some(({ sequence }) => sequence === null),
      });
    }
    return found;
  }

  /** Gives the folder up; what is in it is for the next process. */
  async close(): Promise<void> {
    this.#disown();
    if (this.#sizes.size === 0) await rm(this.folder, { recursive: true, force: true });
  }

  async #takeOver(base: string): Promise<void> {
    for (const other of await readdir(base)) {
      const from = join(base, other);
      if (!PROCESS_FOLDER.test(other) || from === this.folder || !(await isAbandoned(from))) continue;
      for (const name of await readdir(from).catch(() => [])) {
        if (partsOf(name) === null) continue;
        try {
          // Of two processes that take over the same folder, one gets the file.
          await rename(join(from, name), join(this.folder, name));
          this.#count(name, (await stat(join(this.folder, name))).size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }
      await rm(from, { recursive: true, force: true });
    }
  }

  async #read(name: string): Promise<Parcel | null> {
    const path = join(this.folder, name);
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'));
      if (isParcel(value)) return value;
      throw new Error('not a parcel');
    } catch (error) {
      this.#count(name, 0);
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      this.#log.error({ event: 'spool_unreadable', file: path, error: String(error) }, 'a file of the spool cannot be read; it is set aside');
      const aside = join(this.folder, '..', UNREADABLE);
      await mkdir(aside, { recursive: true, mode: 0o700 });
      await rename(path, join(aside, name));
      return null;
    }
  }

  #count(name: string, bytes: number): void {
    this.#bytes += bytes - (this.#sizes.get(name) ?? 0);
    if (bytes === 0) this.#sizes.delete(name);
    else this.#sizes.set(name, bytes);
  }
}

async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  const beside = `${path}.part`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    // On a full disk, what was written of it would keep the room from others.
    await rm(beside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const entry = await open(folder, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}
