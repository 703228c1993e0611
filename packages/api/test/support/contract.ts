/** openapi.yaml as tests look things up in it: its operations, what a reference leads to, and validators of its schemas. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { parse } from 'yaml';

interface Ref {
  $ref: string;
}
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  explode?: boolean;
}
export interface Response {
  headers?: Record<string, unknown>;
  content?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  parameters?: (Parameter | Ref)[];
  requestBody?: unknown;
  responses: Record<string, Response | Ref>;
}
interface PathItem extends Record<string, unknown> {
  parameters?: (Parameter | Ref)[];
}

/** The top of the repository. */
export const TOP = new URL('../../../../', import.meta.url);

const contract = parse(readFileSync(new URL('openapi.yaml', TOP), 'utf8')) as { paths: Record<string, PathItem>; components: unknown };
const ajv = new Ajv2020({ strict: false });
// Query values arrive as text.
const queryAjv = new Ajv2020({ strict: false, coerceTypes: true });
for (const instance of [ajv, queryAjv]) {
  (addFormatsModule as unknown as (ajv: Ajv2020) => void)(instance);
  instance.addSchema(contract, 'contract');
}

/** A key as a JSON pointer has it. */
export const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

export const valueAt = (pointer: string): unknown =>
  pointer.split('/').slice(1).reduce<unknown>((node, key) => (node as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')], contract);

/** The pointer that `pointer` leads to, references followed. */
export function resolved(pointer: string): string {
  const node = valueAt(pointer);
  return typeof node === 'object' && node !== null && '$ref' in node ? resolved(node.$ref as string) : pointer;
}

/** A validator of the schema at `pointer`. */
export function validator(pointer: string): ValidateFunction {
  const validate = ajv.getSchema(`contract#${pointer.slice(1).split('/').map(encodeURIComponent).join('/')}`);
  if (validate === undefined) throw new Error(`no schema at ${pointer}`);
  return validate;
}

/** A validator of `{value}`, where value is that of the query parameter at `pointer`, as text or texts. */
export function queryValidator(pointer: string): ValidateFunction {
  return queryAjv.compile({ type: 'object', properties: { value: { $ref: `contract${pointer}/schema` } } });
}

/** The type of the schema at `pointer`, references followed. */
export function typeAt(pointer: string): unknown {
  return (valueAt(resolved(pointer)) as { type?: unknown }).type;
}

export interface Located {
  path: string;
  method: string;
  pointer: string;
  operation: Operation;
  /** Pointers to its parameters and those of its path. */
  parameters: { pointer: string; parameter: Parameter }[];
}

export const operations: Located[] = Object.entries(contract.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => method !== 'parameters').map(([method, value]) => {
    const operation = value as Operation;
    const base = `#/paths/${escape(path)}`;
    const pointers = [
      ...(item.parameters ?? []).map((_, index) => `${base}/parameters/${index}`),
      ...(operation.parameters ?? []).map((_, index) => `${base}/${method}/parameters/${index}`),
    ].map(resolved);
    const parameters = pointers.map((pointer) => ({ pointer, parameter: valueAt(pointer) as Parameter }));
    return { path, method: method.toUpperCase(), pointer: `${base}/${method}`, operation, parameters };
  }));
