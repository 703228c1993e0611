/**
 * The files that a task leaves in its artifacts folder, stored with the API one after another. Only plain files in real folders
 * are taken: a link could lead out of the folder, to a file of this host.
 */
import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, type FileHandle } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { ApiError, LIMITS, type ArtifactUpload } from '@task-executor/shared';
import { isDefinite, isStuck } from '../calls/answer.js';
import { pause, retryDelayMs } from '../calls/retry.js';
import { mended } from '../calls/storable.js';
import type { ExecutionContext } from '../executors/executor.js';

/** Stores one file. @throws ApiError, ApiUnreachable */
export type PutArtifact = (upload: ArtifactUpload, signal: AbortSignal) => Promise<unknown>;

const MAX_FILES = 1_000;
const MAX_DEPTH = 16;
/** How many names are shown of what was not taken. */
const MAX_SHOWN = 10;
const UNNAMEABLE = /[\\\u0000-\u001f\u007f]/;
/** How long answers are borne that keep files from being stored, in all: the report waits for the files of its attempt. */
const HINDERED_MS = 5 * 60_000;
const FILE_RETRY = { initialMs: 200, maxMs: 10_000 };

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv', '.gif': 'image/gif', '.gz': 'application/gzip', '.htm': 'text/html', '.html': 'text/html', '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg', '.json': 'application/json', '.jsonl': 'application/jsonl', '.log': 'text/plain', '.md': 'text/markdown',
  '.mp4': 'video/mp4', '.ndjson': 'application/x-ndjson', '.pdf': 'application/pdf', '.png': 'image/png', '.svg': 'image/svg+xml',
  '.tar': 'application/x-tar', '.txt': 'text/plain', '.webm': 'video/webm', '.xml': 'application/xml', '.yaml': 'application/yaml',
  '.yml': 'application/yaml', '.zip': 'application/zip', '.zst': 'application/zstd',
};

export interface FoundArtifacts {
  /** Names of files, relative to the folder, with slashes. */
  readonly names: readonly string[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

function isName(name: string): boolean {
  return name.length <= LIMITS.maxArtifactNameChars && !UNNAMEABLE.test(name) && name.isWellFormed();
}

/** The files below `folder`, in the order of their names. */
export async function findArtifacts(folder: string): Promise<FoundArtifacts> {
  const names: string[] = [];
  const skipped: string[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    const entries = [];
    try {
      for await (const entry of await opendir(join(folder, below))) {
        if (names.length + entries.length >= 2 * MAX_FILES) break;
        entries.push(entry);
      }
    } catch (error) {
      const which = below === '' ? 'the folder itself' : mended(below);
      skipped.push(`${which}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(name, depth + 1);
      else if (entry.isDirectory()) skipped.push(`${name}: more than ${MAX_DEPTH} folders deep`);
      else if (!entry.isFile()) skipped.push(`${name}: not a plain file`);
      else if (!isName(name)) skipped.push(`${mended(name)}: no name that is taken`);
      else if (names.length >= MAX_FILES) skipped.push(`${name}: more than ${MAX_FILES} files`);
      else names.push(name);
    }
  };
  if (!(await lstat(folder)).isDirectory()) return { names, skipped: ['the folder itself: not a folder any more'] };
  await visit('', 1);
  return { names, skipped };
}

/**
 * Stores what is in `folder`, until `stop` aborts; what cannot be stored is named in the log. An API that is away is waited for, however
 * long that takes; where it is there and the files are not taken for all that, they have `hinderedMs` milliseconds together.
 */
export async function storeArtifacts(
  folder: string, put: PutArtifact, log: ExecutionContext['log'], stop: AbortSignal, hinderedMs = HINDERED_MS,
): Promise<void> {
  const patience: Patience = { leftMs: hinderedMs, over: null };
  try {
    const { names, skipped } = await findArtifacts(folder);
    for (const what of skipped.slice(0, MAX_SHOWN)) await log('warning', `an artifact was not kept: ${what}`);
    if (skipped.length > MAX_SHOWN) await log('warning', `${skipped.length} artifacts were not kept`);
    for (const name of names) {
      const refusal = await store(folder, name, put, stop, patience);
      if (stop.aborted) return;
      if (refusal !== null) await log('error', `the artifact ${name} was not kept: ${refusal.reason}`);
      if (refusal?.isFinal === true) return;
    }
  } catch (error) {
    await log('error', `the artifacts were not kept: ${String(error)}`);
  }
}

interface Refusal {
  readonly reason: string;
  /** Whether the attempt takes no file any more. */
  readonly isFinal: boolean;
}

/** How much is borne for all files of an attempt together. */
interface Patience {
  /** What is left for answers that hinder, in milliseconds. */
  leftMs: number;
  /** Why the storage is waited for no longer, or null. */
  over: string | null;
}

/** Whether the API is there, but the file is not taken. */
function isHindering(error: unknown): boolean {
  return isStuck(error) || (error instanceof ApiError && (error.code === 'storage_unavailable' || error.code === 'request_timeout'));
}

/** Why the file was not stored, or null. */
async function store(folder: string, name: string, put: PutArtifact, stop: AbortSignal, patience: Patience): Promise<Refusal | null> {
  if (patience.over !== null) return { reason: patience.over, isFinal: false };
  for (let failures = 1; !stop.aborted; failures++) {
    const began = performance.now();
    let file: FileHandle | undefined;
    let unread: unknown;
    try {
      file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const found: Stats = await file.stat();
      if (!found.isFile()) return { reason: 'not a plain file', isFinal: false };
      if (found.size > LIMITS.maxArtifactBytes) {
        return { reason: `it has ${found.size} bytes; at most ${LIMITS.maxArtifactBytes} are taken`, isFinal: false };
      }
      const stream = Readable.from(contentOf(file, found.size, (fault) => {
        unread = fault;
      }), { objectMode: false });
      const contentType = MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream';
      await put({ name, stream, bytes: found.size, contentType }, stop);
      return null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (isDefinite(error)) return { reason, isFinal: error.settles === 'attempt' };
      if (file === undefined || unread !== undefined) return { reason, isFinal: false };
      const hinders = isHindering(error);
      if (hinders && patience.leftMs <= 0) {
        // A storage that is away is so for every file; what else hinders may be about this one.
        if (!isStuck(error)) patience.over = reason;
        return { reason, isFinal: false };
      }
      await pause(retryDelayMs(error, failures, FILE_RETRY), stop);
      if (hinders) patience.leftMs -= performance.now() - began;
    } finally {
      await file?.close();
    }
  }
  return { reason: 'stopped', isFinal: false };
}

/** The first `bytes` bytes of `file`. `onFault`: told why it cannot be read, which the call that sends it takes for its own failure. */
async function* contentOf(file: FileHandle, bytes: number, onFault: (fault: unknown) => void): AsyncGenerator<Buffer, void, undefined> {
  if (bytes === 0) return;
  try {
    for await (const chunk of file.createReadStream({ start: 0, end: bytes - 1, autoClose: false })) yield chunk as Buffer;
  } catch (error) {
    onFault(error);
    throw error;
  }
}
