/** What a worker has done since its process began: plain counts, which its metrics are made of. */
import type { AttemptEnd } from './running/attempt.js';

export interface Tally {
  readonly claims: Record<'task' | 'nothing' | 'failed', number>;
  readonly heartbeats: Record<'answered' | 'failed', number>;
  readonly attempts: Record<AttemptEnd['kind'], number>;
  sessions: number;
}

export function newTally(): Tally {
  return {
    claims: { task: 0, nothing: 0, failed: 0 },
    heartbeats: { answered: 0, failed: 0 },
    attempts: { completed: 0, failed: 0, timeout: 0, cancelled: 0, lost: 0, fenced: 0, released: 0, unfit: 0, broken: 0 },
    sessions: 0,
  };
}
