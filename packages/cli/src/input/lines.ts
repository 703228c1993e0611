/** Reading line by line, with a bound on how long a line may be. */
import { createReadStream } from 'node:fs';
import { LIMITS } from '@task-executor/shared';
import { EXIT, Failure } from '../exit.js';

const NEWLINE = 0x0a;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Thrown where a line is too long. */
export class LineTooLong extends Error {}

/** The lines of `source` without their line feeds, the last one also where it has none. @throws LineTooLong */
export async function* splitLines(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let bytes = 0;
  const keep = (part: Buffer): void => {
    pending.push(part);
    bytes += part.length;
    if (bytes > maxBytes) throw new LineTooLong(`longer than ${maxBytes} bytes`);
  };
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield Buffer.concat(pending);
      [pending, bytes, start] = [[], 0, end + 1];
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (bytes > 0) yield Buffer.concat(pending);
}

/** The lines of a file that are not empty. @throws Failure, by its `name`, where it cannot be read, or a line is too long or no UTF-8 */
export async function* linesOf(path: string, name: string, maxBytes: number = LIMITS.maxBodyBytes): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  try {
    for await (const bytes of splitLines(createReadStream(path), maxBytes)) {
      number += 1;
      const text = decoder.decode(bytes).trim();
      if (text !== '') yield { number, text };
    }
  } catch (error) {
    if (error instanceof LineTooLong) throw new Failure(EXIT.usage, `Line ${number + 1} of ${name} is ${error.message}.`);
    if (error instanceof TypeError) throw new Failure(EXIT.usage, `Line ${number} of ${name} is not UTF-8.`);
    throw new Failure(EXIT.usage, `${name} cannot be read: ${(error as Error).message}`);
  }
}

/** The lines of stdin that are not empty, each once. */
export async function readLines(): Promise<string[]> {
  const lines = new Set<string>();
  let rest = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') lines.add(part.trim());
  }
  if (rest.trim() !== '') lines.add(rest.trim());
  return [...lines];
}
