/** What the handlers work with; made by the composition root (server.ts). */
import type { Request } from 'express';
import type { Logger } from 'pino';
import type { Aftermath } from '../aftermath.js';
import type { ArtifactStore } from '../artifacts/store.js';
import type { ApiConfig } from '../config.js';
import type { Databases } from '../db/database.js';
import type { Sessions } from '../fleet/sessions.js';
import type { Groups } from '../waiting/groups.js';
import type { Follows } from '../waiting/follows.js';
import type { InternalWorkers } from '../internal-workers.js';
import type { Metrics } from '../metrics.js';
import type { Readiness } from '../queue/readiness.js';
import type { Sweeper } from '../sweeping/sweeper.js';
import type { Wakeups } from '../waiting/wakeups.js';
import type { LeaseRounds } from '../waiting/lease-rounds.js';
import type { Watches } from '../waiting/watches.js';
import type { Held } from './held.js';
import { Problem } from './problem.js';

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
  readonly held: Held;
  readonly log: Logger;
}

/** A query parameter that the contract declares a string, or null. */
export function queryText(req: Request, name: string): string | null {
  const value = (req.query as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}

/** A query parameter that the contract declares an integer (the validator has converted it), or `otherwise`. */
export function queryNumber<Otherwise extends number | null>(req: Request, name: string, otherwise: Otherwise): number | Otherwise {
  const value = (req.query as Record<string, unknown>)[name];
  return value === undefined ? otherwise : finite(`/query/${name}`, value);
}

/**
 * What the validator has taken for a number. It reads 1e400 as infinity, for which it then looks at no bound (ajv's strictNumbers).
 * @throws Problem
 */
export function finite(path: string, value: unknown): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw validationProblem(path, 'must be a finite number');
  return number;
}

/** A path parameter; the contract has checked its form. */
export function pathText(req: Request, name: string): string {
  const value = req.params[name];
  if (typeof value !== 'string') throw new Error(`the route has no parameter ${name}`);
  return value;
}

/** The problem of a request that fits the schemas but not each other, or not what is stored. */
export function validationProblem(path: string, message: string): Problem {
  return new Problem('validation_failed', `${path}: ${message}`, { errors: [{ path, message }] });
}
