/** What the API knows of a worker's fitness while a session goes on: each change is told with a heartbeat of its own, whatever runs. */
import type { ApiClient, WorkerIdentity } from '@task-executor/shared';
import { sayUnanswered } from './calls/answer.js';
import { untilTaken } from './calls/retry.js';
import type { Fitness } from './fitness.js';
import type { WorkerLog } from './log.js';

export interface FitnessNews {
  readonly client: ApiClient;
  readonly identity: WorkerIdentity;
  readonly fitness: Fitness;
  /** Aborts when the session is over. */
  readonly over: AbortSignal;
  /** Whether the API said by `error` that the session is over. */
  readonly endedBy: (error: unknown) => boolean;
  readonly log: WorkerLog;
}

/**
 * Tells the API, which knows `known`, of each change. Resolves with what it knows when the session is over, or when it refuses to be told,
 * as one does that is older than this.
 */
export async function tellFitness(
  known: string | null, { client, identity, fitness, over, endedBy, log }: FitnessNews,
): Promise<string | null> {
  while (!over.aborted) {
    if (fitness.reason === known) {
      await fitness.changed.next(over);
      continue;
    }
    const told = await untilTaken(async () => {
      const unfit = fitness.reason;
      await client.heartbeat(identity, { unfit }, over);
      return { unfit };
    }, {
      stop: over,
      isOver: endedBy,
      onRefusal: (error) => {
        const message = 'the API takes no word of this worker\'s fitness but with a registration';
        log.debug({ event: 'fitness_refused', error: error.message }, message);
      },
      onFailure: (error) => {
        const what = 'the API was not told whether this worker is fit; trying again';
        log.warn({ event: 'fitness_failed', error: String(error) }, sayUnanswered(what, error));
      },
    });
    if (told === null) break;
    known = told.unfit;
  }
  return known;
}
