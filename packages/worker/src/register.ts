/** Registration: asked for until the API gives one, or refuses for good. */
import type { ApiClient, components } from '@task-executor/shared';
import { sayUnanswered } from './calls/answer.js';
import { untilTaken } from './calls/retry.js';
import { monotonicMs } from './heartbeat/heartbeats.js';
import type { WorkerLog } from './log.js';

type Schemas = components['schemas'];

export interface Registered {
  readonly answer: Schemas['WorkerSession'];
  /** When it was asked for, see monotonicMs: the lease counts from here. */
  readonly at: number;
}

const BOUNDS = { initialMs: 300, maxMs: 10_000 };

/** Registers as `registration` gives at each try, however long the API is away. Null: it refuses, or `stop` has aborted. */
export async function register(
  client: ApiClient, registration: () => Schemas['WorkerRegistration'], log: WorkerLog, stop: AbortSignal,
): Promise<Registered | null> {
  return untilTaken(async () => {
    const at = monotonicMs();
    return { answer: await client.register(registration(), stop), at };
  }, {
    stop,
    bounds: BOUNDS,
    onRefusal: (error) => {
      log.error({ event: 'registration_refused', error: error.message }, 'the API refuses the registration');
    },
    onFailure: (error) => {
      const what = 'the API did not answer the registration; trying again';
      log.warn({ event: 'registration_failed', error: String(error) }, sayUnanswered(what, error));
    },
  });
}
