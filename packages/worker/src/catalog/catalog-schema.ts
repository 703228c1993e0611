/** What may stand in a catalog's file. */
import { LIMITS, PROBLEM_GLOB } from '@task-executor/shared';
import { ARGV_SCHEMA, objectSchema, TEXT_SCHEMA } from '../executors/kind.js';
import { EXECUTOR_KINDS, type KindName } from '../executors/registry.js';

/** How a program is run: what may stand under an entry as well as under `health`. */
export interface GivenProgram {
  readonly cwd?: string;
  readonly env?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly grace_seconds?: number;
  readonly contained?: boolean;
  readonly limits?: { memory_mib?: number; cpu_seconds?: number; open_files?: number; processes?: number; file_mib?: number };
  readonly output?: { lines?: number; mib?: number };
}

export interface GivenEntry extends GivenProgram, Readonly<Partial<Record<KindName, unknown>>> {
  readonly match: string | readonly string[];
  readonly optional?: boolean;
  readonly timeout_seconds?: number;
  readonly concurrency?: number;
  readonly prepare?: readonly string[];
  readonly cleanup?: readonly string[];
  readonly cleanup_seconds?: number;
}

export interface GivenCatalog {
  readonly problems: readonly GivenEntry[];
  readonly health?: GivenProgram & { readonly command: readonly string[]; readonly timeout_seconds?: number };
  readonly scratch?: { readonly folder?: string; readonly min_free_mib?: number };
}

const GLOB = { type: 'string', minLength: 1, maxLength: LIMITS.maxProblemIdChars, pattern: PROBLEM_GLOB.source };
const VARIABLE = '^[A-Za-z_][A-Za-z0-9_]*$';
const count = (maximum: number) => ({ type: 'integer', minimum: 1, maximum });
const seconds = (maximum: number) => ({ type: 'number', exclusiveMinimum: 0, maximum });

const PLACE = {
  cwd: TEXT_SCHEMA,
  env: { type: 'array', maxItems: 100, items: { type: 'string', pattern: VARIABLE, maxLength: 255 } },
  environment: {
    type: 'object', maxProperties: 100, propertyNames: { pattern: VARIABLE },
    additionalProperties: { type: 'string', maxLength: 32_768, pattern: '^[^\\u0000]*$' },
  },
};

export const CATALOG_SCHEMA = objectSchema(['problems'], {
  problems: {
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.maxSupportedProblems,
    items: objectSchema(['match'], {
      match: { ...GLOB, type: ['string', 'array'], minItems: 1, maxItems: LIMITS.maxSupportedProblems, items: GLOB },
      ...Object.fromEntries(Object.entries(EXECUTOR_KINDS).map(([name, { schema }]) => [name, schema])),
      ...PLACE,
      optional: { type: 'boolean' },
      grace_seconds: { type: 'number', minimum: 0, maximum: 600 },
      contained: { type: 'boolean' },
      timeout_seconds: seconds(LIMITS.maxTimeoutSeconds),
      concurrency: count(LIMITS.maxParallelTasks),
      prepare: ARGV_SCHEMA,
      cleanup: ARGV_SCHEMA,
      cleanup_seconds: seconds(3600),
      limits: objectSchema([], {
        memory_mib: count(16_777_216), cpu_seconds: count(LIMITS.maxTimeoutSeconds), open_files: count(1_048_576),
        processes: count(4_194_304), file_mib: count(16_777_216),
      }),
      output: objectSchema([], { lines: count(LIMITS.maxLogLinesPerAttempt - 1_000), mib: count(4_096) }),
    }),
  },
  health: objectSchema(['command'], { command: ARGV_SCHEMA, timeout_seconds: seconds(25), ...PLACE }),
  scratch: objectSchema([], { folder: TEXT_SCHEMA, min_free_mib: { type: 'integer', minimum: 0, maximum: 16_777_216 } }),
});
