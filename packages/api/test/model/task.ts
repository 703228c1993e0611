/** What the model knows of a task, and what a client says of one when submitting it. */

/** A moment, as far as it matters: tests move times in the database, so nothing comes to pass by itself. */
export type Moment = 'past' | 'future' | null;

export interface Spec {
  readonly problem: string;
  /** Equal parameters of equal problems make equal tasks. */
  readonly parameters: { readonly n: number };
  readonly backend: string | null;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxAttempts: number;
  /** Before every further attempt; 0: none. */
  readonly backoffSeconds: number;
  readonly maxLost: number;
  readonly start: Moment;
  readonly expires: Moment;
  readonly runAnyway: boolean;
  readonly dedupeKey: string | null;
  readonly reuseSeconds: number | null;
}

export type DependencyKind = 'needs' | 'reuse';
export type EndStatus = 'completed' | 'failed' | 'timeout' | 'cancelled';
export type AttemptEnd = EndStatus | 'lost' | 'released';

export interface ModelAttempt {
  readonly worker: string;
  readonly session: string;
  readonly outcome: AttemptEnd;
  late: 'completed' | 'failed' | null;
}

/** Who runs a task. */
export interface Holder {
  readonly worker: string;
  readonly session: string;
  readonly backend: string;
  readonly request: string | null;
  overdue: boolean;
}

export interface ModelTask {
  readonly id: string;
  readonly spec: Spec;
  readonly retryOf: string | null;
  readonly scheduleId: string | null;
  readonly createdAtMs: number;
  priority: number;
  rank: number;
  state: 'waiting' | 'pending' | 'running' | EndStatus;
  /** Why it waits or how it ended; null: ready, running or completed. */
  reason: string | null;
  available: Moment;
  expires: Moment;
  attempt: number;
  failures: number;
  losses: number;
  holder: Holder | null;
  /** Whose attempt ended it. */
  endedBy: string | null;
  readonly attempts: ModelAttempt[];
  /** What each attempt said last of how far it was, by the attempt's number. */
  readonly progress: Map<number, number>;
  lines: number;
  linesBefore: number;
  /** Tasks it depends on, by the name under which the result is delivered. */
  readonly needs: { readonly parent: string; readonly name: string }[];
  /** Of those, and of the equal task it would take the result of, the ones that hold it back. */
  readonly open: Map<string, DependencyKind>;
  result: Record<string, unknown> | null;
  reusedFrom: string | null;
  /** What those wait for that this one runs in place of; null where it waited in vain for none. */
  standsFor: string | null;
}

export const isLive = (task: ModelTask): boolean => task.state === 'waiting' || task.state === 'pending' || task.state === 'running';
export const areEqual = (one: Spec, other: Spec): boolean => one.problem === other.problem && one.parameters.n === other.parameters.n;

/** The status that the contract shows. */
export const statusOf = (task: ModelTask): string => (task.state === 'waiting' ? 'pending' : task.state);
