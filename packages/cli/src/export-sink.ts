/**
 * Where an export goes. The lines of a task are written as a whole or not at all, so that the export can go on after a break. A file is
 * cut back to the last task that it holds whole; for stdout, the lines of a task are kept back until they are complete.
 */
import { open, readFile, rename, writeFile, type FileHandle } from 'node:fs/promises';
import { EXIT, Failure } from './exit.js';
import { isObject } from './input/parameters.js';
import type { Terminal } from './output/terminal.js';
import { safeJson } from './text/safe.js';

const NEWLINE = 0x0a;
const BLOCK_BYTES = 1024 * 1024;
/** How much of one task is kept back; what is longer is written as it comes. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;
const SAVE_EVERY_MS = 1_000;
const LINE_TYPES = new Set<unknown>(['task', 'attempt', 'log']);

export interface Sink {
  /** Where to go on; null: at the beginning. */
  readonly cursor: string | null;
  write(line: Buffer): Promise<void>;
  /** Says that the lines since the last call make a whole task, after which `cursor` goes on. */
  taskEnds(cursor: string): Promise<void>;
  /** Takes back what belongs to no whole task. False where that cannot be done. */
  takeBack(): Promise<boolean>;
  close(): Promise<void>;
}

/** Exports to stdout. `cursorFile` keeps the place where it goes on; null: it begins anew each time. */
export async function openStdout(terminal: Terminal, cursorFile: string | null): Promise<Sink> {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let torn = false;
  let savedAt = -Infinity;
  let unsaved: string | null = null;
  const flush = async (): Promise<void> => {
    const whole = Buffer.concat(kept);
    [kept, keptBytes] = [[], 0];
    // JSON leaves some characters as they are that a terminal acts on.
    await terminal.write(terminal.watched ? safeJson(whole.toString('utf8')) : whole);
  };
  const save = async (): Promise<void> => {
    if (cursorFile === null || unsaved === null) return;
    await writeFile(`${cursorFile}.next`, `${unsaved}\n`);
    await rename(`${cursorFile}.next`, cursorFile);
    [unsaved, savedAt] = [null, performance.now()];
  };
  return {
    cursor: cursorFile === null ? null : await readCursor(cursorFile),
    write: async (line) => {
      kept.push(line, Buffer.of(NEWLINE));
      keptBytes += line.length + 1;
      if (keptBytes <= MAX_KEPT_BYTES) return;
      torn = true;
      await flush();
    },
    taskEnds: async (cursor) => {
      await flush();
      [torn, unsaved] = [false, cursor];
      if (performance.now() > savedAt + SAVE_EVERY_MS) await save();
    },
    takeBack: () => {
      [kept, keptBytes] = [[], 0];
      return Promise.resolve(!torn);
    },
    close: save,
  };
}

async function readCursor(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim() || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Failure(EXIT.usage, `${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Exports to a file, whose last task says where to go on. @throws Failure where it holds something else, or another command writes it */
export async function openFile(path: string): Promise<Sink> {
  let file: FileHandle;
  try {
    file = await open(path, 'a+');
  } catch (error) {
    throw new Failure(EXIT.usage, `${path} cannot be opened: ${(error as Error).message}`);
  }
  const stats = await file.stat();
  const isRegular = stats.isFile();
  // Of a device, such as /dev/null, nothing can be read or taken back.
  const last = isRegular ? await lastTask(file, path, stats.size) : { cursor: null, end: 0 };
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let written = isRegular ? stats.size : 0;
  let whole = last.end;
  /** False once the file may hold anything behind `whole`: the next export cuts it back. */
  let isKnown = true;
  const checkAlone = async (): Promise<void> => {
    if (!isRegular || (await file.stat()).size === written) return;
    isKnown = false;
    throw new Failure(EXIT.file, `Another command writes to ${path}: give each export a file of its own.`);
  };
  const cut = async (): Promise<boolean> => {
    if (whole === written) return true;
    if (!isRegular) return false;
    await checkAlone();
    await file.truncate(whole);
    written = whole;
    return true;
  };
  const flush = async (): Promise<void> => {
    if (pendingBytes === 0) return;
    await checkAlone();
    isKnown = false;
    await file.appendFile(Buffer.concat(pending));
    isKnown = true;
    written += pendingBytes;
    [pending, pendingBytes] = [[], 0];
  };
  const takeBack = async (): Promise<boolean> => {
    await flush();
    return cut();
  };
  await cut();
  return {
    cursor: last.cursor,
    write: async (line) => {
      pending.push(line, Buffer.of(NEWLINE));
      pendingBytes += line.length + 1;
      if (pendingBytes >= BLOCK_BYTES) await flush();
    },
    taskEnds: () => {
      whole = written + pendingBytes;
      return Promise.resolve();
    },
    takeBack,
    close: async () => {
      try {
        if (isKnown) {
          await takeBack();
          // The other one may have looked just before this one wrote, and written then.
          await checkAlone();
        }
      } finally {
        await file.close();
      }
    },
  };
}

/** The cursor of the last whole task in an export, and where its line ends; the file is read from its end backwards, block by block. */
async function lastTask(file: FileHandle, path: string, size: number): Promise<{ cursor: string | null; end: number }> {
  if (size === 0) return { cursor: null, end: 0 };
  let rest: Buffer = Buffer.alloc(0);
  for (let start = size; start > 0;) {
    const from = Math.max(0, start - BLOCK_BYTES);
    const block = Buffer.alloc(start - from);
    await file.read(block, 0, block.length, from);
    let tail = Buffer.concat([block, rest]);
    start = from;
    // What comes after the last line feed was not written to its end.
    for (let end = tail.lastIndexOf(NEWLINE); end >= 0;) {
      const before = end === 0 ? -1 : tail.lastIndexOf(NEWLINE, end - 1);
      if (before < 0 && start > 0) break;
      const line = lineOf(tail.subarray(before + 1, end));
      if (line === null) throw new Failure(EXIT.usage, `${path} holds something else than an export: name another file.`);
      if (line.type === 'task' && typeof line.cursor === 'string') return { cursor: line.cursor, end: start + end + 1 };
      tail = tail.subarray(0, before + 1);
      end = before;
    }
    rest = tail;
  }
  if (rest.length === size && lineOf(rest) === null && !rest.toString('latin1').startsWith('{"type":"')) {
    throw new Failure(EXIT.usage, `${path} holds something else than an export: name another file.`);
  }
  return { cursor: null, end: 0 };
}

/** What `bytes` hold, where that is a line of an export; else null. */
function lineOf(bytes: Buffer): { type: string; cursor?: unknown } | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) && LINE_TYPES.has(value['type']) ? (value as { type: string; cursor?: unknown }) : null;
  } catch {
    return null;
  }
}
