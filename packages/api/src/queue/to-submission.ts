/** Submissions as clients send them, brought to what the queue takes: defaults filled in, contradictions refused. */
import { LIMITS, type components } from '@task-executor/shared';
import type { ApiConfig } from '../config.js';
import { fingerprintOf } from './fingerprint.js';
import type { Edge, Submission } from './submission.js';

type Schemas = components['schemas'];

/** All that a submission, an item of a batch, a task of a workflow or the template of a schedule may have; each has some of it. */
export type SubmissionBody = Schemas['TaskTemplate'] & Pick<
  Schemas['TaskSubmission'],
  'run_at' | 'delay_seconds' | 'expires_at' | 'dedupe_key' | 'reuse' | 'depends_on' | 'on_dependency_failure'
>;

/** Thrown where a submission fits the contract and cannot be taken all the same. */
export class InvalidSubmission extends Error {
  /** Where the fault is in the request, such as /body/labels. */
  readonly path: string;
  readonly fault: string;

  constructor(path: string, fault: string) {
    super(`${path}: ${fault}`);
    this.path = path;
    this.fault = fault;
  }
}

/** Where a task comes from. */
interface Origin {
  readonly retryOf?: string;
  readonly workflowId?: string;
  readonly scheduleId?: string;
}

const DEFAULT_RETRY = { initial_seconds: 1, factor: 2, max_seconds: 3600, jitter: 0.2 };

/** PostgreSQL's `real` refuses a number that is nearer to 0 than this. */
const SMALLEST_REAL = 1e-37;

/** A backoff as a task keeps it. */
function backoffOf({ initial_seconds, factor, max_seconds, jitter }: typeof DEFAULT_RETRY): [number, number, number, number] {
  const storable = (value: number): number => (value < SMALLEST_REAL ? 0 : value);
  return [storable(initial_seconds), factor, storable(max_seconds), storable(jitter)];
}

/** Refuses a name that has too many bytes; the contract can only count characters. @throws InvalidSubmission */
export function checkBytes(path: string, name: string | null | undefined): void {
  if (name != null && Buffer.byteLength(name) > LIMITS.maxNameBytes) {
    throw new InvalidSubmission(path, `must be at most ${LIMITS.maxNameBytes} bytes`);
  }
}

/** The submission of a body. `path` is where it is in the request, for errors. @throws InvalidSubmission */
export function toSubmission(
  config: Pick<ApiConfig, 'defaultPriority' | 'defaultTimeoutSeconds'>,
  path: string,
  body: SubmissionBody,
  origin: Origin = {},
): Submission {
  const { retry, labels = {}, parameters = {} } = body;
  if (body.run_at != null && body.delay_seconds !== undefined) {
    throw new InvalidSubmission(`${path}/delay_seconds`, 'give run_at or delay_seconds, not both');
  }
  if (body.reuse !== undefined && (body.depends_on ?? []).length > 0) {
    throw new InvalidSubmission(`${path}/reuse`, 'a task that depends on others cannot take the result of an equal one');
  }
  for (const [key, value] of Object.entries(labels)) {
    if (Buffer.byteLength(`${key}=${value}`) > LIMITS.maxLabelBytes) {
      throw new InvalidSubmission(`${path}/labels/${key}`, `must be at most ${LIMITS.maxLabelBytes} bytes with its key`);
    }
  }
  // A task of a workflow has the workflow's labels beside its own, so together they may be more than the contract takes of each.
  if (Object.keys(labels).length > LIMITS.maxLabels) {
    throw new InvalidSubmission(`${path}/labels`, `must be at most ${LIMITS.maxLabels}, with those of the workflow`);
  }
  checkBytes(`${path}/name`, body.name);
  checkBytes(`${path}/dedupe_key`, body.dedupe_key);
  const backoff = { ...DEFAULT_RETRY, ...retry };
  return {
    name: body.name ?? null,
    problemId: body.problem_id,
    parameters,
    labels,
    priority: body.priority ?? config.defaultPriority,
    backendType: body.backend_type ?? null,
    timeoutSeconds: body.timeout_seconds ?? config.defaultTimeoutSeconds,
    maxAttempts: retry?.max_attempts ?? 1,
    maxLost: body.max_lost ?? LIMITS.defaultMaxLost,
    backoff: (retry?.max_attempts ?? 1) > 1 ? backoffOf(backoff) : null,
    runAt: body.run_at ?? null,
    delaySeconds: body.delay_seconds ?? null,
    expiresAt: body.expires_at ?? null,
    runAnyway: body.on_dependency_failure === 'run_anyway',
    retryOf: origin.retryOf ?? null,
    workflowId: origin.workflowId ?? null,
    scheduleId: origin.scheduleId ?? null,
    dedupeKey: body.dedupe_key ?? null,
    reuseSeconds: body.reuse?.max_age_seconds ?? null,
    fingerprint: fingerprintOf(body.problem_id, parameters),
  };
}

/** Refuses the tasks at `path` where they have too many dependencies together. @throws InvalidSubmission */
export function checkDependencies(path: string, tasks: readonly { readonly depends_on?: readonly string[] }[]): void {
  const dependencies = tasks.reduce((sum, { depends_on: parents = [] }) => sum + parents.length, 0);
  if (dependencies > LIMITS.maxSubmittedDependencies) {
    throw new InvalidSubmission(path, `they have ${dependencies} dependencies; at most ${LIMITS.maxSubmittedDependencies} are taken`);
  }
}

/** The edges of a task that names the ids of tasks it depends on; each delivers its result under the id. */
export function edgesOf(child: number, dependsOn: readonly string[] | undefined): Edge[] {
  return [...new Set((dependsOn ?? []).map((id) => id.toLowerCase()))].map((parent) => ({ child, parent, name: parent }));
}
