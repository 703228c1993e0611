/**
 * Runs a task by posting it to a service, whose answer is the result. The address comes from the catalog, never from a task. A
 * service that cannot be reached is the host's affair; one that breaks off or answers badly, the task's.
 */
import { Agent, request } from 'undici';
import { BOUNDS } from './bounds.js';
import { Unfit, type Completed, type Execution, type ExecutionContext, type Executor, type Failed, type Task } from './executor.js';
import { objectSchema, type ExecutorKind } from './kind.js';
import { parseResult } from './result.js';
import type { Round } from './round.js';

export interface HttpOptions {
  readonly url: string;
  /** Answered with 2xx by a service that can take tasks; null asks nothing. */
  readonly healthUrl: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers whose values are in variables of the worker's environment. */
  readonly headersFromEnvironment: Readonly<Record<string, string>>;
  /** Statuses after which another attempt may succeed. */
  readonly retryStatuses: readonly number[];
  readonly maxAnswerBytes: number;
}

const CONNECT_MS = 10_000;
/** What undici takes for the value of a header. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Undici's and the system's words for "nothing was sent". */
const NOT_REACHED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/** An executor that posts each task to `options.url`. */
export function httpExecutor(options: HttpOptions): Executor {
  return async (context) => {
    const agent = new Agent({ connections: 1, pipelining: 1, connect: { timeout: CONNECT_MS } });
    try {
      return await post(options, context, agent);
    } catch (error) {
      if (error instanceof Unfit) throw error;
      if (context.signal.aborted) return { kind: 'failed', error: 'stopped before the service answered' };
      const words = `${options.url}: ${error instanceof Error ? error.message : String(error)}`;
      if (NOT_REACHED.includes((error as NodeJS.ErrnoException).code ?? '')) throw new Unfit(words);
      return { kind: 'failed', error: words };
    } finally {
      await agent.destroy();
    }
  };
}

/** Why the service cannot take tasks, or null. */
export async function httpFault(options: HttpOptions, round: Round): Promise<string | null> {
  const fault = variablesFault(options);
  if (fault !== null) return fault;
  const { healthUrl } = options;
  if (healthUrl === null) return null;
  const headers = headersOf(options);
  return round.once(['http', healthUrl, headers], () => healthFault(healthUrl, headers));
}

async function healthFault(url: string, headers: Readonly<Record<string, string>>): Promise<string | null> {
  const agent = new Agent({ connect: { timeout: CONNECT_MS } });
  try {
    const answer = await request(url, { dispatcher: agent, headers, signal: AbortSignal.timeout(BOUNDS.healthSeconds * 1000) });
    return isGood(answer.statusCode) ? null : `${url} answered with ${answer.statusCode}`;
  } catch (error) {
    return `${url}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await agent.destroy();
  }
}

async function post(options: HttpOptions, { task, signal, log }: ExecutionContext, agent: Agent): Promise<Execution> {
  const fault = variablesFault(options);
  if (fault !== null) throw new Unfit(fault);
  const { statusCode, headers, body } = await request(options.url, {
    dispatcher: agent,
    method: 'POST',
    // A service takes as long as the task may; the signal ends both.
    headersTimeout: 0,
    bodyTimeout: 0,
    headers: {
      ...headersOf(options), accept: 'application/json', 'content-type': 'application/json',
      'idempotency-key': `${task.id}-${task.attempt}`,
    },
    body: JSON.stringify(toSend(task)),
    signal,
  });
  const text = await readBounded(body, options.maxAnswerBytes);
  await log('debug', `${options.url} answered with ${statusCode}`);
  if (text === null) return { kind: 'failed', error: `the answer of ${options.url} is larger than ${options.maxAnswerBytes} bytes` };
  return outcomeOf(options, statusCode, headers['retry-after'], text);
}

function outcomeOf(
  { url, retryStatuses }: HttpOptions, status: number, retryAfter: string | string[] | undefined, text: string,
): Completed | Failed {
  if (isGood(status)) return text.trim() === '' ? { kind: 'completed', result: { success: true } } : parseResult(text);
  const error = `${url} answered with ${status}: ${text.slice(0, BOUNDS.maxQuotedChars)}`;
  if (!retryStatuses.includes(status)) return { kind: 'failed', error, retryable: false };
  const seconds = Number(retryAfter ?? NaN);
  return { kind: 'failed', error, ...(seconds >= 0 && { retryAfterSeconds: seconds }) };
}

/** What a service is told of a task. */
function toSend(task: Task): Record<string, unknown> {
  return {
    id: task.id, name: task.name, problem_id: task.problem_id, parameters: task.parameters, labels: task.labels, attempt: task.attempt,
    max_attempts: task.max_attempts, timeout_seconds: task.timeout_seconds, dependencies: task.dependencies ?? {},
  };
}

function variablesFault({ headersFromEnvironment }: HttpOptions): string | null {
  const names = Object.values(headersFromEnvironment);
  const missing = names.filter((name) => process.env[name] === undefined);
  if (missing.length > 0) return `the worker's environment has no ${missing.join(', ')}`;
  const wrong = names.filter((name) => !HEADER_VALUE.test(process.env[name] ?? ''));
  return wrong.length === 0 ? null : `the worker's environment has in ${wrong.join(', ')} what no header can hold, such as a line break`;
}

function headersOf({ headers, headersFromEnvironment }: HttpOptions): Record<string, string> {
  const secret = Object.entries(headersFromEnvironment).map(([header, name]) => [header.toLowerCase(), process.env[name] ?? '']);
  const open = Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]);
  return Object.fromEntries([...open, ...secret]) as Record<string, string>;
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

/** The whole of `body`, or null where it is larger than `maxBytes`. */
async function readBounded(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface GivenHttp {
  url: string; health_url?: string; headers?: Record<string, string>; headers_from_environment?: Record<string, string>;
  retry_statuses?: number[]; max_answer_bytes?: number;
}
const url = { type: 'string', maxLength: 2048, pattern: '^https?://[^/\\s]' } as const;
const headers = (value: Record<string, unknown>) => ({
  type: 'object', maxProperties: 50, propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" }, additionalProperties: value,
});
export const httpKind: ExecutorKind = {
  schema: objectSchema(['url'], {
    url,
    health_url: url,
    headers: headers({ type: 'string', maxLength: 8192, pattern: '^[\\t\\x20-\\x7e]*$' }),
    headers_from_environment: headers({ type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
    retry_statuses: { type: 'array', maxItems: 100, items: { type: 'integer', minimum: 300, maximum: 599 } },
    max_answer_bytes: { type: 'integer', minimum: 1, maximum: BOUNDS.maxResultBytes },
  }),
  isLimited: false,
  make: (given: GivenHttp) => {
    const options: HttpOptions = {
      url: given.url,
      healthUrl: given.health_url ?? null,
      headers: given.headers ?? {},
      headersFromEnvironment: given.headers_from_environment ?? {},
      retryStatuses: given.retry_statuses ?? [408, 425, 429, 500, 502, 503, 504],
      maxAnswerBytes: given.max_answer_bytes ?? BOUNDS.maxResultBytes,
    };
    return { executor: httpExecutor(options), fault: (round) => httpFault(options, round) };
  },
};
