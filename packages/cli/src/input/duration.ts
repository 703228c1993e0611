/** Durations and moments as people type them. Every parser throws InvalidArgumentError, which commander shows with the option. */
import { InvalidArgumentError } from 'commander';

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 7 * 86_400 };
const PART = /([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|m|h|d|w)\s*/y;

/** The seconds of a duration such as `90`, `90s`, `30m`, `1h30m`, `2d`; null where `text` is none. */
function secondsOf(text: string): number | null {
  const trimmed = text.trim();
  if (/^[0-9]+(\.[0-9]+)?$/.test(trimmed)) return Number(trimmed);
  PART.lastIndex = 0;
  let seconds = 0;
  for (let part = PART.exec(trimmed); part !== null; part = PART.exec(trimmed)) {
    seconds += Number(part[1]) * (UNITS[part[2] ?? ''] ?? NaN);
    if (PART.lastIndex === trimmed.length) return Math.round(seconds * 1000) / 1000;
  }
  return null;
}

/** Seconds, maybe with a fraction. */
export function parseDuration(text: string): number {
  const seconds = secondsOf(text);
  if (seconds === null) throw new InvalidArgumentError('It must be a duration such as 90s, 30m, 1h30m or 2d.');
  return seconds;
}

/** Whole seconds, at least 1. */
export function parseWholeSeconds(text: string): number {
  const seconds = parseDuration(text);
  if (!Number.isInteger(seconds) || seconds < 1) throw new InvalidArgumentError('It must be whole seconds, at least one.');
  return seconds;
}

/** A time as of parseTime(), or the moment that lies a duration back by this host's clock; as ISO 8601 in UTC. */
export function parseMoment(text: string): string {
  const seconds = secondsOf(text);
  if (seconds !== null) return new Date(Date.now() - seconds * 1000).toISOString();
  return parseTime(text);
}

/** A moment in ISO 8601, which is meant in the local zone where it names none; as ISO 8601 in UTC. */
export function parseTime(text: string): string {
  const moment = /^\d{4}-\d{2}-\d{2}/.test(text.trim()) ? new Date(dated(text.trim())) : null;
  if (moment === null || Number.isNaN(moment.getTime())) {
    throw new InvalidArgumentError('It must be a time such as 2026-01-06T02:00:00Z or 2026-01-06.');
  }
  return moment.toISOString();
}

/** Adds a time to a date alone, which JavaScript would take for UTC: it is meant in the local zone, as a date with a time is. */
function dated(text: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text;
}
