/** Waiting for tasks to end: many at once, few calls at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, TERMINAL_STATUSES, type components } from '@task-executor/shared';
import { EXIT, Failure, FailureOf, type ExitCode } from './exit.js';
import type { Invocation } from './invocation.js';
import { counted } from './text/amounts.js';
import { duration } from './text/time.js';

type Task = components['schemas']['Task'];

/** How many tasks are asked about at a time. */
const CONCURRENCY = 8;
/** How long the API is asked to wait; proxies give up after half a minute or more. */
const WAIT_SECONDS = 20;
/** The shortest time between two calls about a task, where the API does not wait. */
const LEAST_MS = 250;

function hasEnded({ status }: Pick<Task, 'status'>): boolean {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}

/** Until when to wait, by the monotonic clock. */
export interface Deadline {
  readonly seconds: number;
  readonly atMs: number;
}

/** The deadline in so many seconds; without them, null: as long as it takes. */
export function deadlineIn(seconds: number | undefined): Deadline | null {
  return seconds === undefined ? null : { seconds, atMs: performance.now() + seconds * 1000 };
}

/** @throws Failure when the time is over */
export function checkDeadline(deadline: Deadline | null): void {
  if (deadline !== null && performance.now() >= deadline.atMs) {
    throw new Failure(EXIT.waitedTooLong, `What was waited for has not ended within ${duration(deadline.seconds)}; it goes on.`);
  }
}

/** `ms`, cut off at the deadline. */
export function within(deadline: Deadline | null, ms: number): number {
  return deadline === null ? ms : Math.min(ms, Math.max(0, deadline.atMs - performance.now()));
}

/** Gives the task when it has ended. @throws Failure when the time is over */
async function untilEnded(invocation: Invocation, taskId: string, deadline: Deadline | null): Promise<Task> {
  for (;;) {
    const askedAt = performance.now();
    const task = await invocation.client.getTask(taskId, Math.floor(within(deadline, WAIT_SECONDS * 1000)) / 1000);
    invocation.bePatient();
    if (hasEnded(task)) return task;
    checkDeadline(deadline);
    await sleep(within(deadline, Math.max(0, askedAt + LEAST_MS - performance.now())), undefined, { signal: invocation.interrupted });
  }
}

/** Waits for all of the tasks, and gives each to `onEnd` when it has ended. @throws Failure when the time is over */
export async function untilAllEnded(
  invocation: Invocation, taskIds: readonly string[], deadline: Deadline | null, onEnd: (task: Task) => Promise<void>,
): Promise<void> {
  const waiting = taskIds.values();
  let ended = 0;
  const show = (): void => {
    invocation.terminal.bar(`${ended} of ${counted(taskIds.length, 'task')} ended`, ended, taskIds.length);
  };
  const waitOne = async (): Promise<void> => {
    for (const taskId of waiting) {
      const task = await untilEnded(invocation, taskId, deadline).catch((error: unknown) => {
        throw taskIds.length > 1 && error instanceof ApiError ? new FailureOf(taskId, error) : error;
      });
      ended += 1;
      await onEnd(task);
      show();
    }
  };
  show();
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, taskIds.length) }, waitOne));
  invocation.terminal.endBar();
}

/** The exit code of a command that waited: whether all have completed. */
export function exitCodeOf(tasks: Iterable<Pick<Task, 'status'>>): ExitCode {
  for (const { status } of tasks) if (status !== 'completed') return EXIT.unsuccessful;
  return EXIT.ok;
}
