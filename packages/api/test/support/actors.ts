/** Short words for what tests do over HTTP: submit tasks, be a worker, wait for a condition. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Answer, Caller } from './api.js';

/** Submits a task and returns its id. */
export async function submitTask(api: Caller, submission: Record<string, unknown> = {}): Promise<string> {
  const answer = await api.call('POST', '/api/v1/tasks', { problem_id: 'test-a', parameters: {}, ...submission });
  expect(answer.status).to.equal(201);
  return answer.body.id as string;
}

export class TestWorker {
  readonly #api: Caller;
  readonly id: string;
  readonly session: string;

  private constructor(api: Caller, id: string, session: string) {
    this.#api = api;
    this.id = id;
    this.session = session;
  }

  static async register(
    api: Caller,
    options: { id?: string; globs?: string[]; parallel?: number; backend?: string; metadata?: Record<string, unknown> } = {},
  ): Promise<TestWorker> {
    const answer = await api.call('POST', '/api/v1/workers/register', {
      ...(options.id === undefined ? {} : { worker_id: options.id }),
      backend_type: options.backend ?? 'kind',
      capabilities: { max_parallel_tasks: options.parallel ?? 1, supported_problems: options.globs ?? [] },
      metadata: options.metadata ?? {},
    });
    expect(answer.status).to.equal(201);
    return new TestWorker(api, answer.body.id as string, answer.body.session as string);
  }

  #post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#api.call('POST', `/api/v1/workers/${this.id}${path}`, body, { 'worker-session': this.session, ...headers });
  }

  /** The same worker, calling another replica. */
  at(api: Caller): TestWorker {
    return new TestWorker(api, this.id, this.session);
  }

  claim(body?: Record<string, unknown>): Promise<Answer> {
    return this.#post('/claim', body);
  }

  heartbeat(body: Record<string, unknown> = {}): Promise<Answer> {
    return this.#post('/heartbeat', body);
  }

  report(verb: 'complete' | 'fail' | 'release' | 'logs' | 'progress', taskId: string, body: unknown, attempt?: number): Promise<Answer> {
    return this.#post(`/tasks/${taskId}/${verb}`, body, attempt === undefined ? {} : { 'task-attempt': String(attempt) });
  }

  leave(): Promise<Answer> {
    return this.#api.call('DELETE', `/api/v1/workers/${this.id}`, undefined, { 'worker-session': this.session });
  }
}

/** The task as the API shows it. */
export async function readTask(api: Caller, id: string): Promise<Answer['body']> {
  const answer = await api.call('GET', `/api/v1/tasks/${id}`);
  expect(answer.status).to.equal(200);
  return answer.body;
}

/** Waits until the task has `status`. */
export async function taskIn(api: Caller, id: string, status: string): Promise<Answer['body']> {
  return eventually(async () => {
    const task = await readTask(api, id);
    return task.status === status && task;
  });
}

/** A worker, and a task that it alone takes: for tests that share a server. */
export async function workerWithTask(api: Caller, submission: Record<string, unknown> = {}): Promise<{ worker: TestWorker; id: string }> {
  const problem = `only-${randomUUID()}`;
  const worker = await TestWorker.register(api, { globs: [problem] });
  return { worker, id: await submitTask(api, { problem_id: problem, ...submission }) };
}

/** Asks `condition` until it gives a value; fails after `timeoutMs`, which only bounds the wait. */
export async function eventually<T>(condition: () => Promise<T | false | null | undefined>, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value;
    if (Date.now() > deadline) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
