/** openapi.yaml as the server uses it: parsed once, from beside the code or, in the repository, from the top. */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

function contractFile(): URL {
  const beside = new URL('../assets/openapi.yaml', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../../../openapi.yaml', import.meta.url);
}

export const CONTRACT_YAML: string = readFileSync(contractFile(), 'utf8');

const CONTRACT = parse(CONTRACT_YAML) as Record<string, unknown>;

/** A fresh copy: the validator changes the one it is given. */
export function parseContract(): Record<string, unknown> {
  return structuredClone(CONTRACT);
}
