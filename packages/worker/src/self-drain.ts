/** A worker that leaves when what it runs has ended: the API is told, so that nobody waits for it to take more. */
import type { ApiClient, WorkerIdentity } from '@task-executor/shared';
import { sayUnanswered } from './calls/answer.js';
import { untilTaken } from './calls/retry.js';
import type { WorkerLog } from './log.js';

/** Asks the API to drain the worker, until the API itself answers or `over` aborts. */
export async function drainSelf(client: ApiClient, identity: WorkerIdentity, log: WorkerLog, over: AbortSignal): Promise<void> {
  await untilTaken(() => client.drain(identity, over), {
    stop: over,
    onRefusal: (error) => {
      log.debug({ event: 'self_drain_refused', error: error.message }, 'the API does not note that this worker takes nothing more');
    },
    onFailure: (error) => {
      const what = 'the API was not told that this worker takes nothing more; trying again';
      log.warn({ event: 'self_drain_failed', error: String(error) }, sayUnanswered(what, error));
    },
  });
}
