/** Waiting for tasks to end: many at once, few calls at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, TERMINAL_STATUSES, type components } from '@task-executor/shared';
import { EXIT, Failure, type ExitCode } from './exit.js';
import type { Invocation } from './invocation.js';
import { counted, duration } from './text/time.js';

type Task = components['schemas']['Task'];

/** How many tasks are asked for at a time. */
const CONCURRENCY = 8;
const POLL = { initialMs: 250, maxMs: 4_000 };

export function hasEnded({ status }: Pick<Task, 'status'>): boolean {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}

/** Until when to wait; null: as long as it takes. */
export interface Deadline {
  readonly seconds: number;
  readonly at: number;
}

export function deadlineIn(seconds: number | undefined): Deadline | null {
  return seconds === undefined ? null : { seconds, at: performance.now() + seconds * 1000 };
}

/** @throws Failure when the time is over */
export function checkDeadline(deadline: Deadline | null): void {
  if (deadline !== null && performance.now() >= deadline.at) {
    throw new Failure(EXIT.waitedTooLong, `What was waited for has not ended within ${duration(deadline.seconds)}; it goes on.`);
  }
}

/** The task, when it has ended. `onChange` is told how it stands meanwhile. @throws Failure when the time is over */
export async function untilEnded(invocation: Invocation, taskId: string, deadline: Deadline | null, onChange: (task: Task) => void): Promise<Task> {
  for (let tries = 1; ; tries++) {
    const task = await invocation.client.getTask(taskId);
    invocation.bePatient();
    onChange(task);
    if (hasEnded(task)) return task;
    checkDeadline(deadline);
    await pause(invocation, POLL, tries, deadline);
  }
}

/** Waits before the next look; longer each time, never beyond the deadline. */
export async function pause({ interrupted }: Invocation, backoff: typeof POLL, tries: number, deadline: Deadline | null): Promise<void> {
  const left = deadline === null ? Infinity : Math.max(0, deadline.at - performance.now());
  await sleep(Math.min(left, backoffMs(backoff, tries, Math.random())), undefined, { signal: interrupted });
}

/** All of the tasks when they have ended, given to `onEnd` one by one in that order. */
export async function untilAllEnded(invocation: Invocation, taskIds: readonly string[], deadline: Deadline | null, onEnd: (task: Task) => Promise<void>): Promise<void> {
  const waiting = taskIds.values();
  let ended = 0;
  const showProgress = (): void => {
    invocation.terminal.bar(`${ended} of ${counted(taskIds.length, 'task')} ended`, ended, taskIds.length);
  };
  const waitOne = async (): Promise<void> => {
    for (const taskId of waiting) {
      const task = await untilEnded(invocation, taskId, deadline, showProgress);
      ended += 1;
      await onEnd(task);
      showProgress();
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, taskIds.length) }, waitOne));
  invocation.terminal.done();
}

/** Whether what was waited for ended well. */
export function exitCodeOf(tasks: Iterable<Pick<Task, 'status'>>): ExitCode {
  for (const { status } of tasks) if (status !== 'completed') return EXIT.unsuccessful;
  return EXIT.ok;
}
