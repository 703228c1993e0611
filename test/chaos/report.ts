/** What a run says at its end. */
import type { Coverage } from './checker/coverage.js';
import type { Violation } from './checker/evidence.js';
import { storyAbout, storyOf } from './checker/story.js';
import type { Options } from './options.js';
import type { RunResult } from './run.js';

const MAX_STORIES = 3;
const MAX_VIOLATIONS = 30;

export interface Told {
  readonly options: Options;
  readonly result: RunResult;
  readonly violations: readonly Violation[];
  readonly coverage: Coverage;
  readonly missing: readonly string[];
  /** Where the records are; null: nowhere any more. */
  readonly folder: string | null;
}

export function tell({ options, result, violations, coverage, missing, folder }: Told): string[] {
  const { evidence, began, settleSeconds } = result;
  const taskIds = [...new Set(violations.flatMap(({ taskId }) => (taskId === null ? [] : [taskId])))].slice(0, MAX_STORIES);
  const matters = [...new Set(violations.flatMap(({ taskId, about }) => (taskId !== null || about === undefined ? [] : [about])))].slice(0, MAX_STORIES);
  return [
    '',
    ...Object.entries(coverage).map(([name, times]) => `${String(times).padStart(8)}  ${name}`),
    '',
    ...violations.slice(0, MAX_VIOLATIONS).map(({ rule, words }) => `BROKEN: ${rule}: ${words}`),
    ...taskIds.flatMap((taskId) => ['', `The story of ${taskId}:`, ...storyOf(taskId, evidence, began)]),
    ...matters.flatMap((about) => ['', `What is known of ${about}:`, ...storyAbout(about, evidence, began)]),
    ...(missing.length === 0 ? [] : ['', `${options.mustCover ? 'NOT COVERED' : 'not covered'}: ${missing.join(', ')}`]),
    ...(folder === null ? [] : ['', `All records are in ${folder}`]),
    '',
    `chaos: seed ${options.seed}, ${options.seconds} seconds, ${options.mode}: ${evidence.database.tasks.length} tasks, ${evidence.database.attempts.length} attempts, `
      + `${evidence.troubles.length} faults, finished ${settleSeconds.toFixed(1)} s after the last; ${violations.length === 0 ? 'no rule is broken' : `${violations.length} violations`}`,
  ];
}
