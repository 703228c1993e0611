/** What runs a task: a function from the task and its context to how it went. It must end soon after `signal` aborts. */
import type { components, LogLevel } from '@task-executor/shared';

export type Task = components['schemas']['Task'];

export interface ExecutionContext {
  readonly task: Task;
  /** Aborts when the task is to stop: cancelled, timed out, lost, or the worker leaves. */
  readonly signal: AbortSignal;
  /** Adds a line to the task's log; waiting for it keeps a fast writer from filling the worker's memory. */
  readonly log: (level: LogLevel, message: string, context?: Record<string, unknown>) => Promise<void>;
}

export type Execution =
  | { readonly kind: 'completed'; readonly result: Record<string, unknown> }
  | { readonly kind: 'failed'; readonly error: string }
  /** Nothing is wrong with the task, but this worker cannot run it. */
  | { readonly kind: 'unfit'; readonly reason: string };

export type Executor = (context: ExecutionContext) => Promise<Execution>;
