/** Times for people: how long ago, and how long. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds in the one unit that says enough: `45 s`, `12 min`, `5 h`, `3 days`. Cut, not rounded. */
function inOneUnit(seconds: number): string {
  if (seconds < MINUTE) return `${Math.floor(seconds)} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} days`;
}

/** A moment (ISO 8601) as seen from `now` (milliseconds): `3 min ago`, `in 2 h`, `now`; `-` for null. */
export function relative(moment: string | null, now: number): string {
  if (moment === null) return '-';
  const seconds = (Date.parse(moment) - now) / 1000;
  if (Number.isNaN(seconds)) return moment;
  if (Math.abs(seconds) < 1) return 'now';
  return seconds > 0 ? `in ${inOneUnit(seconds)}` : `${inOneUnit(-seconds)} ago`;
}

/** As relative(), for what has happened: it is never in the future, though the clocks of two hosts may differ a little. */
export function ago(moment: string | null, now: number): string {
  return moment !== null && Date.parse(moment) > now ? 'now' : relative(moment, now);
}

/** Seconds as a duration: `0.4 s`, `12.3 s`, `4 min 05 s`, `2 h 10 min`, `3 days 4 h`. */
export function duration(seconds: number): string {
  if (seconds < MINUTE) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${String(whole % MINUTE).padStart(2, '0')} s`;
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)} h ${String(Math.floor((whole % HOUR) / MINUTE)).padStart(2, '0')} min`;
  return `${Math.floor(whole / DAY)} days ${Math.floor((whole % DAY) / HOUR)} h`;
}

/** The duration from `start` to `end`, or to `now` while there is no end; `-` before the start. */
export function lasted(start: string | null, end: string | null, now: number): string {
  if (start === null) return '-';
  const until = end === null ? now : Date.parse(end);
  return duration(Math.max(0, (until - Date.parse(start)) / 1000));
}
