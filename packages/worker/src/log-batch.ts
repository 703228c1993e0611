/** Lines of a log that are sent in one call, and where they wait while that is not possible. */
import type { LogLevel } from '@task-executor/shared';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly context?: Record<string, unknown>;
  readonly timestamp: string;
}

/** Where batches wait while the API is away, by their sequence number. */
export interface BatchStore {
  /** @throws where there is no room */
  put(sequence: number, offset: number, entries: readonly LogLine[]): Promise<void>;
  /** Null where it is gone. */
  get(sequence: number): Promise<LogLine[] | null>;
  remove(sequence: number): Promise<void>;
}

export interface Batch {
  readonly sequence: number;
  readonly lines: number;
  /** Null: in the store alone. */
  entries: LogLine[] | null;
  /** Whether the store has it, once that is known; null where nobody has tried. */
  stored: Promise<boolean> | null;
}

const MAX_BATCH_LINES = 500;
/** Of JSON, where one character may take six bytes; a line of the greatest length always fits. */
const MAX_BATCH_BYTES = 512 * 1024;

/** The next batch: as many lines as one call takes, out of `buffer`. */
export function cutBatch(sequence: number, buffer: LogLine[]): Batch {
  let bytes = 0;
  let count = 0;
  for (const line of buffer) {
    bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
    if (count > 0 && (count >= MAX_BATCH_LINES || bytes > MAX_BATCH_BYTES)) break;
    count += 1;
  }
  return { sequence, lines: count, entries: buffer.splice(0, count), stored: null };
}
