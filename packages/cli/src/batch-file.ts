/**
 * A file of tasks, one JSON object a line. Each line gets an idempotency key: its own, or one made of the batch's id and the line's
 * number. The id of a batch is a hash of the whole file, unless it is given. So the same file stands for the same tasks however often it
 * is submitted, and no other file does.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream, openSync, type Stats } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LIMITS, type components } from '@task-executor/shared';
import { EXIT, Failure } from './exit.js';
import { checkNumbers } from './input/documents.js';
import { linesOf, type Line } from './input/lines.js';
import { isObject } from './input/parameters.js';

type Schemas = components['schemas'];

export type BatchItem = Schemas['BatchItem'] & { idempotency_key: string };

/** A value and its separator take two bytes at least, so that so many bytes never hold more values than the API takes. */
const CHUNK_BYTES = 2 * LIMITS.maxBulkJsonNodes;
const MOST_MISTAKES = 20;

export interface BatchFile {
  readonly path: string;
  /** The name of the file in messages. */
  readonly name: string;
  readonly id: string;
  readonly tasks: number;
}

export interface Chunk {
  readonly lines: readonly number[];
  readonly items: readonly BatchItem[];
}

/** Runs `work` with a file that can be read more than once: `path` itself, or a temporary one with what came from stdin or a pipe. */
export async function withBatchFile<T>(path: string, interrupted: AbortSignal, work: (path: string) => Promise<T>): Promise<T> {
  const source = await sourceOf(path);
  if (source === null) return work(path);
  const folder = await mkdtemp(join(tmpdir(), 'task-executor-batch-'));
  try {
    const kept = join(folder, 'tasks.jsonl');
    await pipeline(source, createWriteStream(kept, { mode: 0o600 }), { signal: interrupted });
    return await work(kept);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether `path` stands for stdin. Opened by its name, it could not be read where it is a socket, nor given up where it is silent. */
export function isStdin(path: string): boolean {
  return path === '-' || path === '/dev/stdin' || path === '/dev/fd/0';
}

/** What gives its bytes only once; null where `path` can be read again and again. @throws Failure */
async function sourceOf(path: string): Promise<Readable | null> {
  if (isStdin(path)) return process.stdin;
  let stats: Stats;
  try {
    stats = await stat(path);
    if (stats.isFIFO()) return openPipe(path);
  } catch (error) {
    throw new Failure(EXIT.usage, `${path} cannot be read: ${(error as Error).message}`);
  }
  if (!stats.isFile()) throw new Failure(EXIT.usage, `${path} is neither a file nor a pipe.`);
  return null;
}

/** Opens a pipe so that neither opening nor reading it occupies a thread: one that waits for a writer would keep the program alive. */
function openPipe(path: string): Socket {
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
}

/** Reads the whole file before anything is submitted, and counts its tasks. @throws Failure with every line that is no task */
export async function inspect(path: string, name: string, givenId: string | undefined): Promise<BatchFile> {
  const mistakes: string[] = [];
  const keys = new Set<string>();
  let tasks = 0;
  for await (const line of linesOf(path, name)) {
    tasks += 1;
    const mistake = mistakeIn(name, line, keys);
    if (mistake !== null && mistakes.push(`Line ${line.number}: ${mistake}`) === MOST_MISTAKES) break;
  }
  if (mistakes.length > 0) {
    throw new Failure(EXIT.usage, [`Nothing was submitted; ${name} has lines that are no tasks.`, ...mistakes].join('\n'));
  }
  if (tasks === 0) throw new Failure(EXIT.usage, `${name} holds no task: it must have a JSON object a line.`);
  return { path, name, tasks, id: givenId ?? (await hashOf(path)) };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex').slice(0, 32);
}

function mistakeIn(name: string, { number, text }: Line, keys: Set<string>): string | null {
  let item: unknown;
  try {
    item = JSON.parse(text);
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`;
  }
  if (!isObject(item) || typeof item['problem_id'] !== 'string') return 'it is no object with a "problem_id".';
  checkNumbers(`Line ${number} of ${name}`, item);
  if (text.length > LIMITS.maxBodyBytes / 4 && Buffer.byteLength(JSON.stringify(item['parameters'] ?? {})) > LIMITS.maxBodyBytes) {
    return `its "parameters" have more than ${LIMITS.maxBodyBytes} bytes.`;
  }
  const key = item['idempotency_key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || keys.has(key)) return 'its "idempotency_key" is no text, or an earlier line has the same.';
  keys.add(key);
  return null;
}

/**
 * The tasks, in pieces that the API takes in one call. `labels` are for every task, unless its line says otherwise. @throws Failure where
 * the file is not what was inspected
 */
export async function* chunksOf(file: BatchFile, labels: Readonly<Record<string, string>>): AsyncGenerator<Chunk> {
  let lines: number[] = [];
  let items: BatchItem[] = [];
  let bytes = 0;
  let tasks = 0;
  for await (const { number, text } of linesOf(file.path, file.name)) {
    const size = Buffer.byteLength(text) + Buffer.byteLength(JSON.stringify(labels));
    if (items.length > 0 && (items.length === LIMITS.maxBatchTasks || bytes + size > CHUNK_BYTES)) {
      yield { lines, items };
      [lines, items, bytes] = [[], [], 0];
    }
    const item = taskIn(text);
    tasks += 1;
    if (item === null || tasks > file.tasks) throw changed(file);
    lines.push(number);
    items.push({ ...item, ...labelsOf(labels, item), idempotency_key: item.idempotency_key ?? `${file.id}:${number}` });
    bytes += size;
  }
  if (tasks < file.tasks) throw changed(file);
  if (items.length > 0) yield { lines, items };
}

function taskIn(text: string): Schemas['BatchItem'] | null {
  try {
    const item: unknown = JSON.parse(text);
    return isObject(item) ? (item as unknown as Schemas['BatchItem']) : null;
  } catch {
    return null;
  }
}

function changed({ name, id }: BatchFile): Failure {
  const goOn = `go on with --batch-id ${id}: what is submitted is not submitted twice.`;
  return new Failure(EXIT.usage, `${name} changed while its tasks were submitted. When it is complete, ${goOn}`);
}

/** Labels of a line that are none stay as they are, for the API to refuse. */
function labelsOf(labels: Readonly<Record<string, string>>, item: Schemas['BatchItem']): { labels?: Record<string, string> } {
  const isMixable = item.labels === undefined || isObject(item.labels);
  return Object.keys(labels).length === 0 || !isMixable ? {} : { labels: { ...labels, ...item.labels } };
}
