/** One line of an events file, read strictly: what does not fit is no event. */
import { LOG_LEVELS, type LogLevel } from '@task-executor/shared';
import type { ProgressUpdate } from './executor.js';

/** How a program that is about to fail says so. */
export interface FailureEvent {
  readonly type: 'failure';
  readonly error: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | null;
}

export type ProgramEvent =
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly context: Record<string, unknown> | undefined }
  | { readonly type: 'progress'; readonly update: ProgressUpdate }
  | FailureEvent;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isLevel = (value: unknown): value is LogLevel => (LOG_LEVELS as readonly unknown[]).includes(value);

/** The event that `line` is; 'blank' for an empty line, null for anything else. */
export function parseEvent(line: string): ProgramEvent | 'blank' | null {
  if (line.trim() === '') return 'blank';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  if (value.type === 'log') return logOf(value);
  if (value.type === 'progress') return progressOf(value);
  if (value.type === 'metric') return metricOf(value);
  return value.type === 'failure' ? failureOf(value) : null;
}

function logOf({ level = 'info', message, context }: Record<string, unknown>): ProgramEvent | null {
  if (!isLevel(level) || typeof message !== 'string' || !(context === undefined || isObject(context))) return null;
  return { type: 'log', level, message, context };
}

function progressOf({ step, total, message }: Record<string, unknown>): ProgramEvent | null {
  if ([step, total, message].every((one) => one === undefined)) return null;
  if (![step, total].every((one) => one === undefined || isNumber(one))) return null;
  if (!(message === undefined || typeof message === 'string')) return null;
  const update = { ...(isNumber(step) && { step }), ...(isNumber(total) && { total }), ...(message !== undefined && { message }) };
  return { type: 'progress', update };
}

function metricOf({ name, value }: Record<string, unknown>): ProgramEvent | null {
  if (typeof name !== 'string' || name === '' || !isNumber(value)) return null;
  return { type: 'progress', update: { metrics: { [name]: value } } };
}

function failureOf({ error, retryable = true, retry_after_seconds: after }: Record<string, unknown>): ProgramEvent | null {
  if (typeof error !== 'string' || error === '' || typeof retryable !== 'boolean') return null;
  if (!(after === undefined || (isNumber(after) && after >= 0))) return null;
  return { type: 'failure', error, retryable, retryAfterSeconds: after ?? null };
}
