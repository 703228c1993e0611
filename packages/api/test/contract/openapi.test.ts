/** openapi.yaml itself: examples are valid, everything is bounded, and its words and bounds are those of the code. */
import { readFileSync } from 'node:fs';
import { ATTEMPT_OUTCOMES, BACKEND_TYPE, LIMITS, LOG_LEVELS, PROBLEM_GLOB, PROBLEMS, TASK_REASONS, TASK_STATUSES, WORKER_ID, WORKER_STATUSES } from '@task-executor/shared';
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

/** Keywords whose value is a schema, schemas by name, and lists of schemas. */
const SUBSCHEMA = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames', 'unevaluatedProperties'];
const SUBSCHEMAS = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'allOf', 'anyOf', 'oneOf', 'prefixItems'];

/** `schema` and the schemas inside it. */
function* schemasIn(schema: unknown, path: string): Generator<[string, Json]> {
  if (typeof schema !== 'object' || schema === null) return;
  const node = schema as Json;
  yield [path, node];
  for (const key of SUBSCHEMA) yield* schemasIn(node[key], `${path}/${key}`);
  for (const key of SUBSCHEMAS) {
    for (const [name, child] of Object.entries(node[key] ?? {})) yield* schemasIn(child, `${path}/${key}/${name}`);
  }
}

/** Every schema of the contract: those with a name, and those in place (parameters, headers, bodies, answers). */
function* allSchemas(): Generator<[string, Json]> {
  for (const [name, schema] of Object.entries(contract.components.schemas)) yield* schemasIn(schema, `#/components/schemas/${name}`);
  for (const [path, node] of walk(contract, '#')) {
    if (!/\/(schemas|examples)\//.test(path) && 'schema' in node) yield* schemasIn(node.schema, `${path}/schema`);
  }
}

/** What `schema` leaves without a bound. */
function unbounded(schema: Json): string[] {
  if ('$ref' in schema || 'enum' in schema || 'const' in schema) return [];
  const types = [schema.type ?? []].flat() as string[];
  const wanted = types.flatMap((type): string[] => {
    switch (type) {
      case 'string': return ['maxLength'];
      case 'integer':
      case 'number': return ['minimum', 'maximum'];
      case 'array': return ['maxItems', 'items'];
      case 'object': return ['maxProperties', 'additionalProperties'];
      default: return [];
    }
  });
  return types.length === 0 ? ['type'] : wanted.filter((key) => !(key in schema));
}

interface Operation extends Json {
  operationId: string;
  tags: string[];
  summary: string;
  requestBody?: Json;
  responses: Record<string, Json>;
}

const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => method !== 'parameters').map(([method, operation]) =>
    ({ path, method, name: `${method.toUpperCase()} ${path}`, operation: operation as Operation })));

/** The response, or the one of the components that it refers to. */
function responseOf(response: Json): Json {
  return typeof response.$ref === 'string' ? contract.components.responses[response.$ref.split('/').at(-1) ?? ''] ?? {} : response;
}

const within = (node: unknown, ...path: string[]): unknown => path.reduce((value, key) => (value as Json)[key], node);
const at = (name: string, ...path: string[]): unknown => within(contract.components.schemas[name], ...path);
const operationOf = (id: string): Operation | undefined => operations.find(({ operation }) => operation.operationId === id)?.operation;
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

  it('shows every example somewhere', () => {
    const shown = [...walk(contract, '#')].flatMap(([, { $ref: ref }]) => (typeof ref === 'string' && ref.startsWith('#/components/examples/') ? [ref] : []));
    expect([...new Set(shown)]).to.have.members(Object.keys(contract.components.examples).map((name) => `#/components/examples/${name}`));
  });

  it('bounds every schema', () => {
    const schemas = [...allSchemas()];
    expect(schemas.length).to.be.greaterThan(200);
    expect(schemas.flatMap(([path, schema]) => unbounded(schema).map((key) => `${path}: ${key}`))).to.deep.equal([]);
  });

  it('would notice a schema without bounds', () => {
    expect(unbounded({ type: 'string', pattern: '^a+$' })).to.deep.equal(['maxLength']);
    expect(unbounded({ type: ['integer', 'null'], minimum: 0 })).to.deep.equal(['maximum']);
    expect(unbounded({ type: 'array', items: {} })).to.deep.equal(['maxItems']);
    expect(unbounded({ type: 'object', additionalProperties: false })).to.deep.equal(['maxProperties']);
    expect(unbounded({ description: 'anything' })).to.deep.equal(['type']);
  });

  it('needs no authentication, and says so', () => {
    expect(contract.security).to.deep.equal([]);
    for (const { name, operation } of operations) expect(operation, name).to.not.have.property('security');
  });

  it('names and describes every operation', () => {
    const tags = (contract.tags as { name: string }[]).map((tag) => tag.name);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { name, operation } of operations) {
      expect(operation.operationId, name).to.match(/^[a-z][A-Za-z]+$/);
      expect(operation.summary, name).to.be.a('string').that.is.not.empty;
      expect(operation.tags, name).to.have.lengthOf(1);
      expect(tags, name).to.include.members(operation.tags);
    }
  });

  it('declares the problems that each operation can have', () => {
    for (const { path, method, name, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect(statuses.filter((status) => status.startsWith('2')), name).to.not.be.empty;
      const wanted = ['403', '422'];
      if (path.startsWith('/api/')) wanted.push('400', '429', '500', '503');
      if (path.includes('{')) wanted.push('404');
      if (method === 'post' || method === 'put') wanted.push('413', '415');
      expect(statuses, name).to.include.members(wanted);
      expect(statuses.every((status) => /^(304|[245][0-9]{2})$/.test(status)), name).to.equal(true);
    }
  });

  it('answers every error with a problem document, but for health and readiness', () => {
    for (const { path, name, operation } of operations) {
      for (const [status, response] of Object.entries(operation.responses).filter(([key]) => Number(key) >= 400)) {
        const { content, headers } = responseOf(response) as { content: Record<string, Json>; headers?: Json };
        if (status === '503' && (path === '/health' || path === '/ready')) {
          const usual = operation.responses['200']?.content as Record<string, Json>;
          expect(content['application/json']?.schema, name).to.deep.equal(usual['application/json']?.schema);
          continue;
        }
        expect(Object.keys(content), `${name} ${status}`).to.deep.equal(['application/problem+json']);
        expect(content['application/problem+json']?.schema, `${name} ${status}`).to.deep.equal({ $ref: '#/components/schemas/Problem' });
        if (status === '429' || status === '503') expect(headers, `${name} ${status}`).to.have.property('Retry-After');
      }
    }
  });

  it('shows problems as the code makes them', () => {
    const problems = Object.values(contract.components.examples).map(({ value }) => value as Json).filter(({ type }) => typeof type === 'string' && type.startsWith('/problems/'));
    expect(problems).to.not.be.empty;
    for (const { code, type, status, title, retryable } of problems) {
      expect({ type, status, title, retryable }).to.deep.equal({ type: `/problems/${code as string}`, ...PROBLEMS[code as keyof typeof PROBLEMS] });
    }
  });

  it('has the words of the code', () => {
    expect(enumOf('TaskStatus')).to.deep.equal([...TASK_STATUSES]);
    expect(enumOf('TaskReason')).to.deep.equal([...TASK_REASONS, null]);
    expect(enumOf('AttemptOutcome')).to.deep.equal([...ATTEMPT_OUTCOMES, null]);
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
    ['maxAttempts', at('Retry', 'properties', 'max_attempts', 'maximum')],
    ['maxLost', at('TaskSubmission', 'properties', 'max_lost', 'maximum')],
    ['defaultMaxLost', at('TaskSubmission', 'properties', 'max_lost', 'default')],
    ['maxAttemptNumber', at('Attempt', 'maximum')],
    ['maxNameChars', at('TaskSubmission', 'properties', 'name', 'maxLength')],
    ['maxLabels', at('Labels', 'maxProperties')],
    ['maxLabelKeyChars', at('Labels', 'propertyNames', 'maxLength')],
    ['maxLabelValueChars', at('Labels', 'additionalProperties', 'maxLength')],
    ['maxBackoffSeconds', at('Retry', 'properties', 'max_seconds', 'maximum')],
    ['maxBackoffFactor', at('Retry', 'properties', 'factor', 'maximum')],
    ['maxDelaySeconds', at('TaskSubmission', 'properties', 'delay_seconds', 'maximum')],
    ['maxReuseSeconds', at('TaskSubmission', 'properties', 'reuse', 'properties', 'max_age_seconds', 'maximum')],
    ['maxDependencies', at('TaskSubmission', 'properties', 'depends_on', 'maxItems')],
    ['maxWorkflowTasks', at('WorkflowSubmission', 'properties', 'tasks', 'maxItems')],
    ['maxBatchTasks', at('TaskBatch', 'properties', 'tasks', 'maxItems')],
    ['maxIdempotencyKeyChars', at('IdempotencyKey', 'maxLength')],
    ['maxFilterLabels', at('TaskFilter', 'properties', 'labels', 'maxProperties')],
    ['maxLimits', at('LimitList', 'properties', 'limits', 'maxItems')],
    ['maxLimitValues', at('Limit', 'properties', 'in_use', 'maxItems')],
    ['maxLimitRunning', at('MaxRunning', 'maximum')],
    ['maxPauses', at('PauseList', 'properties', 'pauses', 'maxItems')],
    ['maxPauseReasonChars', at('PauseSubmission', 'properties', 'reason', 'maxLength')],
    ['maxCronChars', at('ScheduleSubmission', 'properties', 'cron', 'maxLength')],
    ['maxTimezoneChars', at('ScheduleSubmission', 'properties', 'timezone', 'maxLength')],
    ['maxNextRuns', at('Schedule', 'properties', 'next_runs', 'maxItems')],
    ['maxListedBulkOperations', at('BulkOperationList', 'properties', 'bulk_operations', 'maxItems')],
    ['maxListedSchedules', at('ScheduleList', 'properties', 'schedules', 'maxItems')],
    ['maxExplained', at('QueueExplanation', 'properties', 'largest', 'maxItems')],
    ['maxErrorChars', at('Failure', 'properties', 'error', 'maxLength')],
    ['maxReleaseReasonChars', at('Release', 'properties', 'reason', 'maxLength')],
    ['maxPageSize', at('TaskList', 'properties', 'tasks', 'maxItems')],
    ['maxCursorChars', at('Cursor', 'maxLength')],
    ['maxLogPageLines', at('TaskLogPage', 'properties', 'logs', 'maxItems')],
    ['maxLogBatchLines', at('LogBatch', 'properties', 'entries', 'maxItems')],
    ['maxLogMessageChars', at('LogEntry', 'properties', 'message', 'maxLength')],
    ['maxLogLinesPerAttempt', at('LogBatch', 'properties', 'offset', 'maximum')],
    ['maxProgressMessageChars', at('Progress', 'properties', 'message', 'maxLength')],
    ['maxProgressMetrics', at('ProgressMetrics', 'maxProperties')],
    ['maxProgressMetricNameChars', at('ProgressMetrics', 'propertyNames', 'maxLength')],
    ['maxTaskWaitSeconds', within(operationOf('getTask'), 'parameters', '0', 'schema', 'maximum')],
    ['maxArtifactBytes', at('Artifact', 'properties', 'bytes', 'maximum')],
    ['maxArtifactBytes', within(operationOf('putTaskArtifact'), 'requestBody', 'content', 'application/octet-stream', 'schema', 'maxLength')],
    ['maxArtifactNameChars', at('ArtifactName', 'maxLength')],
    ['maxMediaTypeChars', at('MediaType', 'maxLength')],
    ['maxParallelTasks', at('Capabilities', 'properties', 'max_parallel_tasks', 'maximum')],
    ['maxSupportedProblems', at('Capabilities', 'properties', 'supported_problems', 'maxItems')],
    ['maxWorkersPage', at('WorkerList', 'properties', 'workers', 'maxItems')],
    ['maxClaimWaitSeconds', at('Claim', 'properties', 'wait_seconds', 'maximum')],
    ['maxIdleClaimWaitSeconds', at('BatchClaim', 'properties', 'wait_seconds', 'maximum')],
    ['maxIdleClaimWaitSeconds', at('ClaimedTasks', 'properties', 'next_wait_seconds', 'maximum')],
    ['maxUnfitChars', at('Heartbeat', 'properties', 'unfit', 'maxLength')],
    ['maxHeartbeatWaitSeconds', at('Heartbeat', 'properties', 'wait_seconds', 'maximum')],
    ['maxClaimedTasks', at('BatchClaim', 'properties', 'max_tasks', 'maximum')],
    ['defaultClaimedTasks', at('BatchClaim', 'properties', 'max_tasks', 'default')],
    ['maxReports', at('ReportBatch', 'properties', 'reports', 'maxItems')],
    ['maxRequestIdChars', at('Claim', 'properties', 'request_id', 'maxLength')],
    ['maxInternalWorkers', at('InternalWorkerCount', 'maximum')],
    ['maxStatsKeys', at('TaskStats', 'properties', 'tasks_by_problem', 'maxProperties')],
  ];
  for (const [name, bound] of bounds) {
    it(`bounds by ${name}`, () => {
      expect(bound).to.equal(LIMITS[name]);
    });
  }

  it('has the patterns that the code has', () => {
    const { WorkerId, ProblemGlob, BackendType } = contract.components.schemas;
    const patterns = [WorkerId, ProblemGlob, BackendType].map((schema) => (schema as { pattern?: string }).pattern);
    expect(patterns).to.deep.equal([WORKER_ID, PROBLEM_GLOB, BACKEND_TYPE].map(({ source }) => source));
  });

  it('says in words what no schema can', () => {
    const { maxPageBytes, maxBulkBodyBytes, maxBodyBytes, maxSubmittedDependencies } = LIMITS;
    const mib = (bytes: number): string => `${bytes / 1024 ** 2} MiB`;
    const words: [string, string, string[]][] = [
      ['/api/v1/tasks', 'get', [mib(maxPageBytes)]],
      ['/api/v1/tasks/{task_id}/attempts', 'get', [mib(maxPageBytes)]],
      ['/api/v1/tasks/{task_id}/logs', 'get', [mib(maxPageBytes)]],
      ['/api/v1/schedules', 'get', [mib(maxPageBytes)]],
      ['/api/v1/tasks/batch', 'post', [mib(maxBulkBodyBytes), mib(maxBodyBytes), maxSubmittedDependencies.toLocaleString('en')]],
      ['/api/v1/workflows', 'post', [mib(maxBulkBodyBytes), mib(maxBodyBytes), maxSubmittedDependencies.toLocaleString('en')]],
      ['/api/v1/workers/{worker_id}/report', 'post', [mib(maxBulkBodyBytes), mib(maxBodyBytes)]],
    ];
    for (const [path, method, bounds] of words) {
      for (const bound of bounds) expect(contract.paths[path]?.[method]?.description, `${method} ${path}`).to.match(new RegExp(`\\b${bound}\\b`));
    }
  });
});
