/** Failures in words that say what to do about them, and as exit codes. */
import { ApiError, ApiUnreachable } from '@task-executor/shared';
import { CommanderError, InvalidArgumentError } from 'commander';
import type { ApiAddress } from './contexts.js';
import { EXIT, Failure, FailureOf, type ExitCode } from './exit.js';

export interface Explanation {
  readonly exitCode: ExitCode;
  /** One or several lines; not made safe. */
  readonly message: string;
}

const UNREACHABLE_STATUSES = new Set([408, 429, 502, 503, 504]);
const USAGE_STATUSES = new Set([400, 413, 415, 422]);

export function explain(error: unknown, address: ApiAddress | null): Explanation {
  if (error instanceof Failure) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof FailureOf) {
    const { exitCode, message } = explain(error.cause, address);
    return { exitCode, message: `${error.id}: ${message}` };
  }
  if (error instanceof InvalidArgumentError) return { exitCode: EXIT.usage, message: error.message };
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage, message: sayUsage(error) };
  if (error instanceof ApiError) return { exitCode: exitCodeOf(error), message: sayProblem(error, address) };
  if (error instanceof ApiUnreachable) return { exitCode: EXIT.unreachable, message: sayUnreachable(error, address) };
  if (error instanceof Error && 'syscall' in error) return { exitCode: EXIT.file, message: error.message };
  return { exitCode: EXIT.bug, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** What is said of a failure: its words, or for programs one line of JSON. */
export function said(json: boolean, error: unknown, { exitCode, message }: Explanation): string {
  if (!json) return message;
  const [cause, about] = error instanceof FailureOf ? [error.cause, { id: error.id }] : [error, {}];
  const problem = typeof cause === 'object' && cause !== null && 'problem' in cause ? cause.problem : null;
  return JSON.stringify({ error: { exit_code: exitCode, message, problem, ...about } });
}

function sayUsage({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'Name a command; --help shows what there is.' : message.replace(/^error: /, '');
}

function exitCodeOf({ status, code }: ApiError): ExitCode {
  if (status === 404) return code.endsWith('_not_found') && code !== 'path_not_found' ? EXIT.notFound : EXIT.refused;
  if (status === 409) return EXIT.conflict;
  if (USAGE_STATUSES.has(status)) return EXIT.usage;
  return UNREACHABLE_STATUSES.has(status) ? EXIT.unreachable : EXIT.refused;
}

function sayProblem({ status, code, problem }: ApiError, address: ApiAddress | null): string {
  const lines = [problem.title ?? `The server answered with status ${status}.`];
  const { errors = [] } = problem;
  if (errors.length === 0 && problem.detail !== undefined && problem.detail !== problem.title) lines.push(problem.detail);
  for (const { path, message } of errors) lines.push(`  ${path}: ${message}`);
  if (problem.detail === undefined && problem.task_status !== undefined) lines.push(`The task is ${problem.task_status}.`);
  if (code === 'host_not_allowed') lines.push('Start the API with ALLOWED_HOSTS naming the host that you call it by.');
  if (code === 'unknown' && [401, 403].includes(status)) lines.push('Give what stands before the API what it asks for by --header or API_HEADERS.');
  if (code === 'unknown' || code === 'path_not_found') {
    lines.push(`Does Task Executor listen at ${address?.url ?? 'that address'}, in a version that knows this call?`);
  }
  if (status >= 500 && problem.request_id !== undefined) lines.push(`The server's log has more, under request_id ${problem.request_id}.`);
  return lines.join('\n');
}

function sayUnreachable(error: ApiUnreachable, address: ApiAddress | null): string {
  const where = address === null ? 'The API' : `The API at ${address.url} (${address.from})`;
  return [
    `${where} does not answer: ${reasonOf(error.cause)}.`,
    'Start it (`npm start`), or say where it is: --api-url URL, TASK_EXECUTOR_URL, or `task-executor context set NAME --url URL`.',
  ].join('\n');
}

/** What the operating system said, where it said something. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'TimeoutError') return 'no answer came in time';
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}
