/** How long calls of workers hang, in seconds: what the API asks for, and what counts of what they ask for. */
import { idleHeartbeatWait, LIMITS } from '@task-executor/shared';
import type { ApiConfig } from '../config.js';

/**
 * How often the claims of idle workers come back, all together that wait in a process. Each costs the API about a millisecond of CPU where
 * they are so far apart: ten thousand that came back after 55 seconds took 12 % of a core, and as much again for each other call that they
 * made meanwhile.
 */
const IDLE_CLAIMS_PER_SECOND = 15;

/** How long a claim should wait: a worker that sends no heartbeats meanwhile keeps its lease. */
export function claimWait({ claimWaitSeconds, leaseSeconds }: Pick<ApiConfig, 'claimWaitSeconds' | 'leaseSeconds'>): number {
  return Math.min(claimWaitSeconds, leaseSeconds / 2);
}

/** How long the next claim of an idle worker should wait where `waiting` claims do; undefined: no longer than any claim. */
export function nextIdleWait(
  config: Pick<ApiConfig, 'claimWaitSeconds' | 'idleClaimWaitSeconds' | 'leaseSeconds'>, waiting: number,
): number | undefined {
  const seconds = Math.min(waiting / IDLE_CLAIMS_PER_SECOND, config.idleClaimWaitSeconds);
  return seconds > claimWait(config) ? seconds : undefined;
}

/** The seconds that a claim waits, of those that it asks for. */
export function waitOfClaim(wanted: number, isIdle: boolean): number {
  return Math.min(wanted, isIdle ? LIMITS.maxIdleClaimWaitSeconds : LIMITS.maxClaimWaitSeconds);
}

/** The longest that a worker which runs nothing has to be without an answer to a heartbeat. */
export function idleBeatWait(
  { heartbeatIntervalSeconds, leaseSeconds }: Pick<ApiConfig, 'heartbeatIntervalSeconds' | 'leaseSeconds'>,
): number {
  return idleHeartbeatWait({ interval: heartbeatIntervalSeconds, lease: leaseSeconds });
}
