/**
 * What clients asked and what they were answered. `ok`: done, as acknowledged; `fail`: refused, so not done; `unknown`: nobody
 * told. An operation is noted before it is sent, and is unknown until it is answered.
 */

export type Outcome = 'ok' | 'fail' | 'unknown';

interface Noted {
  readonly client: string;
  /** See clock.ts. */
  readonly began: number;
  ended: number | null;
  result: Outcome;
  /** Of a refusal, the code of its problem. */
  code: string | null;
}

/** One task as it was submitted. */
export interface Submission {
  readonly problem_id: string;
  readonly parameters: { readonly marker: string; readonly ticks: number; readonly lines: number; readonly failures: number };
  readonly [property: string]: unknown;
}

export interface Submit extends Noted {
  readonly verb: 'submit';
  /** The Idempotency-Key. */
  readonly key: string | null;
  readonly tasks: readonly Submission[];
  readonly form: 'one' | 'batch' | 'workflow';
  ids: readonly string[];
  /** Of a workflow that was acknowledged. */
  workflowId: string | null;
  /** Whether it was answered with a task that was there before, by its dedupe_key. */
  existed: boolean;
}

/** A task, or what did not complete of a workflow, to be run again as a new one, under a key. */
export interface Retry extends Noted {
  readonly verb: 'retry';
  readonly what: 'task' | 'workflow';
  readonly of: string;
  readonly key: string;
  /** The new task, or workflow. */
  newId: string | null;
}

/** Cancels or retries all tasks that have the label `set`, under a key. */
export interface Bulk extends Noted {
  readonly verb: 'bulk';
  readonly action: 'cancel' | 'retry';
  readonly set: string;
  readonly key: string;
  id: string | null;
  /** When it was seen to have finished, and what it said then. */
  finished: { readonly at: number; readonly examined: number; readonly changed: number } | null;
}

/** Pauses a problem or the whole queue (''), or drains a worker; or ends that. */
export interface Control extends Noted {
  readonly verb: 'control';
  readonly what: 'pause' | 'drain';
  /** False: it is to end. */
  readonly on: boolean;
  readonly target: string;
}

/** An event of a task, as its follower was told it. */
export interface FollowedEvent {
  /** The how-manieth stream it came by. */
  readonly stream: number;
  readonly id: string;
  readonly kind: string;
  readonly status: string | null;
  readonly attempt: number | null;
  readonly message: string | null;
}

/** Follows a task by as many streams as it takes; ok where its end was read. */
export interface Follow extends Noted {
  readonly verb: 'follow';
  readonly taskId: string;
  readonly events: FollowedEvent[];
  streams: number;
}

/** Stores a file of an attempt. */
export interface Upload extends Noted {
  readonly verb: 'upload';
  readonly session: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly name: string;
  /** Of the whole file, in hexadecimal, as its sender says; null: it was not noted. */
  readonly sha256: string | null;
  /** False: it was broken off on purpose. */
  readonly isWhole: boolean;
  artifactId: string | null;
}

/** Reads a file that an attempt left. */
export interface Download extends Noted {
  readonly verb: 'download';
  readonly taskId: string;
  readonly artifactId: string;
  sha256: string | null;
  bytes: number | null;
}

export interface Cancel extends Noted {
  readonly verb: 'cancel';
  readonly taskId: string;
}

export interface Register extends Noted {
  readonly verb: 'register';
  workerId: string | null;
  session: string | null;
}

export interface Claim extends Noted {
  readonly verb: 'claim';
  readonly session: string;
  readonly requestId: string | null;
  claimed: { readonly taskId: string; readonly attempt: number } | null;
}

export interface Logs extends Noted {
  readonly verb: 'logs';
  readonly session: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly offset: number;
  readonly messages: readonly string[];
}

export interface Report extends Noted {
  readonly verb: 'report';
  readonly how: 'completed' | 'failed' | 'released';
  readonly session: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly body: unknown;
}

/** A walk through all tasks by cursor, oldest first; ok where it came to the end. */
export interface Walk extends Noted {
  readonly verb: 'walk';
  ids: readonly string[];
}

/** The statistics, read when nothing was under way. */
export interface Statistics extends Noted {
  readonly verb: 'statistics';
  /** By their names in the contract. */
  counts: Readonly<Record<string, number>>;
  byProblem: Readonly<Record<string, number>>;
}

export type Operation = Submit | Retry | Bulk | Control | Follow | Upload | Download | Cancel | Register | Claim | Logs | Report | Walk | Statistics;

/** What its client says of an operation before it is sent. */
export type Asked<O extends Operation> = Omit<O, keyof Noted>;

export class History {
  readonly operations: Operation[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** In the time of its operations. */
  now(): number {
    return this.#now();
  }

  begin<O extends Operation>(client: string, asked: Asked<O>): O {
    const operation = { client, began: this.#now(), ended: null, result: 'unknown', code: null, ...asked } as unknown as O;
    this.operations.push(operation);
    return operation;
  }

  end(operation: Operation, result: Outcome, code: string | null = null): void {
    operation.ended = this.#now();
    operation.result = result;
    operation.code = code;
  }
}
