/** Files that describe something, such as parameters or a workflow: YAML or JSON, from a path or, as `-`, from stdin. */
import { readFile, stat } from 'node:fs/promises';
import { LIMITS } from '@task-executor/shared';
import { EXIT, Failure } from '../exit.js';
import { isObject } from './parameters.js';

/** The object that the file holds. @throws Failure naming what is wrong with it */
export async function readObject(path: string): Promise<Record<string, unknown>> {
  const text = await readText(path);
  const name = path === '-' ? 'stdin' : path;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = await parseYaml(name, text);
  }
  if (!isObject(value)) throw new Failure(EXIT.usage, `${name} holds no object: it must be YAML or JSON with keys and values.`);
  checkNumbers(name, value);
  return value;
}

async function readText(path: string): Promise<string> {
  try {
    if (path === '-') return await readStdin();
    if ((await stat(path)).size > LIMITS.maxBulkBodyBytes) throw tooLarge(path);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(EXIT.usage, `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LIMITS.maxBulkBodyBytes) throw tooLarge('stdin');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(name: string): Failure {
  return new Failure(EXIT.usage, `${name} is larger than ${LIMITS.maxBulkBodyBytes} bytes, which is more than the API takes.`);
}

async function parseYaml(name: string, text: string): Promise<unknown> {
  // Loaded only where it is needed: loading it takes longer than most commands do.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const [mistake] = document.errors;
  if (mistake !== undefined) throw new Failure(EXIT.usage, `${name} is neither JSON nor YAML: ${mistake.message.trim()}`);
  return document.toJS({ maxAliasCount: 1_000 });
}

/** Refuses infinite numbers below `root`: JSON has none, and would send null instead. @throws Failure */
export function checkNumbers(name: string, root: unknown): void {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new Failure(EXIT.usage, `${name} holds a number that JSON cannot hold.`);
    }
    // One by one: as arguments of a call, too many would not fit onto the stack.
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value) as unknown[]) open.push(inner);
  }
}
