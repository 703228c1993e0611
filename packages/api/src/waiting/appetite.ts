/** What a worker takes, and what it is compared with. */
import { supportsProblem } from '@task-executor/shared';

/** A problem and a backend ('' for any) that have pending tasks. */
export interface Lane {
  readonly problem_id: string;
  readonly backend_type: string;
}

export interface Appetite {
  readonly globs: readonly string[];
  readonly backendType: string;
}

/** The same text for equal appetites alone. */
export function keyOf({ globs, backendType }: Appetite): string {
  return JSON.stringify([backendType, ...globs]);
}

/** Whether a worker of this appetite takes the tasks of `lane`. */
export function fits({ globs, backendType }: Appetite, lane: Lane): boolean {
  return (lane.backend_type === '' || lane.backend_type === backendType) && supportsProblem(globs, lane.problem_id);
}
