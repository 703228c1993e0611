/**
 * The part of the contract that requests are validated by. express-openapi-validator (5.6) walks the whole document for each
 * operation that it compiles, so what no request refers to (answers, examples, descriptions) is left out: a fifth of the
 * document remains, and the server starts in a fraction of the time.
 */
import { byPattern } from './string-patterns.js';

type Json = Record<string, unknown>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const UNUSED = new Set(['description', 'summary', 'example', 'examples', 'externalDocs']);
/** Every operation has to have an answer; nobody looks at this one. */
const ANSWERS = { default: { description: 'an answer' } };

/** A contract of the same operations, without what only answers need. */
export function requestsOnly(contract: Json): Json {
  const paths = Object.fromEntries(Object.entries(contract.paths as Record<string, Json>).map(([path, item]) => [path, Object.fromEntries(
    Object.entries(item).map(([key, value]) => [key, METHODS.includes(key) ? { ...lean(value as Json), responses: ANSWERS } : lean(value)]),
  )]));
  const components = contract.components as Record<string, Json>;
  const kept: Record<string, Json> = {};
  const open = refsIn(paths);
  for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
    const [kind = '', name = ''] = ref.replace('#/components/', '').split('/');
    const section = (kept[kind] ??= {});
    if (name in section) continue;
    const component = lean(components[kind]?.[name]);
    section[name] = component;
    open.push(...refsIn(component));
  }
  return { ...contract, paths, components: kept };
}

/** A copy without what validation does not use, and with strings as http/string-patterns has them. */
function lean<T>(value: T): T {
  if (Array.isArray(value)) return value.map((one: unknown) => lean(one)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, child]) => !(key === 'responses' || (UNUSED.has(key) && !isSchema(child))));
  return byPattern(Object.fromEntries(entries.map(([key, child]) => [key, lean(child as unknown)]))) as T;
}

/** A property of a schema may be called `description` too. */
function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('type' in value || '$ref' in value);
}

function refsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => (key === '$ref' && typeof child === 'string' ? [child] : refsIn(child)));
}
