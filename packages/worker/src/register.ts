/**
 * Registration: asked for until the API gives one, or refuses for good. All tries name one session, so that a copy which is carried out
 * late, or whose answer was lost, neither ends the session that a later try began nor leaves a second worker.
 */
import { randomUUID } from 'node:crypto';
import { ApiError, type ApiClient, type components } from '@task-executor/shared';
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
  let named: { session?: string } = { session: randomUUID() };
  let isTried = false;
  const attempt = async (): Promise<Registered> => {
    const at = monotonicMs();
    const wasTried = isTried;
    isTried = true;
    try {
      return { answer: await client.register({ ...registration(), ...named }, stop), at };
    } catch (error) {
      if (wasTried && isOver(error)) {
        named = { session: randomUUID() };
        isTried = false;
      } else if (named.session !== undefined && isUnknownToApi(error)) {
        named = {};
      } else {
        throw error;
      }
      return attempt();
    }
  };
  return untilTaken(attempt, {
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

/** Whether the session of an earlier try has been registered, and has ended since. */
function isOver(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'session_ended';
}

/** Whether the API is older than sessions that clients name. */
function isUnknownToApi(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'validation_failed' && error.problem.errors?.some(({ path }) => path === '/body/session') === true;
}
