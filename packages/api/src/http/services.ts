/** What the handlers work with; made by the composition root (server.ts). */
import type { Logger } from 'pino';
import type { Aftermath } from '../aftermath.js';
import type { ArtifactStore } from '../artifacts/store.js';
import type { ApiConfig } from '../config.js';
import type { Databases } from '../db/database.js';
import type { Sessions } from '../fleet/sessions.js';
import type { InternalWorkers } from '../internal-workers.js';
import type { Metrics } from '../metrics.js';
import type { Readiness } from '../queue/readiness.js';
import type { Sweeper } from '../sweeping/sweeper.js';
import type { Follows } from '../waiting/follows.js';
import type { Groups } from '../waiting/groups.js';
import type { LeaseRounds } from '../waiting/lease-rounds.js';
import type { Wakeups } from '../waiting/wakeups.js';
import type { Watches } from '../waiting/watches.js';
import type { HeldBytes } from './held-bytes.js';

export interface Services {
  readonly config: ApiConfig;
  readonly databases: Databases;
  readonly groups: Groups;
  readonly sessions: Sessions;
  readonly readiness: Readiness;
  readonly wakeups: Wakeups;
  readonly watches: Watches;
  readonly leaseRounds: LeaseRounds;
  readonly follows: Follows;
  readonly aftermath: Aftermath;
  readonly artifacts: ArtifactStore;
  readonly sweeper: Sweeper;
  readonly metrics: Metrics;
  readonly internalWorkers: InternalWorkers;
  readonly held: HeldBytes;
  readonly log: Logger;
}
