/**
 * A call of the API over HTTP: what every client of it is made of. Every call has a bound in time. What goes wrong is one of
 * two things: ApiError, the server's definite answer, or ApiUnreachable, where nobody knows whether the call was carried out.
 */
import type { Readable } from 'node:stream';
import { Agent, request, type Dispatcher } from 'undici';
import type { components } from './contract.gen.js';
import { isProblemCode, type ProblemCode } from './problems.js';

type Problem = components['schemas']['Problem'];

export const CALL_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The server answered, with a problem. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: ProblemCode | 'unknown';
  /** In how many seconds the server asks to be called again, or null. */
  readonly retryAfterSeconds: number | null;
  /** For `log_gap`. */
  readonly expectedOffset: number | null;
  /** All that the server said. */
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>, retryAfterSeconds: number | null) {
    super(`${status} ${problem.code ?? 'unknown'}: ${problem.detail ?? problem.title ?? 'no details'}`);
    this.status = status;
    this.code = isProblemCode(problem.code) ? problem.code : 'unknown';
    this.retryAfterSeconds = retryAfterSeconds;
    this.expectedOffset = problem.expected_offset ?? null;
    this.problem = problem;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

/** No answer came. */
export class ApiUnreachable extends Error {}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export class HttpCaller {
  readonly #apiUrl: string;
  readonly #agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 30_000, connect: { timeout: 5_000 } });

  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl.replace(/\/+$/, '');
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** The answer's JSON; undefined where it has no body. @throws ApiError, ApiUnreachable */
  async call<T>(method: HttpMethod, path: string, options: CallOptions = {}): Promise<T> {
    const timeout = AbortSignal.timeout(Math.ceil(options.timeoutMs ?? CALL_TIMEOUT_MS));
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    const response = await this.#send(method, path, { ...options, signal, accept: 'application/json', silenceMs: 0 });
    try {
      if (Number(response.headers['content-length'] ?? 0) > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
      const text = await response.body.text();
      const answer = parse(text);
      // Some other server, or a proxy's own page: whether the API was reached, nobody knows.
      if (answer === null) throw new Error('the answer is not JSON');
      return answer as T;
    } catch (error) {
      throw this.#unreachable(method, path, error);
    }
  }

  /**
   * An answer that is read as it comes, of any length: bounded by `silenceMs`, for which nothing may come, instead of in all.
   * Its body fails with an error of undici where it is broken off. @throws ApiError, ApiUnreachable
   */
  async open(path: string, options: { accept: string; silenceMs: number; signal?: AbortSignal | undefined }): Promise<Readable> {
    return (await this.#send('GET', path, options)).body;
  }

  async #send(method: HttpMethod, path: string, options: CallOptions & { accept: string; silenceMs: number }): Promise<Dispatcher.ResponseData> {
    let response: Dispatcher.ResponseData;
    let text: string;
    try {
      response = await request(`${this.#apiUrl}${path}`, {
        method,
        dispatcher: this.#agent,
        headersTimeout: options.silenceMs,
        bodyTimeout: options.silenceMs,
        headers: { accept: options.accept, ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: options.signal ?? null,
      });
      if (response.statusCode < 400) return response;
      text = await response.body.text();
    } catch (error) {
      throw this.#unreachable(method, path, error);
    }
    // A proxy's error page is not JSON; it becomes a problem without a code.
    throw new ApiError(response.statusCode, parse(text) ?? {}, secondsOf(response.headers['retry-after'] as string | undefined));
  }

  #unreachable(method: HttpMethod, path: string, error: unknown): ApiUnreachable {
    return new ApiUnreachable(`${method} ${this.#apiUrl}${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Undefined where there is nothing; null where it is not the JSON of an object. */
function parse(text: string): object | null | undefined {
  if (text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function secondsOf(retryAfter: string | undefined): number | null {
  const seconds = Number(retryAfter);
  return retryAfter === undefined || !Number.isFinite(seconds) ? null : Math.max(0, seconds);
}
