/** What a module that runs tasks is written against: `export default ((task, context) => ...) satisfies Handler`. */
import type { components, LogLevel } from '@task-executor/shared';

type Schemas = components['schemas'];

export interface ModuleTask<Parameters = Record<string, unknown>> extends Omit<Schemas['Task'], 'parameters'> {
  readonly parameters: Parameters;
}

export interface ModuleContext {
  /** Adds a line to the task's log; `level` is info where it is not given. */
  log(level: LogLevel, message: string, context?: Record<string, unknown>): void;
  /** Says how far the task is; of what is said in quick succession the newest is sent. */
  progress(update: { step?: number; total?: number; message?: string; metrics?: Record<string, number> }): void;
  /** Aborts when the task is to stop; a handler that has not returned some seconds later is killed. */
  readonly signal: AbortSignal;
  /** The results of the tasks that this one depends on, by name; null for one that did not complete. */
  readonly dependencies: Readonly<Record<string, Record<string, unknown> | null>>;
  /** Files left in this folder are kept as artifacts. */
  readonly artifactsDir: string;
  /** A folder for this attempt alone, and the working folder unless the catalog names another. */
  readonly scratchDir: string;
}

/** An error that says more than that the task failed; any object with these properties will do. */
export interface HandlerError extends Error {
  /** False where another attempt would fail, too. */
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number;
}

/** Runs one task, in a process of its own. What it returns is the result; what it throws fails the task. */
export type Handler<Parameters = Record<string, unknown>> = (
  task: ModuleTask<Parameters>,
  context: ModuleContext,
) => Promise<Record<string, unknown> | undefined> | Record<string, unknown> | undefined;
