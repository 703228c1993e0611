/** Logs: JSON lines on stdout, readable ones in a terminal. */
import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** So many bytes are written before their turn ends. */
const MAX_BUFFERED_BYTES = 8_192;

export function createLog(level: string): Logger {
  const options = { level, base: { service: 'task-executor-api' }, timestamp: pino.stdTimeFunctions.isoTime };
  if (process.stdout.isTTY) {
    return pino(options, pretty({ sync: true, ignore: 'service,pid,hostname', translateTime: 'HH:MM:ss.l' }));
  }
  return pino(options, byTurns());
}

/**
 * Writes synchronously, once for all lines of a turn of the event loop: requests that were coalesced end together, and a write
 * for each of their lines would be a tenth of their cost. Whatever ends the process but SIGKILL, no line is lost.
 */
function byTurns(): DestinationStream {
  const out = pino.destination({ fd: 1, sync: true, minLength: MAX_BUFFERED_BYTES });
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    out.flushSync();
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      out.write(line);
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
  };
}
