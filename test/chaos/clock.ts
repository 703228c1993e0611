/**
 * One time for all records: milliseconds of the monotonic clock that every process of this machine shares. What the database and
 * the task commands write down is translated into it.
 */
import { readFileSync } from 'node:fs';

/** Now. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Milliseconds since the machine started, as the task commands read it. */
function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

/** Translations, fixed when it is made. */
export class Clock {
  readonly #epochOffset = Date.now() - monotonicMs();
  readonly #uptimeOffset = uptimeMs() - monotonicMs();

  /** By how much the machine's own clock was set since: the monotonic one does not follow. */
  get setByMs(): number {
    return Date.now() - monotonicMs() - this.#epochOffset;
  }

  /** Of a time of the database, which takes it from the clock of this machine. */
  ofDatabase(at: Date): number {
    return at.getTime() - this.#epochOffset;
  }

  ofUptime(seconds: number): number {
    return seconds * 1000 - this.#uptimeOffset;
  }
}
