/** Requests made from openapi.yaml: such as it allows, and such with one thing wrong. */
import { LIMITS } from '@task-executor/shared';
import fc from 'fast-check';
import { operations, resolved, valueAt, type Located } from '../support/contract.js';
import { HOSTILE_STRINGS, HOSTILE_VALUES, toJson } from './corpus.js';

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly unknown[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly propertyNames?: unknown;
  readonly items?: unknown;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What goes over the wire, or undefined for no body. */
  readonly text: string | undefined;
  /** Where the contract has the schema of its body, or null. */
  readonly schema: string | null;
}

/** Ids that are there, by the names of path parameters: most requests are to reach what they are about. */
export type Ids = Readonly<Record<string, readonly string[]>>;

const MAX_DEPTH = 6;
const MAX_ITEMS = 4;
/** The longest wait that any operation allows, in seconds. */
const MAX_WAIT = Math.max(LIMITS.maxTaskWaitSeconds, LIMITS.maxClaimWaitSeconds, LIMITS.maxIdleClaimWaitSeconds, LIMITS.maxHeartbeatWaitSeconds);
const FIRST_MOMENT = new Date('2020-01-01T00:00:00Z');
const LAST_MOMENT = new Date('2030-01-01T00:00:00Z');

const json = fc.jsonValue({ maxDepth: 3, noUnicodeString: false });

/** Values that fit the schema at `pointer`, mostly: what only the API knows (cron, sums) is not heeded. */
function fitting(pointer: string, depth = 0): fc.Arbitrary<unknown> {
  const at = resolved(pointer);
  const schema = valueAt(at) as Schema;
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map((_, n) => fitting(`${at}/oneOf/${n}`, depth)));
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type ?? [];
  if (types.length === 0) return json;
  return fc.oneof(...types.map((type) => ofType(type, at, schema, depth)));
}

function ofType(type: string, at: string, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { minimum: min = -1e6, maximum: max = 1e6 } = schema;
  switch (type) {
    case 'null': return fc.constant(null);
    case 'boolean': return fc.boolean();
    case 'integer': return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
    case 'number': return fc.double({ min, max, noNaN: true });
    case 'string': return textOf(schema);
    case 'array': {
      if (depth >= MAX_DEPTH) return fc.constant([]);
      const { minItems = 0, maxItems = MAX_ITEMS } = schema;
      return fc.array(fitting(`${at}/items`, depth + 1), { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, MAX_ITEMS)) });
    }
    default: return objectOf(at, schema, depth);
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = 200 }: Schema): fc.Arbitrary<unknown> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return fc.date({ min: FIRST_MOMENT, max: LAST_MOMENT, noInvalidDate: true }).map((date) => date.toISOString());
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  if (pattern !== undefined) {
    const regex = new RegExp(pattern, 'u');
    const made = fc.stringMatching(regex, { maxLength: Math.min(maxLength, 60) });
    return made.filter((text) => fits(text) && regex.test(text));
  }
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)), unit: 'grapheme' }).filter(fits);
}

function objectOf(at: string, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const names = depth >= MAX_DEPTH ? required : Object.keys(properties);
  const declared = fc.record(
    Object.fromEntries(names.map((name) => [name, fitting(`${at}/properties/${name}`, depth + 1)])), { requiredKeys: [...required] },
  );
  if (additionalProperties === false || Object.keys(properties).length > 0) return declared;
  const key = schema.propertyNames === undefined ? fc.string({ minLength: 1, maxLength: 20 }) : fitting(`${at}/propertyNames`) as fc.Arbitrary<string>;
  const value = typeof additionalProperties === 'object' ? fitting(`${at}/additionalProperties`, depth + 1) : json;
  return fc.dictionary(key, value, { maxKeys: MAX_ITEMS });
}

/** Every place in a value: the path to it. */
function places(value: unknown, path: readonly string[] = []): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, one]) => places(one, [...path, key])) : [];
  return [[...path], ...inner];
}

/** A copy of `value` in which `change` was applied at `path`. */
function changedAt(value: unknown, path: readonly string[], change: (there: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value as unknown[]] : { ...value as object }) as Record<string, unknown>;
  const after = changedAt(copy[key], rest, change);
  if (after === undefined) Reflect.deleteProperty(copy, key);
  else Object.defineProperty(copy, key, { value: after, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** `value` with one thing wrong, or odd, somewhere. */
function spoilt(value: unknown): fc.Arbitrary<unknown> {
  return fc.tuple(fc.constantFrom(...places(value)), fc.constantFrom('replace', 'replace', 'remove', 'add'), fc.constantFrom(...HOSTILE_VALUES))
    .map(([path, what, hostile]) => changedAt(value, path, (there) => {
      if (what === 'remove') return undefined;
      if (what === 'add' && typeof there === 'object' && there !== null && !Array.isArray(there)) return { ...there, unknown_property: hostile };
      return hostile;
    }));
}

/** No test waits for what a request may ask the server to wait for. */
function impatient(value: unknown): unknown {
  const { wait_seconds: wait } = (value ?? {}) as { wait_seconds?: unknown };
  return typeof wait === 'number' && wait > 0 && wait <= MAX_WAIT ? { ...value as object, wait_seconds: 0.01 } : value;
}

const hostileText = fc.constantFrom(...HOSTILE_STRINGS);

function textsOf(located: Located, ids: Ids): fc.Arbitrary<{ path: string; headers: Record<string, string> }> {
  const parts = located.parameters.map(({ pointer, parameter }) => {
    const { name } = parameter;
    const fit = fitting(`${pointer}/schema`).map((value) => (Array.isArray(value) ? value.map(String) : [String(value)]));
    const known = ids[name] ?? [];
    const there = known.length > 0 ? fc.constantFrom(...known).map((id) => [id]) : fit;
    const hostile = fc.array(hostileText, { minLength: 1, maxLength: parameter.in === 'query' ? 2 : 1 });
    const value = parameter.in === 'path'
      ? fc.oneof({ weight: 8, arbitrary: there }, { weight: 1, arbitrary: fit }, { weight: 1, arbitrary: hostile })
      : fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: there }, { weight: 1, arbitrary: hostile });
    return value.map((texts) => ({ parameter, texts }));
  });
  return fc.tuple(...parts).map((given) => {
    let { path } = located;
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    for (const { parameter: { name, in: where }, texts } of given) {
      const [first] = texts;
      if (first === undefined) continue;
      // Clients go through dots themselves, and ask for another path.
      if (where === 'path') path = path.replace(`{${name}}`, encodeURIComponent(first.toWellFormed().replace(/^\.{0,2}$/, '...')));
      // Other characters no client lets into a header.
      else if (where === 'header') headers[name.toLowerCase()] = first.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
      else for (const text of texts) query.append(name, name === 'wait_seconds' && Number(text) <= MAX_WAIT ? '0.01' : text);
    }
    return { path: query.size === 0 ? path : `${path}?${query.toString()}`, headers };
  });
}

function schemaOf({ pointer, operation }: Located): string | null {
  if (operation.requestBody === undefined) return null;
  const at = `${resolved(`${pointer}/requestBody`)}/content/application~1json`;
  return valueAt(at) === undefined ? null : `${at}/schema`;
}

function bodyOf(located: Located): fc.Arbitrary<string | undefined> {
  if (located.operation.requestBody === undefined) return fc.option(fc.constantFrom('{}', '', '[]', '{"x": 1}'), { nil: undefined });
  const schema = schemaOf(located);
  if (schema === null) return fc.string();
  const fit = fitting(schema);
  return fc.oneof({ weight: 4, arbitrary: fit }, { weight: 6, arbitrary: fit.chain(spoilt) }).map((value) => (value === undefined ? undefined : toJson(impatient(value))));
}

/** Requests of every operation but those named in `except`. */
export function requests(ids: Ids, except: readonly string[]): fc.Arbitrary<HostileRequest> {
  const used = operations.filter(({ operation }) => !except.includes(operation.operationId));
  return fc.constantFrom(...used).chain((located) =>
    fc.tuple(textsOf(located, ids), bodyOf(located)).map(([{ path, headers }, text]) => ({ method: located.method, path, headers, text, schema: schemaOf(located) })));
}
