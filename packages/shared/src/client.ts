/**
 * A typed client of the API for workers, and for whoever submits. Every call has a bound in time. What goes wrong is one
 * of two things: ApiError, the server's definite answer, or ApiUnreachable, where nobody knows whether the call was carried
 * out; every call here may be repeated.
 */
import { Agent, request } from 'undici';
import type { components } from './contract.gen.js';
import { isProblemCode, type ProblemCode } from './problems.js';

type Schemas = components['schemas'];

const CALL_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The server answered, with a problem. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: ProblemCode | 'unknown';
  /** In how many seconds the server asks to be called again, or null. */
  readonly retryAfterSeconds: number | null;
  /** For `log_gap`. */
  readonly expectedOffset: number | null;

  constructor(status: number, problem: Partial<Schemas['Problem']>, retryAfterSeconds: number | null) {
    super(`${status} ${problem.code ?? 'unknown'}: ${problem.detail ?? problem.title ?? 'no details'}`);
    this.status = status;
    this.code = isProblemCode(problem.code) ? problem.code : 'unknown';
    this.retryAfterSeconds = retryAfterSeconds;
    this.expectedOffset = problem.expected_offset ?? null;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

/** No answer came. */
export class ApiUnreachable extends Error {}

/** Who calls: a worker under its session. */
export interface WorkerIdentity {
  readonly workerId: string;
  readonly session: string;
}

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export class ApiClient {
  readonly #apiUrl: string;
  readonly #agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 30_000, connect: { timeout: 5_000 } });

  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl.replace(/\/+$/, '');
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  submitTask(submission: Schemas['TaskSubmission']): Promise<Schemas['Task']> {
    return this.#call('POST', '/api/v1/tasks', { body: submission });
  }

  getTask(taskId: string): Promise<Schemas['Task']> {
    return this.#call('GET', `/api/v1/tasks/${taskId}`);
  }

  listWorkers(): Promise<Schemas['WorkerList']> {
    return this.#call('GET', '/api/v1/workers');
  }

  register(registration: Schemas['WorkerRegistration'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    return this.#call('POST', '/api/v1/workers/register', { body: registration, signal });
  }

  deregister(worker: WorkerIdentity): Promise<void> {
    return this.#call('DELETE', `/api/v1/workers/${worker.workerId}`, { headers: sessionHeader(worker) });
  }

  heartbeat(worker: WorkerIdentity, heartbeat: Schemas['Heartbeat'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    const timeoutMs = (heartbeat.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    return this.#call('POST', `/api/v1/workers/${worker.workerId}/heartbeat`, { body: heartbeat, headers: sessionHeader(worker), timeoutMs, signal });
  }

  /** The claimed task, or null where there was none within `wait_seconds`. */
  async claim(worker: WorkerIdentity, claim: Schemas['Claim'], signal?: AbortSignal): Promise<Schemas['Task'] | null> {
    const timeoutMs = (claim.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    const task = await this.#call<Schemas['Task'] | undefined>('POST', `/api/v1/workers/${worker.workerId}/claim`, {
      body: claim, headers: sessionHeader(worker), timeoutMs, signal,
    });
    return task ?? null;
  }

  complete(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], result: Record<string, unknown>): Promise<Schemas['Task']> {
    return this.#report(worker, attempt, 'complete', result);
  }

  fail(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], failure: Schemas['Failure']): Promise<Schemas['Task']> {
    return this.#report(worker, attempt, 'fail', failure);
  }

  release(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], body: Schemas['Release']): Promise<Schemas['Task']> {
    return this.#report(worker, attempt, 'release', body);
  }

  appendLogs(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], batch: Schemas['LogBatch']): Promise<Schemas['LogReceipt']> {
    return this.#report(worker, attempt, 'logs', batch);
  }

  #report<T>(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], verb: string, body: unknown): Promise<T> {
    return this.#call('POST', `/api/v1/workers/${worker.workerId}/tasks/${attempt.task_id}/${verb}`, {
      body, headers: { ...sessionHeader(worker), 'task-attempt': String(attempt.attempt) },
    });
  }

  async #call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options: CallOptions = {}): Promise<T> {
    const timeout = AbortSignal.timeout(Math.ceil(options.timeoutMs ?? CALL_TIMEOUT_MS));
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    let status: number;
    let retryAfter: string | undefined;
    let text: string;
    try {
      const response = await request(`${this.#apiUrl}${path}`, {
        method,
        dispatcher: this.#agent,
        headersTimeout: 0,
        bodyTimeout: 0,
        headers: { accept: 'application/json', ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal,
      });
      status = response.statusCode;
      retryAfter = response.headers['retry-after'] as string | undefined;
      if (Number(response.headers['content-length'] ?? 0) > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
      text = await response.body.text();
    } catch (error) {
      throw new ApiUnreachable(`${method} ${this.#apiUrl}${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    if (status >= 400) throw new ApiError(status, (parse(text) ?? {}), secondsOf(retryAfter));
    return parse(text) as T;
  }
}

function sessionHeader(worker: WorkerIdentity): Record<string, string> {
  return { 'worker-session': worker.session };
}

/** A proxy's error page is not JSON; it becomes a problem without a code. */
function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function secondsOf(retryAfter: string | undefined): number | null {
  const seconds = Number(retryAfter);
  return retryAfter === undefined || !Number.isFinite(seconds) ? null : Math.max(0, seconds);
}
