/** Reads the result that a program leaves: a bounded JSON object in a plain file. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { BOUNDS } from './bounds.js';
import type { Completed, Failed } from './executor.js';

const failed = (error: string): Failed => ({ kind: 'failed', error });

/** The result at `path`; where there is none, one that says that the program ended well. */
export async function readResult(path: string): Promise<Completed | Failed> {
  let text: string;
  try {
    // Not blocking: a program may have left a pipe there, which nobody will ever write to. Not following: in a container it
    // may have left a link to a file of this host, which it must not learn of.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const found = await file.stat();
      if (!found.isFile()) return failed('the result is not a file');
      if (found.size > BOUNDS.maxResultBytes) {
        return failed(`the result has ${found.size} bytes; at most ${BOUNDS.maxResultBytes} are taken`);
      }
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return { kind: 'completed', result: { success: true } };
    return failed(code === 'ELOOP' ? 'the result is not a file' : `the result cannot be read: ${String(error)}`);
  }
  return parseResult(text);
}

/** A result from `text`, a JSON object. */
export function parseResult(text: string): Completed | Failed {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return failed('the result is not a JSON object');
    return { kind: 'completed', result: value as Record<string, unknown> };
  } catch (error) {
    return failed(`the result is not JSON: ${String(error)}`);
  }
}
