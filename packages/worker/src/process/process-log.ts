/** The log of a process: JSON lines on stdout, in a terminal one readable line for each. */
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { stdoutLines } from './stdout-lines.js';

export function createProcessLog(service: string, level: string): Logger {
  const options = { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stdout.isTTY) {
    const log = pino(options, stdoutLines((lines) => {
      log.warn({ event: 'log_lines_lost', lines }, 'lines of this log could not be written');
    }));
    return log;
  }
  const ignore = 'service,pid,hostname,event,request_id';
  return pino(options, pretty({ sync: true, singleLine: true, ignore, translateTime: 'HH:MM:ss.l' }));
}
