/**
 * Loaded into the API and into workers (NODE_OPTIONS): their host's clock, which the nemesis moves by writing milliseconds into the
 * file CHAOS_CLOCK. All that they know of the time of day goes through Date; monotonic clocks go on as on a real host. So no
 * libfaketime is needed, which would also move the monotonic clock of everything.
 */
import { readFileSync } from 'node:fs';

const READ_AGAIN_MS = 100;

const RealDate = Date;
let offset = 0;
let readAt = -Infinity;

function now() {
  if (performance.now() - readAt > READ_AGAIN_MS) {
    readAt = performance.now();
    try {
      offset = Number(readFileSync(process.env.CHAOS_CLOCK, 'utf8')) || 0;
    } catch {
      // Not written yet.
    }
  }
  return RealDate.now() + offset;
}

globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static now() {
    return now();
  }
};
