/** A session as its worker sees it: what it is made of, and how it ended. */
import type { ApiClient, ApiHeaders, components } from '@task-executor/shared';
import type { Catalog } from './catalog/catalog.js';
import type { ClaimTasks } from './claiming/claims.js';
import type { Fitness } from './fitness.js';
import type { Pulses } from './heartbeat/pulse.js';
import type { WorkerLog } from './log.js';
import type { Outboxes } from './reporting/outboxes.js';
import type { Tally } from './tally.js';

/** Why a session ended: fenced off for good, over and to be replaced, left, or to be replaced by the worker's own wish. */
export type SessionEnd = 'superseded' | 'lapsed' | 'left' | 'renewed';

export interface SessionParts {
  readonly registered: components['schemas']['WorkerSession'];
  /** When the registration was asked for, see monotonicMs. */
  readonly registeredAt: number;
  readonly apiUrl: string;
  readonly apiHeaders: ApiHeaders;
  readonly client: ApiClient;
  readonly pulses: Pulses;
  readonly outboxes: Outboxes;
  readonly catalog: Catalog;
  readonly concurrency: number;
  readonly claim: ClaimTasks;
  readonly fitness: Fitness;
  readonly tally: Tally;
  /** How many more tasks the worker may begin. */
  readonly left: () => number;
  readonly onBegin: () => void;
  readonly onFinish: () => void;
  readonly log: WorkerLog;
}
