/**
 * Reads a catalog's file, YAML or JSON. Every mistake is reported with its line and column. Paths in it start from its folder.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { EXECUTOR_KINDS, KIND_NAMES, kindsIn } from '../executors/registry.js';
import { scratchFault, scratchOf } from '../executors/scratch.js';
import { SlotsOfCatalog } from '../executors/shared-slots.js';
import { makeEntry, type CatalogEntry } from './catalog-entry.js';
import { healthCheck, healthCommandFault } from './catalog-health.js';
import { CATALOG_SCHEMA, type GivenCatalog } from './catalog-schema.js';

/** Thrown with every mistake in a catalog, one a line: `FILE:LINE:COLUMN: what`. */
export class CatalogError extends Error {}

export interface CatalogContent {
  readonly entries: readonly CatalogEntry[];
  /** Why this host should run no task at all, or null. */
  readonly fault: () => Promise<string | null>;
  /** What `fault` would find without running anything, each with its place in the file. */
  readonly warnings: () => Promise<string[]>;
}

const MAX_BYTES = 1024 * 1024;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true, strictTypes: false }).compile<GivenCatalog>(CATALOG_SCHEMA);

/** Reads the catalog at `path`; `slots` are those of what runs of it as it was read before. @throws CatalogError */
export function readCatalogFile(path: string, slots = new SlotsOfCatalog()): CatalogContent {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CatalogError(`The catalog ${path} cannot be read: ${(error as Error).message}`);
  }
  return parseCatalog(source, path, slots);
}

/** Reads a catalog from its text; `path` names it in messages and is what its relative paths start from. @throws CatalogError */
export function parseCatalog(source: string, path: string, slots = new SlotsOfCatalog()): CatalogContent {
  if (source.length > MAX_BYTES) throw new CatalogError(`The catalog ${path} is larger than ${MAX_BYTES} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ pos, message }) => `${at(pos[0])}: ${message.split(/ at line |\n/)[0] ?? ''}`);
    throw new CatalogError(mistakes.join('\n'));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new CatalogError(`${at(0)}: ${(error as Error).message}`);
  }
  const found = [
    ...(validate(value) ? [] : validate.errors ?? []).filter(isTelling)
      .map((error) => ({ offset: offsetOfError(document, error), what: describe(error) })),
    ...entriesIn(value).flatMap(([index, entry]) => mistakesOf(entry)
      .map((what) => ({ offset: offsetOf(document, ['problems', index]), what: `/problems/${index} ${what}` }))),
  ];
  const mistakes = found.sort((a, b) => a.offset - b.offset).map(({ offset, what }) => `${at(offset)}: ${what}`);
  if (mistakes.length > 0) throw new CatalogError(mistakes.join('\n'));

  const { problems, health, scratch: given = {} } = value as GivenCatalog;
  const folder = dirname(resolve(path));
  const scratch = {
    ...(given.folder !== undefined && { root: resolve(folder, given.folder) }),
    ...(given.min_free_mib !== undefined && { minFreeMib: given.min_free_mib }),
  };
  return {
    entries: problems.flatMap((entry, index) => kindsIn(entry).map((kind) => ({
      ...makeEntry(entry, kind, folder, scratch, () => slots.of([entry.match].flat())),
      place: at(offsetOf(document, ['problems', index])),
    }))),
    fault: healthCheck(health ?? null, folder, scratchOf(scratch)),
    warnings: async () => {
      const found = [
        { fault: await scratchFault(scratchOf(scratch)), key: 'scratch' },
        { fault: health === undefined ? null : await healthCommandFault(health, folder), key: 'health' },
      ];
      return found.flatMap(({ fault, key }) => (fault === null ? [] : [`${at(offsetOf(document, [], key))}: warning: ${fault}`]));
    },
  };
}

/** The entries that are objects at all, with their places. */
function entriesIn(value: unknown): [number, object][] {
  const { problems } = (value ?? {}) as { problems?: unknown };
  if (!Array.isArray(problems)) return [];
  return [...(problems as unknown[]).entries()].filter((one): one is [number, object] => typeof one[1] === 'object' && one[1] !== null);
}

/** The mistakes in `entry` of which a schema does not tell; whether the rest of it fits the schema is not known. */
function mistakesOf(entry: object): string[] {
  const named = kindsIn(entry);
  const [kind, ...others] = named;
  if (kind === undefined) return [`must have one of ${KIND_NAMES.join(', ')}`];
  if (others.length > 0) return [`must have one of ${KIND_NAMES.join(', ')}, not ${named.join(' and ')}`];
  return 'limits' in entry && !EXECUTOR_KINDS[kind].isLimited ? [`limits do not hold for a ${kind}`] : [];
}

/** Whether `error` tells something of its own: some only say that one of several others holds. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'propertyNames';
}

function offsetOfError(document: Document, error: ErrorObject): number {
  const path = error.instancePath.split('/').slice(1)
    .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
  return offsetOf(document, path, additionalIn(error) ?? error.propertyName);
}

/** The property that is one too many, where `error` is about that. */
function additionalIn({ keyword, params }: ErrorObject): string | undefined {
  return keyword === 'additionalProperties' ? (params as { additionalProperty: string }).additionalProperty : undefined;
}

/** Where the value at `path` begins, or the key `key` in it. */
function offsetOf(document: Document, path: readonly (string | number)[], key?: string): number {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (key !== undefined && isMap(node)) {
    const found = node.items.map((pair) => pair.key).find((one) => isNode(one) && String(one) === key);
    if (isNode(found)) return found.range?.[0] ?? 0;
  }
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function describe(error: ErrorObject): string {
  const additional = additionalIn(error);
  const extra = additional === undefined ? '' : ` (${additional})`;
  const name = error.propertyName === undefined ? '' : ` (the name ${error.propertyName})`;
  return `${error.instancePath || 'the catalog'} ${error.message ?? 'does not fit'}${extra}${name}`;
}
