/** Logs: JSON lines on stdout, written synchronously so that none is lost at a crash; readable ones in a terminal. */
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export function createLog(level: string): Logger {
  const options = { level, base: { service: 'task-executor-api' }, timestamp: pino.stdTimeFunctions.isoTime };
  if (process.stdout.isTTY) {
    return pino(options, pretty({ sync: true, ignore: 'service,pid,hostname', translateTime: 'HH:MM:ss.l' }));
  }
  return pino(options, pino.destination({ fd: 1, sync: true }));
}
