/**
 * The results that the answer to a claim had no room for, read one by one before the task begins: to a program, null says that a task
 * before it did not complete. Where one cannot be had, the attempt has failed; handed back, the task would come again at once, and
 * go round for ever.
 */
import { AnswerTooLarge } from '@task-executor/shared';
import { isRefusal } from '../calls/answer.js';
import { pause, RETRY, retryDelayMs } from '../calls/retry.js';
import type { ExecutionContext, Failed, Task } from '../executors/executor.js';

/** @throws ApiError, ApiUnreachable */
export type ReadTask = (taskId: string, signal: AbortSignal) => Promise<Task>;

type Result = NonNullable<Task['result']>;

/** How long all results that are read for an attempt may be, as JSON: they are in memory, and in its files. */
const MAX_CHARS = 64 * 1024 * 1024;

/** `task` with every result that it depends on, or why it cannot have them. Resolves soon after `stop` aborts. */
export async function withDependencies(
  task: Task, readTask: ReadTask, log: ExecutionContext['log'], stop: AbortSignal, maxChars = MAX_CHARS,
): Promise<Task | Failed> {
  const { dependencies_truncated: truncated = [], dependency_task_ids: ids = {}, ...whole } = task;
  if (truncated.length === 0) return task;
  const results: [string, Result][] = [];
  let chars = 0;
  for (const name of truncated) {
    const id = ids[name];
    if (id === undefined) return unread(name, 'the API does not say which task has it');
    const result = await readResult(id, readTask, log, stop);
    if (typeof result === 'string') return unread(name, result);
    chars += JSON.stringify(result).length;
    if (chars > maxChars) {
      const why = `the results that come not with the claim have more than ${maxChars} characters together`;
      return { ...unread(name, why), retryable: false };
    }
    results.push([name, result]);
  }
  return { ...whole, dependencies: { ...whole.dependencies, ...Object.fromEntries(results) } };
}

/** The result of a task, or why there is none. */
async function readResult(id: string, readTask: ReadTask, log: ExecutionContext['log'], stop: AbortSignal): Promise<Result | string> {
  for (let failures = 1; !stop.aborted; failures++) {
    try {
      const { result } = await readTask(id, stop);
      return result ?? `task ${id} has none`;
    } catch (error) {
      if (isRefusal(error) || error instanceof AnswerTooLarge) return error.message;
      if (failures === 1 && !stop.aborted) {
        const what = `the result of task ${id}, which this one depends on, could not be read and is asked for again`;
        await log('warning', `${what}: ${String(error)}`);
      }
      await pause(retryDelayMs(error, failures, RETRY), stop);
    }
  }
  return 'the attempt was stopped';
}

function unread(name: string, why: string): Failed {
  return { kind: 'failed', error: `the result of "${name}", on which the task depends, could not be read: ${why}` };
}
