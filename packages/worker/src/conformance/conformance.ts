/** Runs a worker program, in any language, through every scenario, and judges it by the rules of docs/protocol.md. */
import { Bench, type BenchOptions } from './bench.js';
import { NotStarted } from './program.js';
import type { Level, Scenario, Verdict } from './rule.js';
import { claims } from './rules/claims.js';
import { crashes } from './rules/crashes.js';
import { fencing } from './rules/fencing.js';
import { heartbeats } from './rules/heartbeats.js';
import { leaving } from './rules/leaving.js';
import { registering } from './rules/registering.js';
import { reports } from './rules/reports.js';

export const SCENARIOS: readonly Scenario[] = [...registering, ...heartbeats, ...claims, ...reports, ...fencing, ...leaving, ...crashes];

/** The scenarios of a level; the full one has those of the basic one, too. */
export function scenariosOf(level: Level): readonly Scenario[] {
  return level === 'full' ? SCENARIOS : SCENARIOS.filter((scenario) => scenario.level === 'basic');
}

/**
 * The verdicts on the rules of `scenarios`, in their order. Of the scenarios `atOnce` are played at a time, each with a program
 * and an API of its own. @throws where the program cannot be started at all
 */
export async function* conformance(options: BenchOptions, scenarios: readonly Scenario[], { atOnce = 1 } = {}): AsyncGenerator<Verdict> {
  const lanes = Array.from({ length: atOnce }, (): Promise<unknown> => Promise.resolve());
  const played = scenarios.map((scenario, n) => {
    const verdicts = (lanes[n % atOnce] ?? Promise.resolve()).then(() => play(options, scenario));
    lanes[n % atOnce] = verdicts;
    verdicts.catch(() => undefined);
    return verdicts;
  });
  for (const verdicts of played) yield* await verdicts;
}

async function play(options: BenchOptions, scenario: Scenario): Promise<Verdict[]> {
  const bench = await Bench.open(options);
  let failure = 'the scenario ended before this was seen';
  try {
    await scenario.play(bench);
  } catch (error) {
    if (error instanceof NotStarted) throw error;
    failure = error instanceof Error ? error.message : String(error);
  } finally {
    await bench.close();
  }
  return Object.entries(scenario.rules).map(([rule, text]): Verdict => {
    const { kept, why } = bench.verdicts.get(rule) ?? { kept: false, why: failure };
    const verdict = kept === null ? 'unseen' : kept ? 'kept' : 'broken';
    return { rule, level: scenario.level, text, verdict, why: verdict === 'broken' ? why : '' };
  });
}

/** A line of the table. */
export function shown({ rule, level, text, verdict, why }: Verdict): string {
  return `${rule.padEnd(3)} ${level.padEnd(5)} ${verdict.padEnd(6)} ${text}${why === '' ? '' : `\n${' '.repeat(17)}${why}`}`;
}
