/** What equal tasks have in common: their problem and their parameters, whatever the order of keys. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.js';

/** The first 128 bits of SHA-256 over problem and canonical JSON (RFC 8785), in the form of a UUID. */
export function fingerprintOf(problemId: string, parameters: Record<string, unknown>): string {
  const hash = createHash('sha256').update(problemId).update('\n').update(canonicalJson(parameters)).digest('hex');
  return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
