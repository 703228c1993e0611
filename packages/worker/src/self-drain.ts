/** A worker that leaves when what it runs has ended: the API is told, so that nobody waits for it to take more. */
import { ApiError, type ApiClient, type WorkerIdentity } from '@task-executor/shared';
import { pause, retryDelayMs } from './calls/retry.js';
import type { WorkerLog } from './log.js';

const RETRY = { initialMs: 200, maxMs: 5_000 };

/** Asks the API to drain the worker, until it is answered or `over` aborts. */
export async function drainSelf(client: ApiClient, identity: WorkerIdentity, log: WorkerLog, over: AbortSignal): Promise<void> {
  for (let failures = 1; !over.aborted; failures++) {
    try {
      await client.drain(identity, over);
      return;
    } catch (error) {
      if (over.aborted) return;
      if (error instanceof ApiError && !error.retryable) {
        log.debug({ event: 'self_drain_refused', error: error.message }, 'the API does not note that this worker takes nothing more');
        return;
      }
      await pause(retryDelayMs(error, failures, RETRY), over);
    }
  }
}
