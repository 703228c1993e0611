/** All that the checker goes by: what clients noted, what really ran, what went wrong when, and what the database holds. */
import type { Operation } from '../clients/history.js';
import type { Trouble } from '../nemesis/nemesis.js';
import type { ProxyCounts } from '../network/proxy.js';

/** A task's command as it ran, by its own words. All times: see clock.ts. */
export interface Run {
  readonly taskId: string;
  readonly attempt: number;
  /** The name of the worker's host. */
  readonly host: string;
  readonly began: number;
  /** When it last said that it runs, or ended. */
  readonly lastSeen: number;
  readonly ended: boolean;
}

export interface TaskRow {
  readonly id: string;
  readonly problemId: string;
  /** What its submitter put into its parameters; null: another submission. */
  readonly marker: string | null;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly createdAt: number;
  /** Null: at once. */
  readonly runAt: number | null;
  readonly scheduleId: string | null;
  readonly parents: readonly string[];
  /** Whether it runs where one of them does not complete. */
  readonly runAnyway: boolean;
  readonly maxAttempts: number;
  readonly maxLost: number;
  /** In its workflow. */
  readonly name: string | null;
  readonly workflowId: string | null;
  /** The task of which it is another run. */
  readonly retryOf: string | null;
  readonly dedupeKey: string | null;
  /** Null: it takes nobody's result. */
  readonly reuseSeconds: number | null;
  readonly parameters: unknown;
}

export interface WorkflowRow {
  readonly id: string;
  readonly retryOf: string | null;
}

export interface BulkRow {
  readonly id: string;
  readonly action: 'cancel' | 'retry';
  /** The label `set` of the tasks that it is about. */
  readonly set: string;
  readonly state: 'running' | 'done' | 'stopped';
  readonly examined: number;
  readonly changed: number;
  readonly endedAt: number | null;
}

export interface ArtifactRow {
  readonly id: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly name: string;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface QueueRow {
  readonly taskId: string;
  readonly state: 'waiting' | 'pending' | 'running';
  readonly attempt: number;
  readonly startedAt: number | null;
}

export interface OutcomeRow {
  readonly taskId: string;
  readonly status: 'completed' | 'failed' | 'timeout' | 'cancelled';
  readonly reason: string | null;
  readonly attempt: number;
  readonly sessionId: string | null;
  readonly endedAt: number;
  readonly result: unknown;
  readonly reusedFrom: string | null;
  readonly error: string | null;
}

export interface AttemptRow {
  readonly taskId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: 'completed' | 'failed' | 'timeout' | 'cancelled' | 'lost' | 'released';
  readonly error: string | null;
}

export interface LogRow {
  readonly taskId: string;
  readonly line: number;
  readonly attempt: number;
  readonly message: string;
}

export interface ScheduleRow {
  readonly id: string;
  readonly fires: number;
  readonly skips: number;
  readonly nextAt: number;
  /** When it was to fire first, and how often after that: what its maker was told. */
  readonly firstAt: number;
  readonly periodMs: number;
}

export interface LimitRow {
  readonly label: string;
  readonly value: string;
  readonly maxRunning: number;
}

/** The database at one moment, when nothing was under way any more. */
export interface Snapshot {
  readonly tasks: readonly TaskRow[];
  readonly workflows: readonly WorkflowRow[];
  readonly bulks: readonly BulkRow[];
  readonly artifacts: readonly ArtifactRow[];
  readonly queue: readonly QueueRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly attempts: readonly AttemptRow[];
  /** By task and line. */
  readonly logs: readonly LogRow[];
  readonly schedules: readonly ScheduleRow[];
  readonly limits: readonly LimitRow[];
  /** What the queries of invariants.ts found wrong, one a line. */
  readonly breaches: readonly string[];
}

/** What the queries of invariants.ts found wrong at one moment. */
export interface Sample {
  readonly at: number;
  readonly breaches: readonly string[];
}

export interface Evidence {
  readonly operations: readonly Operation[];
  readonly runs: readonly Run[];
  readonly troubles: readonly Trouble[];
  /** What the faults of the network really did, on all ways together. */
  readonly ways: Readonly<ProxyCounts>;
  readonly database: Snapshot;
  /** What was looked at while everything was under way. */
  readonly samples: readonly Sample[];
  /** Sessions of workers whose commands leave runs. */
  readonly realSessions: ReadonlySet<string>;
  /** Which host a session belongs to. */
  readonly hostOfSession: ReadonlyMap<string, string>;
}

/** Something that must not be. */
export interface Violation {
  readonly rule: string;
  readonly words: string;
  /** Whose story is to be told. */
  readonly taskId: string | null;
  /** What it is to be told of where it is not that of one task: an id or a key that operations and rows name, or a verb. */
  readonly about?: string;
}

/** One thing that must hold; what breaks it. */
export type Rule = (evidence: Evidence) => Violation[];

export const keyOf = ({ taskId, attempt }: { readonly taskId: string; readonly attempt: number }): string => `${taskId}/${attempt}`;

/** Groups `all` by what `of` says of each. */
export function groupBy<T>(all: readonly T[], of: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = of(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
