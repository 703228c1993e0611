/**
 * Writes packages/shared/src/contract.gen.ts from openapi.yaml. With --check it writes nothing and fails when the
 * committed file is not what openapi.yaml gives.
 */
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../openapi.yaml', import.meta.url);
const target = new URL('../packages/shared/src/contract.gen.ts', import.meta.url);

const header = '/* Generated from openapi.yaml by `pnpm contract:generate`; do not edit. */\n';
const wanted = header + astToString(await openapiTS(source, { defaultNonNullable: false }));

if (process.argv.includes('--check')) {
  const found = await readFile(target, 'utf8').catch(() => '');
  if (found !== wanted) {
    console.error('packages/shared/src/contract.gen.ts is not what openapi.yaml gives: run `pnpm contract:generate`.');
    process.exitCode = 1;
  }
} else {
  await writeFile(target, wanted);
}
