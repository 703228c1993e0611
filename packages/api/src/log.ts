/** Logs: JSON lines on stdout, readable ones in a terminal. */
import { stdoutLines } from '@task-executor/worker';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export function createLog(level: string): Logger {
  const options = { level, base: { service: 'task-executor-api' }, timestamp: pino.stdTimeFunctions.isoTime };
  if (process.stdout.isTTY) {
    return pino(options, pretty({ sync: true, ignore: 'service,pid,hostname', translateTime: 'HH:MM:ss.l' }));
  }
  return pino(options, stdoutLines());
}
