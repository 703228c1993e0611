/** Submissions of the model as a client would write them. */
import type { Moment, Spec } from './task.js';

const HOUR_MS = 3_600_000;

const at = (moment: NonNullable<Moment>): string => new Date(Date.now() + (moment === 'future' ? HOUR_MS : -HOUR_MS)).toISOString();

/** What every submission of a task says, wherever it stands. */
export function commonBody(spec: Spec, byDelay: boolean): Record<string, unknown> {
  return {
    problem_id: spec.problem, parameters: spec.parameters, backend_type: spec.backend, priority: spec.priority, labels: spec.labels,
    max_lost: spec.maxLost, retry: { max_attempts: spec.maxAttempts, initial_seconds: spec.backoffSeconds, jitter: 0 },
    ...(spec.start === null ? {} : byDelay && spec.start === 'future' ? { delay_seconds: HOUR_MS / 1000 } : { run_at: at(spec.start) }),
    ...(spec.expires === null ? {} : { expires_at: at(spec.expires) }),
    on_dependency_failure: spec.runAnyway ? 'run_anyway' : 'cancel',
  };
}

export function bodyOf(spec: Spec, parents: readonly string[], byDelay = false): Record<string, unknown> {
  return {
    ...commonBody(spec, byDelay),
    ...(parents.length === 0 ? {} : { depends_on: parents }),
    ...(spec.dedupeKey === null ? {} : { dedupe_key: spec.dedupeKey }),
    ...(spec.reuseSeconds === null ? {} : { reuse: { max_age_seconds: spec.reuseSeconds } }),
  };
}
