/** The words of the contract for tasks, attempts, workers and log lines. A test shows them equal to the enums of openapi.yaml. */

/** Every value of a task's `status`. */
export const TASK_STATUSES = ['pending', 'running', 'completed', 'failed', 'timeout', 'cancelled'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The statuses that are final. */
export const TERMINAL_STATUSES = ['completed', 'failed', 'timeout', 'cancelled'] as const;
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

/** How an attempt can end. `lost` (its worker went away) and `released` (handed back) do not end the task by themselves. */
export const ATTEMPT_OUTCOMES = ['completed', 'failed', 'timeout', 'cancelled', 'lost', 'released'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Why a pending task is not running. The first four are about what is around the task, the others about the task itself. */
export const PENDING_REASONS = ['ready', 'unclaimable', 'paused', 'limited', 'scheduled', 'backing_off', 'blocked', 'reusing'] as const;

/** Why a task is in its status; see `TaskReason` in the contract. */
export const TASK_REASONS = [
  ...PENDING_REASONS, 'task_failed', 'workers_lost', 'timed_out', 'expired', 'cancel_requested', 'dependency_failed', 'reused',
] as const;
export type TaskReason = (typeof TASK_REASONS)[number];

export const WORKER_STATUSES = ['idle', 'busy', 'offline'] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** Levels of log lines, from the least to the most serious. */
export const LOG_LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
