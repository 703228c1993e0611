/** API_DOCUMENTATION.md against openapi.yaml: no operation missing, none invented, every body and answer valid. */
import { readFileSync } from 'node:fs';
import { PROBLEMS } from '@task-executor/shared';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { expect } from 'chai';
import { parse } from 'yaml';

interface Operation {
  operationId: string;
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
}

const top = new URL('../../../../', import.meta.url);
const guide = readFileSync(new URL('API_DOCUMENTATION.md', top), 'utf8');
const contract = parse(readFileSync(new URL('openapi.yaml', top), 'utf8')) as { paths: Record<string, Record<string, Operation>> };
const ajv = new Ajv2020({ strict: false });
(addFormatsModule as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addSchema(contract, 'contract');

const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).filter(([method]) => method !== 'parameters').map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));

/** Every curl of the guide: method, path with {} for variables, body. */
const curls = [...guide.matchAll(/```bash\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.replace(/\\\n\s*/g, ' ').split('\n').filter((line) => line.includes('curl ')).map((line) => {
    const body = /-d '([^']*)'/.exec(line)?.[1];
    const method = /-X (\w+)/.exec(line)?.[1] ?? (body === undefined ? 'GET' : 'POST');
    const path = (/\$API([^\s"|)]*)/.exec(line)?.[1] ?? '').split('?')[0]?.replace(/\$[A-Z_]+/g, '{}') ?? '';
    return { line, method, path, body };
  }));

const operationOf = (curl: { method: string; path: string }) =>
  operations.find(({ path, method }) => method === curl.method && path.replace(/\{[^}]+\}/g, '{}') === curl.path);

describe('API_DOCUMENTATION.md', () => {
  it('has a call for every operation, and names it', () => {
    const shown = new Set(curls.map((curl) => operationOf(curl)?.operation.operationId));
    for (const { operation } of operations) {
      expect(shown, operation.operationId).to.include(operation.operationId);
      expect(guide).to.include(`\`${operation.operationId}\``);
    }
  });

  for (const curl of curls) {
    it(`is true: ${curl.line.slice(0, 90)}`, () => {
      const found = operationOf(curl);
      expect(found, `${curl.method} ${curl.path}`).to.not.equal(undefined);
      if (curl.body === undefined || found?.operation.requestBody === undefined) return;
      const validate = ajv.getSchema(`contract${found.operation.requestBody.content['application/json'].schema.$ref}`);
      expect(validate?.(JSON.parse(curl.body)), JSON.stringify(validate?.errors)).to.equal(true);
    });
  }

  it('shows answers that fit their schemas', () => {
    const answers = [...guide.matchAll(/```json (\w+)\n([\s\S]*?)```/g)];
    expect(answers.length).to.be.greaterThan(1);
    for (const [, schema = '', text = ''] of answers) {
      const validate = ajv.getSchema(`contract#/components/schemas/${schema}`);
      expect(validate?.(JSON.parse(text)), `${schema} ${JSON.stringify(validate?.errors)}`).to.equal(true);
    }
  });

  it('lists every problem', () => {
    const rows = [...guide.matchAll(/^\| (\w+) \| (\d+) \| (yes|no) \| (.+) \|$/gm)].map(([, code, status, retryable, title]) => [code, Number(status), retryable === 'yes', title]);
    expect(rows).to.deep.equal(Object.entries(PROBLEMS).map(([code, { status, retryable, title }]) => [code, status, retryable, title]));
  });
});
