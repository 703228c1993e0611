/** openapi.yaml itself: examples are valid, everything is bounded, and its words and bounds are those of the code. */
import { readFileSync } from 'node:fs';
import { LIMITS, LOG_LEVELS, PROBLEMS, TASK_REASONS, TASK_STATUSES, WORKER_STATUSES } from '@task-executor/shared';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { expect } from 'chai';
import { parse } from 'yaml';

type Json = Record<string, unknown>;

const contract = parse(readFileSync(new URL('../../../../openapi.yaml', import.meta.url), 'utf8')) as Json & {
  paths: Record<string, Record<string, Json>>;
  components: { schemas: Record<string, Json>; responses: Record<string, Json>; examples: Record<string, { value: unknown }> };
};
const ajv = new Ajv2020({ strict: false });
(addFormatsModule as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addSchema(contract, 'contract');

/** Every object below `node`, with its path. */
function* walk(node: unknown, path: string): Generator<[string, Json]> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield [path, node as Json];
  for (const [key, child] of Object.entries(node)) yield* walk(child, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

const at = (name: string, ...path: string[]): unknown => path.reduce<unknown>((node, key) => (node as Json)[key], contract.components.schemas[name]);
const enumOf = (name: string): unknown => at(name, 'enum');

describe('openapi.yaml', () => {
  it('has examples that fit', () => {
    let checked = 0;
    for (const [path, node] of walk(contract, '#')) {
      if (node.examples === undefined || node.schema === undefined) continue;
      const validate = ajv.getSchema(`contract${path.split('/').map((part) => (part === '#' ? part : encodeURIComponent(part))).join('/')}/schema`);
      for (const example of Object.values(node.examples as Record<string, { $ref: string }>)) {
        const name = example.$ref.split('/').at(-1) ?? '';
        expect(validate?.(contract.components.examples[name]?.value), `${path} ${name} ${JSON.stringify(validate?.errors)}`).to.equal(true);
        checked += 1;
      }
    }
    expect(checked).to.be.greaterThan(40);
  });

  it('bounds every schema', () => {
    for (const [path, node] of walk(contract, '#')) {
      if (path.includes('/examples/') || path.endsWith('/properties') || node.enum !== undefined) continue;
      const types = [node.type].flat();
      if (types.includes('string')) expect(node, path).to.have.any.keys('maxLength', 'pattern');
      if (types.includes('integer') || types.includes('number')) expect(node, path).to.include.keys('minimum', 'maximum');
      if (types.includes('array')) expect(node, path).to.include.keys('maxItems', 'items');
      if (types.includes('object')) expect(node, path).to.include.keys('maxProperties', 'additionalProperties' in node ? 'additionalProperties' : 'properties');
    }
  });

  it('describes every operation and its problems', () => {
    expect(contract.security).to.deep.equal([]);
    for (const [path, methods] of Object.entries(contract.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (method === 'parameters') continue;
        expect(operation, path).to.include.keys('operationId', 'tags', 'summary', 'responses');
        const statuses = Object.keys(operation.responses as Json);
        expect(statuses.some((status) => status.startsWith('2')), path).to.equal(true);
        expect(statuses).to.include.members(['403', '422']);
      }
    }
    for (const [name, response] of Object.entries(contract.components.responses)) {
      expect(Object.keys(response.content as Json), name).to.deep.equal(['application/problem+json']);
    }
  });

  it('has the words of the code', () => {
    expect(enumOf('TaskStatus')).to.deep.equal([...TASK_STATUSES]);
    expect(enumOf('TaskReason')).to.deep.equal([...TASK_REASONS, null]);
    expect(enumOf('WorkerStatus')).to.deep.equal([...WORKER_STATUSES]);
    expect(enumOf('LogLevel')).to.deep.equal([...LOG_LEVELS]);
    expect(enumOf('ProblemCode')).to.deep.equal(Object.keys(PROBLEMS));
  });

  const bounds: [keyof typeof LIMITS, unknown][] = [
    ['maxProblemIdChars', at('ProblemId', 'maxLength')],
    ['maxBackendTypeChars', at('BackendType', 'maxLength')],
    ['minPriority', at('Priority', 'minimum')],
    ['maxPriority', at('Priority', 'maximum')],
    ['maxTimeoutSeconds', at('TimeoutSeconds', 'maximum')],
    ['maxAttempts', at('TaskSubmission', 'properties', 'retry', 'properties', 'max_attempts', 'maximum')],
    ['maxLost', at('TaskSubmission', 'properties', 'max_lost', 'maximum')],
    ['defaultMaxLost', at('TaskSubmission', 'properties', 'max_lost', 'default')],
    ['maxAttemptNumber', at('Attempt', 'maximum')],
    ['maxErrorChars', at('Failure', 'properties', 'error', 'maxLength')],
    ['maxReleaseReasonChars', at('Release', 'properties', 'reason', 'maxLength')],
    ['maxPageSize', at('TaskList', 'properties', 'tasks', 'maxItems')],
    ['maxCursorChars', at('Cursor', 'maxLength')],
    ['maxLogPageLines', at('TaskLogPage', 'properties', 'logs', 'maxItems')],
    ['maxLogBatchLines', at('LogBatch', 'properties', 'entries', 'maxItems')],
    ['maxLogMessageChars', at('LogEntry', 'properties', 'message', 'maxLength')],
    ['maxLogLinesPerAttempt', at('LogBatch', 'properties', 'offset', 'maximum')],
    ['maxParallelTasks', at('Capabilities', 'properties', 'max_parallel_tasks', 'maximum')],
    ['maxSupportedProblems', at('Capabilities', 'properties', 'supported_problems', 'maxItems')],
    ['maxWorkersPage', at('WorkerList', 'properties', 'workers', 'maxItems')],
    ['maxClaimWaitSeconds', at('Claim', 'properties', 'wait_seconds', 'maximum')],
    ['maxRequestIdChars', at('Claim', 'properties', 'request_id', 'maxLength')],
    ['maxInternalWorkers', at('InternalWorkerCount', 'maximum')],
    ['maxStatsKeys', at('TaskStats', 'properties', 'tasks_by_problem', 'maxProperties')],
  ];
  for (const [name, bound] of bounds) {
    it(`bounds by ${name}`, () => {
      expect(bound).to.equal(LIMITS[name]);
    });
  }
});
