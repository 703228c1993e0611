/** Errors of the HTTP layer: every answer of 400 and above is a problem document (RFC 9457) made here. */
import { LIMITS, PROBLEMS, type components, type ProblemCode } from '@task-executor/shared';
import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Logger } from 'pino';
import { CoalescerFull } from '../db/coalesce.js';
import { StorageError } from '../artifacts/store.js';
import { isDatabaseUnavailable } from '../db/errors.js';
import { CursorError } from '../queue/cursor.js';
import { PageTooLarge } from '../queue/list.js';
import { InvalidSubmission } from '../queue/to-submission.js';
import { sentenceFor } from './string-patterns.js';
import { endAfterBody } from './unread.js';

type ProblemDocument = components['schemas']['Problem'];
type Extras = Partial<Pick<ProblemDocument, 'errors' | 'task_status' | 'current_attempt' | 'expected_offset'>>;

const RETRY_AFTER_SECONDS = 1;
const MAX_DETAIL_CHARS = 2_000;

/** Thrown by handlers to answer with a problem. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly extras: Extras;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail?: string, extras: Extras = {}, headers: Readonly<Record<string, string>> = {}) {
    super(detail ?? PROBLEMS[code].title);
    this.code = code;
    this.detail = detail;
    this.extras = extras;
    this.headers = headers;
  }
}

/** The problem of a request that fits the schemas but not each other, or not what is stored. */
export function validationProblem(path: string, message: string): Problem {
  return new Problem('validation_failed', `${path}: ${message}`, { errors: [{ path, message }] });
}

/** The document for a problem. */
export function problemDocument(problem: Problem, requestId: string): ProblemDocument {
  const { status, title, retryable } = PROBLEMS[problem.code];
  return {
    type: `/problems/${problem.code}`,
    title,
    status,
    ...(problem.detail === undefined ? {} : { detail: problem.detail.slice(0, MAX_DETAIL_CHARS) }),
    code: problem.code,
    retryable,
    request_id: requestId,
    ...problem.extras,
  };
}

export function sendProblem(req: Request, res: Response, problem: Problem, requestId: string): void {
  const document = problemDocument(problem, requestId);
  if (document.retryable && document.status !== 500) res.setHeader('Retry-After', String(RETRY_AFTER_SECONDS));
  for (const [name, value] of Object.entries(problem.headers)) res.setHeader(name, value);
  const text = JSON.stringify(document);
  res.statusCode = document.status;
  res.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  // What closes the connection is a request whose frame is in doubt: nothing of what follows is a body.
  if (req.complete || req.destroyed || 'Connection' in problem.headers) res.end(text);
  else endAfterBody(req, res, text);
}

/** What express-openapi-validator throws: an HTTP status, and where the request does not fit. */
interface ValidatorError {
  readonly status: number;
  readonly message: string;
  readonly errors?: readonly { path?: string; message?: string }[];
  readonly headers?: Record<string, string>;
}

function isValidatorError(error: unknown): error is ValidatorError {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number' && 'message' in error;
}

/** The problem of anything that was thrown, or null for a mistake of ours. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidSubmission) return validationProblem(error.path, error.fault);
  if (error instanceof CursorError) {
    return new Problem('validation_failed', error.message, { errors: [{ path: '/query/cursor', message: error.message }] });
  }
  if (error instanceof PageTooLarge) {
    return new Problem(
      'page_too_large', `A page has at most ${LIMITS.maxPageBytes} bytes of tasks; a page_size of ${error.fitting} fits here.`,
    );
  }
  if (error instanceof CoalescerFull) return new Problem('too_many_requests');
  // Before the database is considered: a storage fails with the same codes (ECONNREFUSED, ENOENT) as a database that is away.
  if (error instanceof StorageError) return new Problem('storage_unavailable');
  if (isDatabaseUnavailable(error)) return new Problem('database_unavailable');
  if (error instanceof URIError) return new Problem('malformed_request', 'The path is not well-formed.');
  if (!isValidatorError(error)) return null;
  if (error.status === 404) return new Problem('path_not_found');
  if (error.status === 405) return new Problem('method_not_allowed', undefined, {}, error.headers ?? {});
  // Other media types were refused when the body was read; what is left is a body that is missing.
  if (error.status === 415) {
    return new Problem('validation_failed', '/body: must be given', { errors: [{ path: '/body', message: 'must be given' }] });
  }
  if (error.status === 400) {
    const errors = (error.errors ?? []).slice(0, 100).map((one) => ({
      path: (one.path ?? '').slice(0, 1000), message: sentenceFor(one.message ?? 'does not fit').slice(0, 1000),
    }));
    const [first] = errors;
    return new Problem('validation_failed', first === undefined ? error.message : `${first.path}: ${first.message}`, { errors });
  }
  return null;
}

/** The last middleware. */
export function handleErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const requestId = res.getHeader('X-Request-Id') as string;
    const problem = problemOf(error);
    if (problem === null) {
      log.error({ event: 'internal_error', request_id: requestId, err: error }, 'a request failed by a mistake of the server');
    } else if (problem.code === 'database_unavailable') {
      log.warn({ event: 'database_unavailable', request_id: requestId, error: String(error) }, 'the database does not answer');
    } else if (problem.code === 'storage_unavailable') {
      log.error(
        { event: 'storage_unavailable', request_id: requestId, error: String(error) },
        'the storage of artifacts does not do what it is asked',
      );
    }
    sendProblem(req, res, problem ?? new Problem('internal_error'), requestId);
  };
}
