/**
 * openapi.yaml as the server uses it: from beside the code, where the build has put it as JSON, too (to parse YAML takes longer than
 * everything else at the start); or, in the repository, from the top.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const BESIDE = new URL('../assets/', import.meta.url);
const TOP = new URL('../../../../', import.meta.url);
const isBuilt = existsSync(new URL('openapi.json', BESIDE));

const readText = (name: string): string => readFileSync(new URL(name, isBuilt ? BESIDE : TOP), 'utf8');

export const CONTRACT_YAML = readText('openapi.yaml');
export const CONTRACT_JSON = isBuilt ? readText('openapi.json') : JSON.stringify(parse(CONTRACT_YAML));

/** A fresh copy: the validator changes the one it is given. */
export function parseContract(): Record<string, unknown> {
  return JSON.parse(CONTRACT_JSON) as Record<string, unknown>;
}
