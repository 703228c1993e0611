/** What a worker takes, and what it is compared with. */
import { supportsProblem } from '@task-executor/shared';

/**
 * A lane (see ARCHITECTURE) without its labels: what wake-ups go by. They need not know of limits, since a claim that is woken in
 * vain does no harm.
 */
export interface Lane {
  readonly problem_id: string;
  /** '' for any. */
  readonly backend_type: string;
}

/** The lane of a task. */
export function laneOf({ problem_id, backend_type }: { readonly problem_id: string; readonly backend_type: string | null }): Lane {
  return { problem_id, backend_type: backend_type ?? '' };
}

/** A text that is the same for equal lanes alone. */
export function laneKey({ problem_id, backend_type }: Lane): string {
  return `${problem_id} ${backend_type}`;
}

export interface Appetite {
  readonly globs: readonly string[];
  readonly backendType: string;
}

/** A text that is the same for equal appetites alone. */
export function keyOf({ globs, backendType }: Appetite): string {
  return JSON.stringify([backendType, ...globs]);
}

/** Whether a worker of this appetite takes the tasks of `lane`. */
export function fits({ globs, backendType }: Appetite, lane: Lane): boolean {
  return (lane.backend_type === '' || lane.backend_type === backendType) && supportsProblem(globs, lane.problem_id);
}
