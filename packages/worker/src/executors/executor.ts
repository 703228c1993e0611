/** What runs a task: a function from the task and its context to how it went. It must end soon after `signal` aborts. */
import type { components, LogLevel } from '@task-executor/shared';

export type Task = components['schemas']['Task'];

/** The folder of one attempt, and the files in it through which a worker and a program meet; see workspace.ts. */
export interface Workspace {
  /** The working folder of a program that is given no other. */
  readonly folder: string;
  /** The folder for temporary files. */
  readonly temporaryFolder: string;
  /** The task as it was claimed, as JSON. */
  readonly taskFile: string;
  readonly parametersFile: string;
  /** The results of the tasks that this one depends on, by name. */
  readonly dependenciesFile: string;
  /** Where the program leaves its result, a JSON object. */
  readonly resultFile: string;
  /** Where the program appends its events; see events.ts. */
  readonly eventsFile: string;
  /** Files left in here are kept as artifacts of the attempt. */
  readonly artifactsFolder: string;
}

/** How far a task is. What is absent stays as it was said last; metrics are kept by name. */
export interface ProgressUpdate {
  readonly step?: number;
  readonly total?: number;
  readonly message?: string;
  readonly metrics?: Readonly<Record<string, number>>;
}

export interface ExecutionContext {
  readonly task: Task;
  /** Aborts when the task is to stop: cancelled, timed out, lost, or the worker leaves. */
  readonly signal: AbortSignal;
  /** Adds a line to the task's log; waiting for it keeps a fast writer from filling the worker's memory. */
  readonly log: (level: LogLevel, message: string, context?: Record<string, unknown>) => Promise<void>;
  /** Notes how far the task is. Never waits: of what is said in quick succession the newest is sent. */
  readonly progress: (update: ProgressUpdate) => void;
  /** The attempt's folder, made at the first call. @throws Unfit where this host cannot make one */
  readonly workspace: () => Promise<Workspace>;
  /**
   * Notes how the task went where more is to be run after it, which cannot change that: a stop that comes later is too late.
   * Resolves when it is kept. Of an executor that does not call it, what it returns is noted.
   */
  readonly decide: (execution: Execution) => Promise<void>;
}

/** The task did what it was to do. */
export interface Completed {
  readonly kind: 'completed';
  readonly result: Record<string, unknown>;
  /** Why this host should run nothing more for now, though this task ended well; absent where it may. */
  readonly unfit?: string;
}

/** The task failed, by its own doing. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: string;
  /** False where another attempt would fail, too. True where absent. */
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number;
  readonly unfit?: string;
}

/** The task was not tried, or failed because of this host: it goes back to the queue, and the worker takes no other. */
export interface NotRun {
  readonly kind: 'unfit';
  readonly reason: string;
}

export type Execution = Completed | Failed | NotRun;

export type Executor = (context: ExecutionContext) => Promise<Execution>;

/** Thrown where this host cannot run a task: a program is missing, a disk is full. Becomes an execution of kind 'unfit'. */
export class Unfit extends Error {}

/** How the task went, also where `run` throws. */
export async function executionOf(run: () => Promise<Execution>): Promise<Execution> {
  try {
    return await run();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return error instanceof Unfit ? { kind: 'unfit', reason: words } : { kind: 'failed', error: `the executor broke: ${words}` };
  }
}
