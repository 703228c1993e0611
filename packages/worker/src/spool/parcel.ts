/**
 * What lies in the spool: log lines or the final report of one attempt. A file holds one of them, or reports that were written
 * together; each file is complete in itself.
 */
import { randomUUID } from 'node:crypto';
import type { LogLine } from '../reporting/log-batch.js';
import type { Report } from '../reporting/report.js';

/** The attempt that a parcel is about, and the session that held it. */
export interface AttemptIdentity {
  readonly worker_id: string;
  readonly session: string;
  readonly task_id: string;
  readonly attempt: number;
}

export type Content =
  /** `offset`: how many lines of the attempt come before these. */
  | { readonly kind: 'logs'; readonly offset: number; readonly entries: readonly LogLine[] }
  /**
   * `artifacts`: a folder whose files are to be stored before the report is sent, and which is to be removed then. `lines`: how
   * many lines the log had when the task had ended.
   */
  | { readonly kind: 'report'; readonly report: Report; readonly artifacts?: string; readonly lines?: number };

export type Parcel = AttemptIdentity & Content;

const REPORT = 'report';

/** The name of a parcel's file; in the order of names, an attempt's lines come before its report. */
export function nameOf({ session, task_id, attempt }: AttemptIdentity, sequence: number | null): string {
  return `${session}.${task_id}.${attempt}.${sequence === null ? REPORT : String(sequence).padStart(8, '0')}.json`;
}

/** What `nameOf` was given, the attempt as one word; null for other files. */
export function partsOf(name: string): { readonly attempt: string; readonly sequence: number | null } | null {
  const found = /^([A-Za-z0-9-]+\.[A-Za-z0-9-]+\.[0-9]+)\.([0-9]{8,}|report)\.json$/.exec(name);
  if (found?.[1] === undefined) return null;
  return { attempt: found[1], sequence: found[2] === REPORT ? null : Number(found[2]) };
}

/** A name for a file of several reports. */
export function bundleName(): string {
  return `reports.${randomUUID()}.json`;
}

export function isBundle(name: string): boolean {
  return /^reports\.[0-9a-f-]{36}\.json$/.test(name);
}

/** The parcels in a file's text, at least one. @throws where it is something else */
export function parcelsOf(text: string): readonly Parcel[] {
  const parcels = [JSON.parse(text) as unknown].flat();
  if (parcels.length === 0 || !parcels.every(isParcel)) throw new Error('not a parcel');
  return parcels;
}

function isParcel(value: unknown): value is Parcel {
  if (typeof value !== 'object' || value === null) return false;
  const { worker_id, session, task_id, attempt, kind, offset, entries, report, artifacts, lines } = value as Record<string, unknown>;
  if (![worker_id, session, task_id].every((one) => typeof one === 'string') || typeof attempt !== 'number') return false;
  if (kind === 'logs') return typeof offset === 'number' && Array.isArray(entries);
  if (!['undefined', 'string'].includes(typeof artifacts) || !['undefined', 'number'].includes(typeof lines)) return false;
  return kind === 'report' && typeof report === 'object' && report !== null;
}
