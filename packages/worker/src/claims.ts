/**
 * Claims as calls of the API: many tasks at once where the worker runs more than one, one at a time else, and for good where the
 * API is older than the call for many.
 */
import { ApiError, type ApiClient, type WorkerIdentity } from '@task-executor/shared';
import type { Task } from './executors/executor.js';

export interface ClaimOptions {
  /** How many tasks may be taken; at least 1, at most LIMITS.maxClaimedTasks. */
  readonly room: number;
  readonly waitSeconds: number;
  readonly requestId: string;
  readonly signal?: AbortSignal | undefined;
}

/** Claims up to `room` tasks in one call. @throws ApiError, ApiUnreachable */
export type ClaimTasks = (worker: WorkerIdentity, options: ClaimOptions) => Promise<readonly Task[]>;

/** The claims of a worker that runs `concurrency` tasks at a time. */
export function claimsOf(client: ApiClient, concurrency: number): ClaimTasks {
  let isSingle = concurrency === 1;
  const claim: ClaimTasks = async (worker, options) => {
    const { room, waitSeconds, requestId, signal } = options;
    const body = { ...(waitSeconds > 0 ? { wait_seconds: waitSeconds } : {}), request_id: requestId };
    if (isSingle) {
      const task = await client.claim(worker, body, signal);
      return task === null ? [] : [task];
    }
    try {
      return await client.claimMany(worker, { ...body, max_tasks: room }, signal);
    } catch (error) {
      if (!isMissingCall(error)) throw error;
      isSingle = true;
      return claim(worker, options);
    }
  };
  return claim;
}

/** Whether the API does not know the call at all; it is older than the contract of this worker. */
export function isMissingCall(error: unknown): boolean {
  // By the API's own word: a proxy may answer 404 to whatever it does not like for a moment.
  return error instanceof ApiError && error.code === 'path_not_found';
}
