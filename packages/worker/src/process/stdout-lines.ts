/**
 * Log lines on standard output, written synchronously, once for all of a turn of the event loop: a process may log thousands
 * of lines a second, and a system call for each would be a good part of its work. Only SIGKILL loses lines, and whatever keeps them from
 * being written: a full disk, a reader that has gone. These are dropped, and the process goes on.
 */
import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

const MAX_HELD_CHARS = 64 * 1024;
/** How long the pipe of a slow reader has to get room. */
const BUSY_MS = 20;
const NEWLINE = 10;
const STDOUT = 1;

/** `onLost` hears how many lines were dropped, once some can be written again. */
export function stdoutLines(onLost: (lines: number) => void): DestinationStream {
  let held = '';
  let lost = 0;
  let endsWithinLine = false;
  const write = (): void => {
    const ending = endsWithinLine ? '\n' : '';
    const lines = Buffer.from(ending + held);
    held = '';
    const written = writeSome(lines);
    if (written > 0) endsWithinLine = lines[written - 1] !== NEWLINE;
    if (written < lines.length) {
      lost += newlinesIn(lines.subarray(Math.max(written, ending.length)));
    } else if (lost > 0 && written > 0) {
      const dropped = lost;
      lost = 0;
      onLost(dropped);
    }
  };
  process.once('exit', write);
  return {
    write: (line) => {
      if (held === '') setImmediate(write);
      held += line;
      if (held.length > MAX_HELD_CHARS) write();
    },
  };
}

/** How many of the bytes could be written. */
function writeSome(bytes: Buffer): number {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(STDOUT, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return written;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    }
  }
  return written;
}

function newlinesIn(bytes: Buffer): number {
  return bytes.reduce((count, byte) => count + Number(byte === NEWLINE), 0);
}
