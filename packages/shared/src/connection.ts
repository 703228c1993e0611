/**
 * HTTP to one API: calls have a bound in time, answers one in bytes. What goes wrong is one of two things: ApiError, an answer that is
 * no success, or ApiUnreachable, where nobody knows whether the call was carried out.
 */
import type { Readable } from 'node:stream';
import { Agent, request, type Dispatcher } from 'undici';
import type { IsAnswer } from './answers.js';
import type { ApiHeaders } from './api-headers.js';
import { bounded } from './bounded.js';
import type { components } from './contract.gen.js';
import { isProblemCode, settledBy, type ProblemCode, type Settled } from './problems.js';

type Schemas = components['schemas'];

export const CALL_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** An answer that is a problem: the API's own, or that of something before the API, whose code is `unknown`. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: ProblemCode | 'unknown';
  /** In how many seconds the server asks to be called again, or null. */
  readonly retryAfterSeconds: number | null;
  /** The offset at which the API goes on, where the code is `log_gap`; else null. */
  readonly expectedOffset: number | null;
  /** All that the answer said. */
  readonly problem: Partial<Schemas['Problem']>;

  constructor(status: number, problem: Partial<Schemas['Problem']>, retryAfterSeconds: number | null) {
    super(`${status} ${problem.code ?? 'unknown'}: ${problem.detail ?? problem.title ?? 'no details'}`);
    this.status = status;
    this.code = isProblemCode(problem.code) ? problem.code : 'unknown';
    this.retryAfterSeconds = retryAfterSeconds;
    this.expectedOffset = problem.expected_offset ?? null;
    this.problem = problem;
  }

  /** Whether the API itself said it: with one of the codes, or with a newer one in their form. */
  get isOfApi(): boolean {
    return this.code !== 'unknown' || (typeof this.problem.code === 'string' && typeof this.problem.retryable === 'boolean');
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }

  /** What the answer settles of what a worker sent; null: nothing. */
  get settles(): Settled | null {
    return settledBy(this.code);
  }
}

/** No answer of the API came. */
export class ApiUnreachable extends Error {}

/** The answer is larger than what is read; the call was carried out. */
export class AnswerTooLarge extends ApiUnreachable {}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Tells the API's answers from others; without it, the JSON of any object is taken for one. */
  readonly isAnswer?: IsAnswer | undefined;
}

interface SendOptions {
  readonly body?: string | Readable;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal | undefined;
  /** How long the body of the answer may be silent, in milliseconds; 0: for ever. */
  readonly bodyTimeout?: number;
}

export class Connection {
  readonly #apiUrl: string;
  readonly #headers: ApiHeaders;
  readonly #agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 30_000, connect: { timeout: 5_000 } });

  constructor(apiUrl: string, headers: ApiHeaders = {}) {
    this.#apiUrl = apiUrl.replace(/\/+$/, '');
    this.#headers = headers;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Sends and receives JSON. */
  async call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options: CallOptions = {}): Promise<T> {
    return bounded({ signals: [options.signal], timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS }, async (signal) => {
      const response = await this.send(method, path, {
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        headers: { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
        signal,
      });
      return jsonOf<T>(response, options.isAnswer);
    });
  }

  /** The answer, its body still to be read. @throws ApiError for a status of 300 and above, ApiUnreachable where none came */
  async send(method: Dispatcher.HttpMethod, path: string, { headers, ...options }: SendOptions): Promise<Dispatcher.ResponseData> {
    let response: Dispatcher.ResponseData;
    let text: string;
    try {
      response = await request(`${this.#apiUrl}${path}`, {
        method, dispatcher: this.#agent, headersTimeout: 0, bodyTimeout: 0, ...options,
        headers: { accept: 'application/json', ...headers, ...this.#headers },
      });
      // No redirect is the API's: a proxy's must not pass for success.
      if (response.statusCode < 300) return response;
      text = await textOf(response.body);
    } catch (error) {
      throw unreachable(error, `${method} ${this.#apiUrl}${path}`);
    }
    // A proxy's error page is not JSON; it becomes a problem without a code.
    throw new ApiError(response.statusCode, parse(text) ?? {}, secondsOf(response.headers['retry-after'] as string | undefined));
  }
}

function unreachable(error: unknown, call: string): ApiUnreachable {
  if (error instanceof AnswerTooLarge) return error;
  return new ApiUnreachable(`${call}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/** @throws ApiUnreachable where the body breaks off or is too large */
async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new AnswerTooLarge(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(error, 'reading the answer');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The JSON of an answer; undefined where its body is empty. @throws ApiUnreachable where the body breaks off or is no JSON, and ApiError
 * without a code where `isAnswer` does not know it: somebody is there, but whether the API was reached, nobody knows
 */
export async function jsonOf<T>(response: Pick<Dispatcher.ResponseData, 'statusCode' | 'body'>, isAnswer?: IsAnswer): Promise<T> {
  const { statusCode, body } = response;
  const answer = parse(await textOf(body));
  if (isAnswer !== undefined && !isAnswer(answer)) throw new ApiError(statusCode, { detail: 'the answer is not one of the API' }, null);
  // Some other server, or a proxy's own page.
  if (answer === null) throw unreachable(new Error('the answer is not JSON'), 'reading the answer');
  return answer as T;
}

/** The object whose JSON `text` is; undefined where it is empty, null where it is something else. */
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
