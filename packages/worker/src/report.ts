/**
 * The final report of an attempt, and its delivery. Here, and nowhere else, a report becomes a call of the API: one call for
 * each, which the API answers the same way however often it is repeated.
 */
import type { ApiClient, WorkerIdentity, components } from '@task-executor/shared';

type Schemas = components['schemas'];

export type Report =
  | { readonly verb: 'complete'; readonly body: Record<string, unknown> }
  | { readonly verb: 'fail'; readonly body: Schemas['Failure'] }
  | { readonly verb: 'release'; readonly body: Schemas['Release'] };

/** What outboxes need of the API. */
export interface Courier {
  /** @throws ApiError, ApiUnreachable */
  report(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], report: Report): Promise<void>;
  /** Appends to the attempt's log, and resolves with the number of its lines. @throws ApiError, ApiUnreachable */
  logs(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], batch: Schemas['LogBatch']): Promise<number>;
}

/** A courier that makes one call for each report and batch. */
export function courierOf(client: ApiClient): Courier {
  return {
    report: async (worker, attempt, { verb, body }) => {
      if (verb === 'complete') await client.complete(worker, attempt, body);
      else if (verb === 'fail') await client.fail(worker, attempt, body);
      else await client.release(worker, attempt, body);
    },
    logs: async (worker, attempt, batch) => (await client.appendLogs(worker, attempt, batch)).next_offset,
  };
}
