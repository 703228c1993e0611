/**
 * API_DOCUMENTATION.md against openapi.yaml: no operation missing, none invented, every call and every answer valid. The
 * fence of an answer names its operation and status (```json getTask 200) and belongs to the calls right above it.
 */
import { readFileSync } from 'node:fs';
import { PROBLEMS } from '@task-executor/shared';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { expect } from 'chai';
import { parse } from 'yaml';

interface Ref {
  $ref: string;
}
interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
}
interface Response {
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
interface Call {
  text: string;
  method: string;
  path: string;
  query: [string, string][];
  headers: string[];
  body: string | undefined;
}
interface Block {
  calls: Call[];
  answers: { operationId: string; status: string; text: string }[];
}

const top = new URL('../../../../', import.meta.url);
const guide = readFileSync(new URL('API_DOCUMENTATION.md', top), 'utf8');
const contract = parse(readFileSync(new URL('openapi.yaml', top), 'utf8')) as { paths: Record<string, PathItem>; components: unknown };
// Query values arrive as text.
const ajv = new Ajv2020({ strict: false, coerceTypes: false });
const queryAjv = new Ajv2020({ strict: false, coerceTypes: true });
for (const instance of [ajv, queryAjv]) {
  (addFormatsModule as unknown as (ajv: Ajv2020) => void)(instance);
  instance.addSchema(contract, 'contract');
}

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
const valueAt = (pointer: string): unknown =>
  pointer.split('/').slice(1).reduce<unknown>((node, key) => (node as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')], contract);

/** The pointer that `pointer` leads to, references followed. */
function resolved(pointer: string): string {
  const node = valueAt(pointer);
  return typeof node === 'object' && node !== null && '$ref' in node ? resolved(node.$ref as string) : pointer;
}

function validator(instance: Ajv2020, pointer: string): ValidateFunction {
  const validate = instance.getSchema(`contract#${pointer.slice(1).split('/').map(encodeURIComponent).join('/')}`);
  if (validate === undefined) throw new Error(`no schema at ${pointer}`);
  return validate;
}

interface Located {
  path: string;
  method: string;
  pointer: string;
  operation: Operation;
  /** Pointers to its parameters and those of its path. */
  parameters: { pointer: string; parameter: Parameter }[];
}

const operations: Located[] = Object.entries(contract.paths).flatMap(([path, item]) =>
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

/** The words of the shell command that begins `script`, quotes removed, up to its end. */
function words(script: string): string[] {
  const found: string[] = [];
  let rest = script.replace(/\\\n\s*/g, ' ');
  for (;;) {
    const blank = /^[ \t]+/.exec(rest);
    if (blank !== null) rest = rest.slice(blank[0].length);
    const word = /^(?:'[^']*'|"[^"]*"|[^\s'";|)#])+/.exec(rest);
    if (word === null) return found;
    found.push(word[0].replace(/'([^']*)'|"([^"]*)"/g, (_all, single?: string, double?: string) => single ?? double ?? ''));
    rest = rest.slice(word[0].length);
  }
}

const variables = new Map([...guide.matchAll(/^([A-Z_]+)='([^']*)'$/gm)].map(([, name = '', value = '']) => [`$${name}`, value]));

function callOf(script: string): Call {
  const [, ...args] = words(script);
  const call: Call = { text: script.split('\n')[0] ?? '', method: '', path: '', query: [], headers: [], body: undefined };
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === '-s') continue;
    if (arg === '-o') args.shift();
    else if (arg === '-X') call.method = args.shift() ?? '';
    else if (arg === '-d') call.body = args.shift();
    else if (arg === '-H') {
      const header = args.shift() ?? '';
      call.headers.push((variables.get(header) ?? header).split(':')[0] ?? '');
    } else {
      expect(arg, call.text).to.match(/^\$API\//);
      const url = new URL(arg.replace('$API', 'http://server'));
      call.path = url.pathname.replace(/\$[A-Z_]+/g, '{}');
      call.query = [...url.searchParams];
    }
  }
  if (call.method === '') call.method = call.body === undefined ? 'GET' : 'POST';
  return call;
}

const blocks: Block[] = [];
for (const [, language = '', about = '', text = ''] of guide.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)) {
  if (language === 'bash') {
    blocks.push({ calls: [...text.matchAll(/\bcurl /g)].map(({ index }) => callOf(text.slice(index))), answers: [] });
  } else {
    const [operationId = '', status = ''] = about.split(' ');
    blocks.at(-1)?.answers.push({ operationId, status, text });
  }
}

const operationOf = (call: Call): Located | undefined =>
  operations.find(({ path, method }) => method === call.method && path.replace(/\{[^}]+\}/g, '{}') === call.path);
const show = (validate: ValidateFunction): string => JSON.stringify(validate.errors);

describe('API_DOCUMENTATION.md', () => {
  it('has a heading and a call for every operation', () => {
    const headings = [...guide.matchAll(/^### .*$/gm)].map(([line]) => line).join('\n');
    const named = [...headings.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(named).to.have.members(operations.map(({ operation }) => operation.operationId));
    const called = new Set(blocks.flatMap(({ calls }) => calls).map((call) => operationOf(call)?.operation.operationId));
    expect([...called]).to.have.members(named);
  });

  for (const { calls, answers } of blocks) {
    for (const call of calls) {
      it(`is true: ${call.method} ${call.text.slice(0, 90)}`, () => {
        const found = operationOf(call);
        if (found === undefined) throw new Error(`there is no ${call.method} ${call.path}`);
        const declared = found.parameters.filter(({ parameter }) => parameter.in === 'header').map(({ parameter }) => parameter.name);
        expect([...declared, 'Content-Type']).to.include.members(call.headers);
        expect(call.headers.includes('Content-Type')).to.equal(call.body !== undefined);
        for (const [name, value] of call.query) {
          const parameter = found.parameters.find((one) => one.parameter.in === 'query' && one.parameter.name === name);
          if (parameter === undefined) throw new Error(`${found.operation.operationId} has no parameter ${name}`);
          if (value.startsWith('$')) continue;
          const wrapped = queryAjv.compile({ type: 'object', properties: { value: { $ref: `contract${parameter.pointer}/schema` } } });
          expect(wrapped({ value }), `${name}=${value} ${show(wrapped)}`).to.equal(true);
        }
        if (call.body === undefined) return;
        expect(found.operation.requestBody, 'a body where none is taken').to.not.equal(undefined);
        const validate = validator(ajv, `${found.pointer}/requestBody/content/application~1json/schema`);
        // A call that is shown to be refused as invalid has to be.
        const refused = answers.some(({ operationId, status }) => operationId === found.operation.operationId && status === '422');
        expect(validate(JSON.parse(call.body)), show(validate)).to.equal(!refused);
      });
    }

    for (const { operationId, status, text } of answers) {
      it(`shows a possible answer: ${operationId} ${status}`, () => {
        const located = calls.map(operationOf).find((one) => one?.operation.operationId === operationId);
        if (located === undefined) throw new Error(`the calls above are not ${operationId}`);
        expect(located.operation.responses).to.include.keys(status);
        const response = resolved(`${located.pointer}/responses/${status}`);
        const [mediaType = ''] = Object.keys((valueAt(response) as Response).content ?? {});
        const validate = validator(ajv, `${response}/content/${escape(mediaType)}/schema`);
        const answer = JSON.parse(text) as Record<string, unknown>;
        expect(validate(answer), show(validate)).to.equal(true);
        if (Number(status) < 400) return;
        const { code } = answer as { code: keyof typeof PROBLEMS };
        const { title, retryable } = PROBLEMS[code];
        expect(answer).to.include({ type: `/problems/${code}`, status: PROBLEMS[code].status, title, retryable });
        expect(String(answer.status)).to.equal(status);
      });
    }
  }

  it('shows an answer for every operation that answers in JSON, but the contract itself', () => {
    const json = operations.filter(({ operation }) =>
      Object.values(operation.responses).some((response) => 'content' in response && response.content !== undefined && 'application/json' in response.content));
    const shown = new Set(blocks.flatMap(({ answers }) => answers).filter(({ status }) => status.startsWith('2')).map(({ operationId }) => operationId));
    expect([...shown, 'getContractJson']).to.have.members(json.map(({ operation }) => operation.operationId));
  });

  it('lists every header', () => {
    const rows = [...guide.matchAll(/^\| `([\w-]+)` \| (request|answer) \|/gm)].map(([, name, direction]) => `${direction ?? ''} ${name ?? ''}`);
    const requests = operations.flatMap(({ parameters }) => parameters).filter(({ parameter }) => parameter.in === 'header').map(({ parameter }) => parameter.name);
    const answers = operations.flatMap(({ pointer, operation }) =>
      Object.keys(operation.responses).flatMap((status) => Object.keys((valueAt(resolved(`${pointer}/responses/${status}`)) as Response).headers ?? {})));
    const declared = new Set([...['Content-Type', ...requests].map((name) => `request ${name}`), ...answers.map((name) => `answer ${name}`)]);
    expect(rows).to.have.members([...declared]);
  });

  it('lists every problem', () => {
    const rows = [...guide.matchAll(/^\| `(\w+)` \| (\d{3}) \| (yes|no) \| (?=\S)/gm)].map(([, code, status, retryable]) => [code, Number(status), retryable === 'yes']);
    expect(rows).to.deep.equal(Object.entries(PROBLEMS).map(([code, { status, retryable }]) => [code, status, retryable]));
  });
});
