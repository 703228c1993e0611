/** A worker that leaves when what it runs has ended: the API is told, so that nobody waits for it to take more. */
import type { ApiClient, WorkerIdentity } from '@task-executor/shared';
import { isRefusal } from './calls/answer.js';
import { pause, retryDelayMs } from './calls/retry.js';
import type { WorkerLog } from './log.js';

const RETRY = { initialMs: 200, maxMs: 5_000 };

/** Asks the API to drain the worker, until the API itself answers or `over` aborts. */
export async function drainSelf(client: ApiClient, identity: WorkerIdentity, log: WorkerLog, over: AbortSignal): Promise<void> {
  for (let failures = 1; !over.aborted; failures++) {
    try {
      await client.drain(identity, over);
      return;
    } catch (error) {
      if (over.aborted) return;
      if (isRefusal(error)) {
        log.debug({ event: 'self_drain_refused', error: error.message }, 'the API does not note that this worker takes nothing more');
        return;
      }
      await pause(retryDelayMs(error, failures, RETRY), over);
    }
  }
}
