/** A typed client of the API for workers. Every call has a bound in time, and may be repeated; see http-call for its errors. */
import type { components } from './contract.gen.js';
import { CALL_TIMEOUT_MS, HttpCaller, type CallOptions } from './http-call.js';

type Schemas = components['schemas'];

/** Who calls: a worker under its session. */
export interface WorkerIdentity {
  readonly workerId: string;
  readonly session: string;
}

export class ApiClient {
  readonly #http: HttpCaller;

  constructor(apiUrl: string) {
    this.#http = new HttpCaller(apiUrl);
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  register(registration: Schemas['WorkerRegistration'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    return this.#call('POST', '/api/v1/workers/register', { body: registration, signal });
  }

  deregister(worker: WorkerIdentity): Promise<void> {
    return this.#call('DELETE', `/api/v1/workers/${worker.workerId}`, { headers: sessionHeader(worker) });
  }

  heartbeat(worker: WorkerIdentity, heartbeat: Schemas['Heartbeat'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    return this.#call('POST', `/api/v1/workers/${worker.workerId}/heartbeat`, { body: heartbeat, headers: sessionHeader(worker), signal });
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

  #call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options: CallOptions = {}): Promise<T> {
    return this.#http.call(method, path, options);
  }
}

function sessionHeader(worker: WorkerIdentity): Record<string, string> {
  return { 'worker-session': worker.session };
}
