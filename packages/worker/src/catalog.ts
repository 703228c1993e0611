/**
 * The problem catalog: a YAML file that says which problems this worker takes and how it runs each. Read once at start;
 * every mistake is reported with its line. Paths in it are relative to the file.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { LIMITS, matchesGlob } from '@task-executor/shared';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { commandExecutor } from './executors/command.js';
import type { Executor } from './executors/executor.js';
import { simulate } from './executors/simulated.js';

/** Thrown with every mistake in a catalog, one a line. */
export class CatalogError extends Error {}

export interface CatalogEntry {
  /** Globs of problem ids. */
  readonly problems: readonly string[];
  readonly executor: Executor;
}

const DEFAULT_GRACE_SECONDS = 5;

const text = { type: 'string', minLength: 1, maxLength: 4096, pattern: '^[^\\u0000]*$' };
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['problems'],
  properties: {
    problems: {
      type: 'array',
      minItems: 1,
      maxItems: LIMITS.maxSupportedProblems,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['match'],
        properties: {
          match: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9_.:/@+=,~*?-]+$' },
          command: { type: 'array', minItems: 1, maxItems: 1000, items: text },
          simulated: { const: true },
          cwd: text,
          env: { type: 'array', maxItems: 100, items: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 255 } },
          environment: { type: 'object', maxProperties: 100, additionalProperties: { type: 'string', maxLength: 32_768 } },
          grace_seconds: { type: 'number', minimum: 0, maximum: 600 },
          contained: { type: 'boolean' },
        },
        oneOf: [{ required: ['command'] }, { required: ['simulated'] }],
      },
    },
  },
};

interface RawEntry {
  match: string;
  command?: string[];
  cwd?: string;
  env?: string[];
  environment?: Record<string, string>;
  grace_seconds?: number;
  contained?: boolean;
}

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile<{ problems: RawEntry[] }>(SCHEMA);

/** The built-in catalog of a worker that is given none. */
export const BUILT_IN_CATALOG: readonly CatalogEntry[] = [{ problems: ['test-*'], executor: simulate }];

/** The entry for a problem, or null; the first that matches wins. */
export function findEntry(catalog: readonly CatalogEntry[], problemId: string): CatalogEntry | null {
  return catalog.find((entry) => entry.problems.some((glob) => matchesGlob(glob, problemId))) ?? null;
}

/** Reads the catalog at `path`. @throws CatalogError */
export function readCatalog(path: string): CatalogEntry[] {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CatalogError(`The catalog ${path} cannot be read: ${(error as Error).message}`);
  }
  return parseCatalog(source, path);
}

/** The same for text; `path` names it in messages and is what its relative paths start from. */
export function parseCatalog(source: string, path: string): CatalogEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new CatalogError(document.errors.map((error) => `${path}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0] ?? ''}`).join('\n'));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new CatalogError(`${path}:1: ${(error as Error).message}`);
  }
  if (!validate(value)) {
    throw new CatalogError((validate.errors ?? []).map((error) => `${path}:${lineOf(document, lines, error)}: ${describe(error)}`).join('\n'));
  }
  const folder = dirname(resolve(path));
  return value.problems.map((entry) => ({ problems: [entry.match], executor: executorOf(entry, folder) }));
}

function executorOf(entry: RawEntry, folder: string): Executor {
  if (entry.command === undefined) return simulate;
  const fromFolder = (word: string): string => (word.startsWith('./') || word.startsWith('../') ? resolve(folder, word) : word);
  return commandExecutor({
    argv: entry.command.map(fromFolder),
    cwd: entry.cwd === undefined ? null : resolve(folder, entry.cwd),
    inherit: entry.env ?? [],
    environment: entry.environment ?? {},
    graceMs: (entry.grace_seconds ?? DEFAULT_GRACE_SECONDS) * 1000,
    contained: entry.contained ?? true,
  });
}

function lineOf(document: Document, lines: LineCounter, error: ErrorObject): number {
  const path = error.instancePath.split('/').slice(1).map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
  const node = document.getIn(path, true) as { range?: [number, number, number] | null } | undefined;
  return lines.linePos(node?.range?.[0] ?? 0).line;
}

function describe(error: ErrorObject): string {
  const extra = error.keyword === 'additionalProperties' ? ` (${(error.params as { additionalProperty: string }).additionalProperty})` : '';
  if (error.keyword === 'oneOf') return `${error.instancePath} must have either a command or simulated: true`;
  return `${error.instancePath || 'the catalog'} ${error.message ?? 'does not fit'}${extra}`;
}
