/** Lines of a log that are sent in one call, and where they wait while that is not possible. */
import { LIMITS, type LogLevel } from '@task-executor/shared';
import { valuesIn } from '../calls/storable.js';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly context?: Record<string, unknown>;
  readonly timestamp: string;
}

/** A line that waits to be sent, with what it takes of a call: bytes of JSON, and values in it. */
export interface WaitingLine {
  readonly line: LogLine;
  readonly bytes: number;
  readonly values: number;
}

/** Where batches wait while the API is away, by their sequence number. */
export interface BatchStore {
  /** @throws where there is no room */
  put(sequence: number, offset: number, entries: readonly LogLine[]): Promise<void>;
  /** Resolves with the lines of a batch, or null where it is gone. */
  get(sequence: number): Promise<LogLine[] | null>;
  remove(sequence: number): Promise<void>;
}

export interface Batch {
  readonly sequence: number;
  readonly lines: number;
  /** The bytes of the lines as JSON. */
  readonly bytes: number;
  /** The lines; null where they are in the store alone. */
  entries: LogLine[] | null;
  /** Whether the store has it, once that is known; null where nobody has tried. */
  stored: Promise<boolean> | null;
}

const MAX_BATCH_LINES = 500;
/** Bytes of JSON in one batch, where one character may take six; a line of the greatest length always fits. */
const MAX_BATCH_BYTES = 512 * 1024;
/** Values in one batch; ten are left for the body around it. */
const MAX_BATCH_VALUES = LIMITS.maxJsonNodes - 10;
/** Values of a line without context: the line itself, its level, message and time. */
const PLAIN_VALUES = 4;

export function waiting(line: LogLine): WaitingLine {
  const text = JSON.stringify(line);
  return { line, bytes: Buffer.byteLength(text) + 1, values: line.context === undefined ? PLAIN_VALUES : valuesIn(JSON.parse(text)) };
}

/** The next batch: as many lines as one call takes, out of `buffer`. */
export function cutBatch(sequence: number, buffer: WaitingLine[]): Batch {
  const sum = { bytes: 0, values: 0 };
  let count = 0;
  for (const { bytes, values } of buffer) {
    if (count > 0 && (count >= MAX_BATCH_LINES || sum.bytes + bytes > MAX_BATCH_BYTES || sum.values + values > MAX_BATCH_VALUES)) break;
    sum.bytes += bytes;
    sum.values += values;
    count += 1;
  }
  return { sequence, lines: count, bytes: sum.bytes, entries: buffer.splice(0, count).map(({ line }) => line), stored: null };
}
