/**
 * Log lines on standard output, written synchronously, once for all of a turn of the event loop: a process may log thousands
 * of lines a second, and a system call for each would be a good part of its work. Only SIGKILL loses lines. A reader that has
 * gone ends the log and nothing else; SonicBoom's own `flushSync` would try for ever then.
 */
import { pino, type DestinationStream } from 'pino';

const MAX_HELD_CHARS = 64 * 1024;

export function stdoutLines(): DestinationStream {
  const output = pino.destination({ fd: 1, sync: true });
  let held = '';
  const write = (): void => {
    const lines = held;
    held = '';
    if (lines !== '') output.write(lines);
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
