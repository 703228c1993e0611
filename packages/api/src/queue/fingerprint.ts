/** What equal tasks have in common: their problem and their parameters, whatever the order of keys. */
import { hash } from 'node:crypto';
import { canonicalJson } from './canonical.js';

/** The first 128 bits of SHA-256 over problem and canonical JSON (RFC 8785), in the form of a UUID. */
export function fingerprintOf(problemId: string, parameters: Record<string, unknown>): string {
  const digest = hash('sha256', `${problemId}\n${canonicalJson(parameters)}`, 'hex');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 16)}-${digest.slice(16, 20)}-${digest.slice(20, 32)}`;
}
