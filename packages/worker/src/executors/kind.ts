/** What an executor is to a catalog: what may stand under its name there, and what becomes of it. */
import { resolve } from 'node:path';
import type { Executor } from './executor.js';
import type { Round } from './round.js';
import type { ProgramOptions } from './task-program.js';

/** What a catalog's entry becomes. */
export interface Made {
  readonly executor: Executor;
  /** Why this host cannot run it, or null. */
  readonly fault: (round: Round) => Promise<string | null>;
}

export interface ExecutorKind {
  /** The JSON schema of what stands under its name. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Whether an entry's `limits` hold for it. */
  readonly isLimited: boolean;
  /** What becomes of `given`, which fits the schema, so that each kind takes it for what that says; paths in it start from `folder`. */
  make(given: unknown, options: ProgramOptions, folder: string): Made;
}

export const TEXT_SCHEMA = { type: 'string', minLength: 1, maxLength: 4096, pattern: '^[^\\u0000]*$' } as const;
export const ARGV_SCHEMA = { type: 'array', minItems: 1, maxItems: 1000, items: TEXT_SCHEMA } as const;

/** The schema of an object with these properties and no others. */
export function objectSchema(required: readonly string[], properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** `word`, from `folder` where it says that it is a path in it. */
export function fromFolder(folder: string, word: string): string {
  return word.startsWith('./') || word.startsWith('../') ? resolve(folder, word) : word;
}
