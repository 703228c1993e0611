/** Delivers a final report: again and again, until the API gives a definite answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, backoffMs } from '@task-executor/shared';
import type { WorkerLog } from './log.js';

const RETRY = { initialMs: 200, maxMs: 10_000 };

/** Resolves when `send` was answered, with the refusal if it was one, or `stop` aborted: the attempt is not ours any more. */
export async function deliver(send: () => Promise<unknown>, stop: AbortSignal, log: WorkerLog, taskId: string): Promise<ApiError | null> {
  for (let failures = 1; !stop.aborted; failures++) {
    try {
      await send();
      return null;
    } catch (error) {
      if (error instanceof ApiError && !error.retryable) {
        log.info({ event: 'report_refused', task_id: taskId, code: error.code }, 'the API did not take a report');
        return error;
      }
      const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      log.warn({ event: 'report_delayed', task_id: taskId, error: String(error) }, 'a report will be sent again');
      await sleep(Math.max(asked, backoffMs(RETRY, failures, Math.random())), undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return null;
}
