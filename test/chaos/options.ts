/** What a run is asked for. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly mode: 'safety' | 'liveness';
  /** Keeps the folder with all records and logs. */
  readonly keep: boolean;
  /** Whether a run in which something never happened is no success; a very short one cannot have everything. */
  readonly mustCover: boolean;
}

/** Every kind of fault comes once in half of that, and a slow machine needs the rest for what the clients do. */
const SECONDS_TO_COVER = 120;

/** @throws for what it does not know */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string', default: '120' }, seed: { type: 'string' }, mode: { type: 'string', default: 'safety' }, keep: { type: 'boolean', default: false } },
  });
  const seconds = Number(values.seconds);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (!(seconds >= 10)) throw new Error('--seconds must be at least 10');
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed must be a whole number');
  if (values.mode !== 'safety' && values.mode !== 'liveness') throw new Error('--mode must be safety or liveness');
  return { seconds, seed, mode: values.mode, keep: values.keep, mustCover: seconds >= SECONDS_TO_COVER };
}
