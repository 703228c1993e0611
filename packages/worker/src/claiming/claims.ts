/**
 * Claims as calls of the API: several tasks per call if the worker runs several; one per call otherwise, and from then on if the API does
 * not know claim-batch.
 */
import type { ApiClient, WorkerIdentity, components } from '@task-executor/shared';
import { isMissingCall } from '../calls/answer.js';
import type { Task } from '../executors/executor.js';
import type { LeaseTerms } from '../heartbeat/heartbeats.js';

export interface ClaimOptions {
  /** How many tasks may be taken; at least 1, at most LIMITS.maxClaimedTasks. */
  readonly room: number;
  readonly waitSeconds: number;
  readonly requestId: string;
  /** Whether the claim stands for heartbeats, which only claims for many can. */
  readonly isIdle: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Claimed {
  readonly tasks: readonly Task[];
  /** How long after it was made the claim renewed the lease, at least; only of an idle one. */
  readonly waitedSeconds: number;
  /** How long the next idle claim should wait, or null where the API does not say. */
  readonly nextWaitSeconds: number | null;
  /** The terms of the lease, or null where the API does not say. */
  readonly terms: LeaseTerms | null;
  readonly directives: components['schemas']['Directives'] | null;
}

/** Claims up to `room` tasks in one call. @throws ApiError, ApiUnreachable */
export type ClaimTasks = (worker: WorkerIdentity, options: ClaimOptions) => Promise<Claimed>;

const PLAIN = { waitedSeconds: 0, nextWaitSeconds: null, terms: null, directives: null };

/** The claims of a worker that runs `concurrency` tasks at a time. */
export function claimsOf(client: ApiClient, concurrency: number): ClaimTasks {
  let isSingle = concurrency === 1;
  const claim: ClaimTasks = async (worker, options) => {
    const { room, waitSeconds, requestId, isIdle, signal } = options;
    const body = { ...(waitSeconds > 0 ? { wait_seconds: waitSeconds } : {}), request_id: requestId };
    if (isSingle && !isIdle) {
      const task = await client.claim(worker, body, signal);
      return { ...PLAIN, tasks: task === null ? [] : [task] };
    }
    try {
      const answer = await client.claimMany(worker, { ...body, max_tasks: room, ...(isIdle && { idle: true }) }, signal);
      const { tasks, waited_seconds: waitedSeconds = 0, next_wait_seconds: nextWaitSeconds = null, directives = null } = answer;
      return { tasks, waitedSeconds, nextWaitSeconds, terms: termsIn(answer), directives };
    } catch (error) {
      if (!isMissingCall(error)) throw error;
      isSingle = true;
      return claim(worker, { ...options, isIdle: false });
    }
  };
  return claim;
}

function termsIn(answer: components['schemas']['ClaimedTasks']): LeaseTerms | null {
  const { lease_seconds: leaseSeconds, heartbeat_interval_seconds: intervalSeconds } = answer;
  if (leaseSeconds === undefined || intervalSeconds === undefined) return null;
  return { leaseMs: leaseSeconds * 1000, intervalMs: intervalSeconds * 1000 };
}
