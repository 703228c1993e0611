/** JSON in its one canonical form (RFC 8785): equal values give equal text, whatever the order of their keys. */
import canonicalizeModule from 'canonicalize';

// canonicalize 2.1 is a CommonJS function whose types declare an ES default export; Node imports the function itself.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string | undefined;

/** The canonical text of a value that came from JSON. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? 'null';
}
