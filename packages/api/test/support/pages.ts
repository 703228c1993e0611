/**
 * Pages of documentation with curl calls and answers, against openapi.yaml. A call stands in a fence of bash; the fence of an
 * answer names its operation and status (```json getTask 200) and belongs to the calls right above it. A call whose answer is 422
 * must not fit the schema of its body, or, where the fence goes on with `rule`, must fit it and break a rule beyond it.
 */
import { readFileSync } from 'node:fs';
import { PROBLEMS } from '@task-executor/shared';
import { expect } from 'chai';
import type { ValidateFunction } from 'ajv';
import { escape, operations, queryValidator, resolved, TOP, typeAt, validator, valueAt, type Located, type Response } from './contract.js';

export interface Call {
  text: string;
  method: string;
  path: string;
  query: [string, string][];
  headers: string[];
  body: string | undefined;
}
export interface Block {
  calls: Call[];
  answers: { operationId: string; status: string; note: string; text: string }[];
}
export interface Page {
  name: string;
  text: string;
  blocks: Block[];
}

/** The words of the shell command that begins `script`, quotes removed, up to its end. */
function words(script: string): string[] {
  const found: string[] = [];
  let rest = script.replace(/\\\n\s*/g, ' ');
  for (;;) {
    const blank = /^[ \t]+/.exec(rest);
    if (blank !== null) rest = rest.slice(blank[0].length);
    const word = /^(?:'[^']*'|"[^"]*"|[^\s'";|)#>])+/.exec(rest);
    if (word === null) return found;
    found.push(word[0].replace(/'([^']*)'|"([^"]*)"/g, (_all, single?: string, double?: string) => single ?? double ?? ''));
    rest = rest.slice(word[0].length);
  }
}

function callOf(script: string, variables: ReadonlyMap<string, string>): Call {
  const [, ...args] = words(script);
  const call: Call = { text: script.split('\n')[0] ?? '', method: '', path: '', query: [], headers: [], body: undefined };
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === '-s' || arg === '-N') continue;
    if (arg === '-o' || arg === '-D') args.shift();
    else if (arg === '-X') call.method = args.shift() ?? '';
    else if (arg === '-d' || arg === '--data-binary') call.body = args.shift();
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

/** The page of this name, from the top of the repository. */
export function readPage(name: string): Page {
  const text = readFileSync(new URL(name, TOP), 'utf8');
  const variables = new Map([...text.matchAll(/^([A-Z_]+)='([^']*)'$/gm)].map(([, variable = '', value = '']) => [`$${variable}`, value]));
  const blocks: Block[] = [];
  for (const [, language = '', about = '', inside = ''] of text.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)) {
    if (language === 'bash') {
      blocks.push({ calls: [...inside.matchAll(/\bcurl /g)].map(({ index }) => callOf(inside.slice(index), variables)), answers: [] });
    } else if (language !== 'text') {
      const [operationId = '', status = '', note = ''] = about.split(' ');
      blocks.at(-1)?.answers.push({ operationId, status, note, text: inside });
    }
  }
  return { name, text, blocks };
}

export const operationOf = (call: Call): Located | undefined =>
  operations.find(({ path, method }) => method === call.method && path.replace(/\{[^}]+\}/g, '{}') === call.path);

const show = (validate: ValidateFunction): string => JSON.stringify(validate.errors);

/** A body with values for its shell variables: those that end in AT are times, ATTEMPT is a number, the others are ids. */
const filledIn = (body: string): unknown =>
  JSON.parse(body.replace(/\$([A-Z_]+)/g, (_all, name: string) => {
    if (name === 'ATTEMPT') return '1';
    return name.endsWith('AT') ? '2026-01-05T09:00:00.000Z' : '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
  }));

/** Whether `call` is one of the contract, with parameters and a body that fit it. */
function checkCall(call: Call, { answers }: Block): void {
  const found = operationOf(call);
  if (found === undefined) throw new Error(`there is no ${call.method} ${call.path}`);
  const declared = found.parameters.filter(({ parameter }) => parameter.in === 'header').map(({ parameter }) => parameter.name);
  expect([...declared, 'Content-Type']).to.include.members(call.headers);
  expect(call.headers.includes('Content-Type')).to.equal(call.body !== undefined);
  for (const [name, value] of call.query) {
    const parameter = found.parameters.find((one) => one.parameter.in === 'query' && one.parameter.name === name);
    if (parameter === undefined) throw new Error(`${found.operation.operationId} has no parameter ${name}`);
    if (value.startsWith('$')) continue;
    const validate = queryValidator(parameter.pointer);
    const isList = typeAt(`${parameter.pointer}/schema`) === 'array';
    const given = !isList ? value : parameter.parameter.explode === false ? value.split(',') : [value];
    expect(validate({ value: given }), `${name}=${value} ${show(validate)}`).to.equal(true);
  }
  if (call.body === undefined) return;
  expect(found.operation.requestBody, 'a body where none is taken').to.not.equal(undefined);
  // A body that is in a file is not on the page.
  if (call.body.startsWith('@')) return;
  const validate = validator(`${found.pointer}/requestBody/content/application~1json/schema`);
  const refused = answers.some(({ operationId, status, note }) => operationId === found.operation.operationId && status === '422' && note !== 'rule');
  expect(validate(filledIn(call.body)), show(validate)).to.equal(!refused);
}

/** Whether an answer to the calls of its block could be what is shown. */
function checkAnswer({ operationId, status, text }: Block['answers'][number], { calls }: Block): void {
  const located = calls.map(operationOf).find((one) => one?.operation.operationId === operationId);
  if (located === undefined) throw new Error(`the calls above are not ${operationId}`);
  expect(located.operation.responses).to.include.keys(status);
  const response = resolved(`${located.pointer}/responses/${status}`);
  const [mediaType = ''] = Object.keys((valueAt(response) as Response).content ?? {});
  const validate = validator(`${response}/content/${escape(mediaType)}/schema`);
  // A line that is wrapped goes on with a space.
  const documents = mediaType === 'application/x-ndjson' ? text.split(/\n(?! )/).filter((line) => line !== '') : [text];
  for (const document of documents) {
    const answer = JSON.parse(document) as Record<string, unknown>;
    expect(validate(answer), show(validate)).to.equal(true);
    if (Number(status) < 400) continue;
    const { code } = answer as { code: keyof typeof PROBLEMS };
    const { title, retryable } = PROBLEMS[code];
    expect(answer).to.include({ type: `/problems/${code}`, status: PROBLEMS[code].status, title, retryable });
    expect(String(answer.status)).to.equal(status);
  }
}

/** Tests for every call and every answer of `page`. */
export function itIsTrue({ blocks }: Page): void {
  for (const block of blocks) {
    for (const call of block.calls) {
      it(`is true: ${call.method} ${call.text.slice(0, 90)}`, () => {
        checkCall(call, block);
      });
    }
    for (const answer of block.answers) {
      it(`shows a possible answer: ${answer.operationId} ${answer.status}`, () => {
        checkAnswer(answer, block);
      });
    }
  }
}
