/**
 * The spool: a folder of files for what the API has not yet taken. A file is there as a whole or not at all, whenever the
 * process or the machine dies. Each process has a folder of its own and takes over, at its start and whenever it is asked to,
 * what is in the folders of processes that are gone. Folders of different APIs are kept apart: a report is never given to an API
 * that did not give the task.
 */
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import { Pace } from '../calls/pace.js';
import type { WorkerLog } from '../log.js';
import { Bundler, type Entry } from './bundler.js';
import { isAbandoned, own } from './owner.js';
import { bundleName, isBundle, nameOf, parcelsOf, partsOf, type AttemptIdentity, type Content, type Parcel } from './parcel.js';
import { writeWhole } from './write.js';

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
  /** How far apart reports are written, see Pace. */
  readonly gatherMs: number;
  readonly log: WorkerLog;
}

/** One attempt's files that another process left, in the order in which they are to be sent. */
export interface Leftover {
  readonly identity: AttemptIdentity;
  /** The number of the next line to be sent, and the sequence numbers of the batches. */
  readonly offset: number;
  readonly sequences: readonly number[];
  readonly hasReport: boolean;
}

interface File {
  readonly bytes: number;
  /** The entries in the file that are still wanted, by `nameOf`. Where there are none, the file could not be removed yet. */
  readonly entries: Set<string>;
}

export class Spool {
  readonly folder: string;
  readonly #log: WorkerLog;
  readonly #maxBytes: number;
  #disown: () => void;
  readonly #files = new Map<string, File>();
  /** The file that each entry is in. */
  readonly #fileOf = new Map<string, string>();
  readonly #reports: Bundler;
  /** The bundle that was read last: bundles are asked for one report after another. */
  #lastRead: { file: string; parcels: readonly Parcel[] } | null = null;
  #bytes = 0;
  #takingOver: Promise<unknown> | null = null;
  #fault: string | null = null;

  private constructor(folder: string, disown: () => void, { maxBytes, gatherMs, log }: SpoolOptions) {
    this.folder = folder;
    this.#disown = disown;
    this.#maxBytes = maxBytes;
    this.#log = log;
    this.#reports = new Bundler((entries) => this.#write(entries), new Pace(gatherMs));
  }

  /** @throws where the folder cannot be made or written to */
  static async open(options: SpoolOptions): Promise<Spool> {
    const api = createHash('sha256').update(options.apiUrl.replace(/\/+$/, '')).digest('hex').slice(0, 16);
    const base = join(options.root, api);
    const folder = join(base, randomUUID());
    await makeFolder(folder, 0o700);
    // A folder for temporary files is everybody's; another user's reports are not to be sent, nor ours to be given to them.
    if (process.getuid !== undefined && (await lstat(base)).uid !== process.getuid()) throw new Error(`${base} belongs to another user`);
    const spool = new Spool(folder, await own(folder), options);
    await spool.#takeOver();
    return spool;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get files(): number {
    return this.#files.size;
  }

  /** Keeps `content`, for good once it resolves; what had the same name is replaced. @throws where there is no room */
  async put(identity: AttemptIdentity, sequence: number | null, content: Content): Promise<void> {
    const parcel: Parcel = { ...identity, ...content };
    const text = JSON.stringify(parcel);
    const bytes = Buffer.byteLength(text);
    const bound = content.kind === 'logs' ? this.#maxBytes * LOGS_SHARE : this.#maxBytes;
    if (this.#bytes + bytes > bound) throw new Error(`the spool is full: ${this.#bytes} of ${this.#maxBytes} bytes`);
    const entry = { name: nameOf(identity, sequence), text };
    // Counted before it is written, so that writers at the same time stay within the bound together.
    this.#bytes += bytes;
    try {
      await (content.kind === 'logs' ? this.#write([entry]) : this.#reports.add(entry));
      this.#fault = null;
    } catch (error) {
      this.#fault = `the spool cannot be written: ${String(error)}`;
      throw error;
    } finally {
      this.#bytes -= bytes;
    }
  }

  /** What was kept, or null where it is gone or cannot be read. */
  async get(identity: AttemptIdentity, sequence: number | null): Promise<Parcel | null> {
    return this.#read(nameOf(identity, sequence));
  }

  /** Removes what was kept and is wanted no more. Never rejects: a file that cannot be removed counts, and makes the spool unfit, until it can. */
  async remove(identity: AttemptIdentity, sequence: number | null): Promise<void> {
    await this.#drop(nameOf(identity, sequence));
  }

  /** Why nothing can be written or removed, or null. Tries it where that failed last; a folder that is gone is made anew. */
  async check(): Promise<string | null> {
    const isGone = await this.#isGone();
    const unwanted = [...this.#files].flatMap(([file, { entries }]) => (entries.size === 0 ? [file] : []));
    if (!isGone && this.#fault === null && unwanted.length === 0) return null;
    try {
      if (isGone) await this.#makeAnew();
      await writeWhole(this.folder, 'probe', 'x'.repeat(PROBE_BYTES));
      await rm(join(this.folder, 'probe'), { force: true });
      for (const file of unwanted) await this.#discard(file);
      this.#fault = null;
    } catch (error) {
      this.#fault = `the spool cannot be written: ${String(error)}`;
    }
    return this.#fault;
  }

  /** The attempts that files are there for. To be asked before anything is put. */
  leftovers(): Promise<Leftover[]> {
    return this.#leftoversIn([...this.#fileOf.keys()]);
  }

  /** The attempts of processes of which it shows only now that they are gone; what they left is taken over. */
  async takeOver(): Promise<Leftover[]> {
    // What cannot be moved because there is no place for it would be taken for what somebody else has taken.
    if (await this.#isGone()) await this.#makeAnew();
    const taken = this.#takeOver();
    this.#takingOver = taken;
    return this.#leftoversIn(await taken);
  }

  async #leftoversIn(entries: string[]): Promise<Leftover[]> {
    const byAttempt = new Map<string, string[]>();
    for (const name of entries.sort()) {
      const attempt = partsOf(name)?.attempt ?? '';
      byAttempt.set(attempt, [...(byAttempt.get(attempt) ?? []), name]);
    }
    const found: Leftover[] = [];
    for (const names of byAttempt.values()) {
      const first = await this.#firstReadable(names);
      if (first === null) continue;
      const { worker_id, session, task_id, attempt } = first.parcel;
      // The names of the others say enough: all together may be more than the memory holds, and what cannot be read shows when it is
      // asked for.
      const parts = names.slice(first.index).map((name) => partsOf(name)?.sequence ?? null);
      found.push({
        identity: { worker_id, session, task_id, attempt },
        offset: first.parcel.kind === 'logs' ? first.parcel.offset : (first.parcel.lines ?? 0),
        sequences: parts.filter((sequence) => sequence !== null),
        hasReport: parts.includes(null),
      });
    }
    return found;
  }

  async #firstReadable(names: readonly string[]): Promise<{ index: number; parcel: Parcel } | null> {
    for (const [index, name] of names.entries()) {
      const parcel = await this.#read(name);
      if (parcel !== null) return { index, parcel };
    }
    return null;
  }

  /** Gives the folder up; what is in it is for the next process. */
  async close(): Promise<void> {
    await this.#takingOver?.catch(() => undefined);
    this.#disown();
    if (this.#files.size === 0) await rm(this.folder, { recursive: true, force: true });
  }

  async #isGone(): Promise<boolean> {
    return lstat(this.folder).then(() => false, (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT');
  }

  async #makeAnew(): Promise<void> {
    this.#log.error({ event: 'spool_gone', folder: this.folder }, 'the folder of the spool is gone, with what was kept in it; it is made anew');
    this.#disown();
    for (const file of [...this.#files.keys()]) this.#forget(file);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    this.#disown = await own(this.folder);
  }

  /** Resolves with the entries that were taken. */
  async #takeOver(): Promise<string[]> {
    const base = join(this.folder, '..');
    const taken: string[] = [];
    for (const other of await readdir(base)) {
      const from = join(base, other);
      if (!PROCESS_FOLDER.test(other) || from === this.folder || !(await isAbandoned(from))) continue;
      for (const name of await readdir(from).catch(() => [])) {
        if (partsOf(name) !== null || isBundle(name)) taken.push(...(await this.#take(from, name)));
      }
      await rm(from, { recursive: true, force: true });
    }
    return taken;
  }

  async #take(from: string, file: string): Promise<string[]> {
    try {
      // Of two processes that take over the same folder, one gets the file.
      await rename(join(from, file), join(this.folder, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const { size } = await lstat(join(this.folder, file));
    const entries = isBundle(file) ? ((await this.#parcelsIn(file)) ?? []).map((parcel) => nameOf(parcel, null)) : [file];
    if (entries.length > 0) await this.#hold(file, size, entries);
    return entries;
  }

  /** Writes one file of `entries`. */
  async #write(entries: readonly Entry[]): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    const [file, text] = entries.length === 1 ? [first.name, first.text] : [bundleName(), `[${entries.map((one) => one.text).join(',')}]`];
    await writeWhole(this.folder, file, text);
    await this.#hold(file, Buffer.byteLength(text), entries.map(({ name }) => name));
  }

  async #read(entry: string): Promise<Parcel | null> {
    const file = this.#fileOf.get(entry);
    if (file === undefined) return null;
    if (!isBundle(file)) return (await this.#parcelsIn(file))?.[0] ?? null;
    if (this.#lastRead?.file !== file) this.#lastRead = { file, parcels: (await this.#parcelsIn(file)) ?? [] };
    return this.#lastRead.parcels.find((parcel) => nameOf(parcel, null) === entry) ?? null;
  }

  /** The parcels in a file; null where it is gone or cannot be read, and it counts no more then. */
  async #parcelsIn(file: string): Promise<readonly Parcel[] | null> {
    const path = join(this.folder, file);
    try {
      return parcelsOf(await readFile(path, 'utf8'));
    } catch (error) {
      this.#forget(file);
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      this.#log.error({ event: 'spool_unreadable', file: path, error: String(error) }, 'a file of the spool cannot be read; it is set aside');
      await this.#setAside(file);
      return null;
    }
  }

  async #setAside(file: string): Promise<void> {
    const aside = join(this.folder, '..', UNREADABLE);
    try {
      await mkdir(aside, { recursive: true, mode: 0o700 });
      await rename(join(this.folder, file), join(aside, file));
    } catch (error) {
      this.#fault = `the spool cannot be written: ${String(error)}`;
      // The folder must not be removed with it.
      this.#files.set(file, { bytes: 0, entries: new Set([file]) });
      this.#log.error({ event: 'spool_unreadable', file, error: String(error) }, 'a file of the spool cannot be set aside; it stays where it is');
    }
  }

  /** Notes that `file` has `entries`; files that had them before are removed, once nothing else in them is wanted. */
  async #hold(file: string, bytes: number, entries: readonly string[]): Promise<void> {
    const replaced = entries.filter((entry) => (this.#fileOf.get(entry) ?? file) !== file);
    await Promise.all(replaced.map((entry) => this.#drop(entry)));
    this.#bytes += bytes - (this.#files.get(file)?.bytes ?? 0);
    this.#files.set(file, { bytes, entries: new Set(entries) });
    for (const entry of entries) this.#fileOf.set(entry, file);
  }

  /** Nobody wants `entry` any more. */
  async #drop(entry: string): Promise<void> {
    const file = this.#fileOf.get(entry);
    if (file === undefined) return;
    this.#fileOf.delete(entry);
    const entries = this.#files.get(file)?.entries;
    entries?.delete(entry);
    if (entries?.size !== 0) return;
    try {
      await this.#discard(file);
    } catch (error) {
      const about = { event: 'spool_not_removed', file: join(this.folder, file), error: String(error) };
      this.#log.error(about, 'a file of the spool cannot be removed; that will be tried again');
    }
  }

  async #discard(file: string): Promise<void> {
    await rm(join(this.folder, file), { force: true });
    this.#forget(file);
  }

  #forget(file: string): void {
    const known = this.#files.get(file);
    if (known === undefined) return;
    this.#bytes -= known.bytes;
    this.#files.delete(file);
    for (const entry of known.entries) this.#fileOf.delete(entry);
    if (this.#lastRead?.file === file) this.#lastRead = null;
  }
}
