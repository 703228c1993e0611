/**
 * The files that a task leaves in its artifacts folder, stored with the API one after another. Only plain files in real folders
 * are taken: a link could lead out of the folder, to a file of this host.
 */
import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, type FileHandle } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, backoffMs, LIMITS, type ArtifactUpload } from '@task-executor/shared';
import { isDefinite } from './answer.js';
import type { ExecutionContext } from './executors/executor.js';
import { mended } from './storable-json.js';

/** Stores one file. @throws ApiError, ApiUnreachable */
export type PutArtifact = (upload: ArtifactUpload, signal: AbortSignal) => Promise<unknown>;

const MAX_FILES = 1_000;
const MAX_DEPTH = 16;
/** Names that are shown of what was not taken. */
const MAX_SHOWN = 10;
const UNNAMEABLE = /[\\\u0000-\u001f\u007f]/;
const MAX_TRIES = 20;
const RETRY = { initialMs: 200, maxMs: 10_000 };

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

/** The files below `folder`, in the order of their names. */
export async function findArtifacts(folder: string): Promise<FoundArtifacts> {
  const names: string[] = [];
  const skipped: string[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    const entries = [];
    for await (const entry of await opendir(join(folder, below))) {
      if (names.length + entries.length >= 2 * MAX_FILES) break;
      entries.push(entry);
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(name, depth + 1);
      else if (entry.isDirectory()) skipped.push(`${name}: more than ${MAX_DEPTH} folders deep`);
      else if (!entry.isFile()) skipped.push(`${name}: not a plain file`);
      else if (name.length > LIMITS.maxArtifactNameChars || UNNAMEABLE.test(name) || !name.isWellFormed()) skipped.push(`${mended(name)}: no name that is taken`);
      else if (names.length >= MAX_FILES) skipped.push(`${name}: more than ${MAX_FILES} files`);
      else names.push(name);
    }
  };
  if (!(await lstat(folder)).isDirectory()) return { names, skipped: ['the folder itself: not a folder any more'] };
  await visit('', 1);
  return { names, skipped };
}

/** Stores what is in `folder`, until `stop` aborts; what cannot be stored is named in the log. */
export async function storeArtifacts(folder: string, put: PutArtifact, log: ExecutionContext['log'], stop: AbortSignal): Promise<void> {
  try {
    const { names, skipped } = await findArtifacts(folder);
    for (const what of skipped.slice(0, MAX_SHOWN)) await log('warning', `an artifact was not kept: ${what}`);
    if (skipped.length > MAX_SHOWN) await log('warning', `${skipped.length} artifacts were not kept`);
    for (const name of names) {
      const refusal = await store(folder, name, put, stop);
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

/** Why the file was not stored, or null. */
async function store(folder: string, name: string, put: PutArtifact, stop: AbortSignal): Promise<Refusal | null> {
  let reason = 'stopped';
  for (let tries = 1; tries <= MAX_TRIES && !stop.aborted; tries++) {
    let file: FileHandle | undefined;
    try {
      file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const found: Stats = await file.stat();
      if (!found.isFile()) return { reason: 'not a plain file', isFinal: false };
      if (found.size > LIMITS.maxArtifactBytes) {
        return { reason: `it has ${found.size} bytes; at most ${LIMITS.maxArtifactBytes} are taken`, isFinal: false };
      }
      const stream = found.size === 0 ? Readable.from([]) : file.createReadStream({ start: 0, end: found.size - 1, autoClose: false });
      await put({ name, stream, bytes: found.size, contentType: MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream' }, stop);
      return null;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      if (isDefinite(error)) return { reason, isFinal: error.settles === 'attempt' };
      if (file === undefined) return { reason, isFinal: false };
      const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      await sleep(Math.max(asked, backoffMs(RETRY, tries, Math.random())), undefined, { signal: stop }).catch(() => undefined);
    } finally {
      await file?.close();
    }
  }
  return { reason, isFinal: false };
}
