/** What the handlers work with; made by the composition root (server.ts). */
import type { Request } from 'express';
import type { Logger } from 'pino';
import type { ApiConfig } from '../config.js';
import type { Databases } from '../db/database.js';
import type { Capabilities } from '../fleet/capabilities.js';
import type { InternalWorkers } from '../internal-workers.js';
import type { Metrics } from '../metrics.js';
import type { Sweeper } from '../sweeper.js';
import type { Wakeups } from '../wakeups.js';

export interface Services {
  readonly config: ApiConfig;
  readonly databases: Databases;
  readonly capabilities: Capabilities;
  readonly wakeups: Wakeups;
  readonly sweeper: Sweeper;
  readonly metrics: Metrics;
  readonly internalWorkers: InternalWorkers;
  readonly log: Logger;
}


/** A query parameter that the contract declares a string, or null. */
export function queryText(req: Request, name: string): string | null {
  const value = (req.query as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}

/** A query parameter that the contract declares an integer (the validator has converted it), or `otherwise`. */
export function queryNumber(req: Request, name: string, otherwise: number): number {
  const value = (req.query as Record<string, unknown>)[name];
  return value === undefined ? otherwise : Number(value);
}

/** A path parameter; the contract has checked its form. */
export function pathText(req: Request, name: string): string {
  const value = req.params[name];
  if (typeof value !== 'string') throw new Error(`the route has no parameter ${name}`);
  return value;
}
