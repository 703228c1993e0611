/** API_DOCUMENTATION.md against openapi.yaml: no operation missing, none invented, every call and every answer valid. */
import { PROBLEMS } from '@task-executor/shared';
import { expect } from 'chai';
import { operations, resolved, valueAt, type Response } from '../support/contract.js';
import { itIsTrue, operationOf, readPage } from '../support/pages.js';

const guide = readPage('API_DOCUMENTATION.md');

describe('API_DOCUMENTATION.md', () => {
  it('has a heading and a call for every operation', () => {
    const headings = [...guide.text.matchAll(/^### .*$/gm)].map(([line]) => line).join('\n');
    const named = [...headings.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(named).to.have.members(operations.map(({ operation }) => operation.operationId));
    const called = new Set(guide.blocks.flatMap(({ calls }) => calls).map((call) => operationOf(call)?.operation.operationId));
    expect([...called]).to.have.members(named);
  });

  itIsTrue(guide);

  it('shows an answer for every operation that answers in JSON, but the contract itself', () => {
    const isJson = (mediaType: string): boolean => ['application/json', 'application/x-ndjson'].includes(mediaType);
    const json = operations.filter(({ operation }) =>
      Object.values(operation.responses).some((response) => 'content' in response && Object.keys(response.content ?? {}).some(isJson)));
    const shown = new Set(guide.blocks.flatMap(({ answers }) => answers).filter(({ status }) => status.startsWith('2')).map(({ operationId }) => operationId));
    expect([...shown, 'getContractJson']).to.have.members(json.map(({ operation }) => operation.operationId));
  });

  it('lists every header', () => {
    const rows = [...guide.text.matchAll(/^\| `([\w-]+)` \| (request|answer) \|/gm)].map(([, name, direction]) => `${direction ?? ''} ${name ?? ''}`);
    const requests = operations.flatMap(({ parameters }) => parameters).filter(({ parameter }) => parameter.in === 'header').map(({ parameter }) => parameter.name);
    const answers = operations.flatMap(({ pointer, operation }) =>
      Object.keys(operation.responses).flatMap((status) => Object.keys((valueAt(resolved(`${pointer}/responses/${status}`)) as Response).headers ?? {})));
    const declared = new Set([...['Content-Type', ...requests].map((name) => `request ${name}`), ...answers.map((name) => `answer ${name}`)]);
    expect(rows).to.have.members([...declared]);
  });

  it('lists every problem', () => {
    const rows = [...guide.text.matchAll(/^\| `(\w+)` \| (\d{3}) \| (yes|no) \| (?=\S)/gm)].map(([, code, status, retryable]) => [code, Number(status), retryable === 'yes']);
    expect(rows).to.deep.equal(Object.entries(PROBLEMS).map(([code, { status, retryable }]) => [code, status, retryable]));
  });
});
