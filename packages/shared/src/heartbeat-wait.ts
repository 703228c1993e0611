/**
 * The longest that a worker which runs nothing is without an answer to a heartbeat: it has only its lease to renew. Both times in the
 * same unit, as is the answer.
 */
export function idleHeartbeatWait({ interval, lease }: { readonly interval: number; readonly lease: number }): number {
  return Math.max(interval, lease / 4);
}
