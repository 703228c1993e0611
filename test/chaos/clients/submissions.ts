/** What is submitted: all that the service can be asked for, in the proportions in which it goes wrong most. */
import type { Random } from '../random.js';
import { LONG_TICKS } from '../settings.js';
import type { Submission } from './history.js';

/** Whatever strands a task, this ends its attempt within the time of a run. */
const TIMEOUT_SECONDS = 15;

type Kind = (random: Random, recent: readonly string[]) => { readonly ticks?: number; readonly lines?: number; readonly failures?: number } & Record<string, unknown>;

/** By weight. */
const KINDS: readonly (readonly [number, Kind])[] = [
  [10, () => ({})],
  [3, (random) => ({ ticks: random.whole(15, 45) })],
  [3, (random) => ({ failures: random.whole(1, 2), retry: { max_attempts: 3, initial_seconds: random.pick([0, 0.2, 0.5]) } })],
  [1, () => ({ failures: 999, retry: { max_attempts: 2, initial_seconds: 0.1 } })],
  [2, (random) => ({ ticks: LONG_TICKS, timeout_seconds: 1, retry: { max_attempts: random.whole(1, 2), initial_seconds: 0 } })],
  [5, (random, recent) => ({
    depends_on: [...new Set(Array.from({ length: random.whole(1, 3) }, () => random.pick(recent)))],
    on_dependency_failure: random.pick(['cancel', 'run_anyway']),
  })],
  [3, (random) => ({ labels: { lane: 'narrow' }, ticks: random.whole(1, 5) })],
  [2, (random) => ({ delay_seconds: random.pick([0.3, 1, 3]) })],
  [1, (random) => ({ lines: random.whole(200, 700) })],
  [1, () => ({ max_lost: 1 })],
];

export function makeSubmission(random: Random, marker: string, recent: readonly string[]): Submission {
  const kinds = KINDS.flatMap(([weight, kind]) => Array.from({ length: weight }, () => kind));
  const { ticks = random.whole(0, 8), lines = random.whole(0, 12), failures = 0, ...rest } = recent.length === 0 ? {} : random.pick(kinds)(random, recent);
  return {
    problem_id: random.pick(['chaos-a', 'chaos-b', 'chaos-c']), parameters: { marker, ticks, lines, failures },
    priority: random.whole(0, 10), timeout_seconds: TIMEOUT_SECONDS, max_lost: 20, ...rest,
  };
}
