/**
 * The closed set of problem codes, which a client may decide by. Each code has one HTTP status, one title and one answer to "may the
 * same request succeed later?". Nothing ever decides by the text of an error.
 */

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

export const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request is not well-formed HTTP.', retryable: false },
  malformed_json: { status: 400, title: 'The body is not well-formed JSON.', retryable: false },
  host_not_allowed: { status: 403, title: 'This server does not answer to that host name.', retryable: false },
  origin_not_allowed: { status: 403, title: 'Web pages of other origins may not call this server.', retryable: false },
  path_not_found: { status: 404, title: 'There is no such path.', retryable: false },
  task_not_found: { status: 404, title: 'There is no such task.', retryable: false },
  worker_not_found: { status: 404, title: 'There is no such worker.', retryable: false },
  workflow_not_found: { status: 404, title: 'There is no such workflow.', retryable: false },
  schedule_not_found: { status: 404, title: 'There is no such schedule.', retryable: false },
  limit_not_found: { status: 404, title: 'There is no such limit.', retryable: false },
  bulk_operation_not_found: { status: 404, title: 'There is no such bulk operation.', retryable: false },
  artifact_not_found: { status: 404, title: 'The task has no such file.', retryable: false },
  method_not_allowed: { status: 405, title: 'The path does not take that method.', retryable: false },
  request_timeout: { status: 408, title: 'The request did not arrive in time.', retryable: true },
  task_terminal: { status: 409, title: 'The task has already ended.', retryable: false },
  task_running: { status: 409, title: 'The task is already running.', retryable: false },
  task_not_terminal: { status: 409, title: 'The task has not ended yet.', retryable: false },
  dependency_failed: { status: 409, title: 'A task that this one depends on did not complete.', retryable: false },
  workflow_running: { status: 409, title: 'The workflow has not ended yet.', retryable: false },
  workflow_completed: { status: 409, title: 'Every task of the workflow has completed.', retryable: false },
  limit_exists: { status: 409, title: 'There is a limit for this key and value, or there are too many.', retryable: false },
  bulk_operation_ended: { status: 409, title: 'The bulk operation has already ended.', retryable: false },
  attempt_not_held: { status: 409, title: "This worker's attempt does not hold the task.", retryable: false },
  session_superseded: { status: 409, title: 'A newer registration has taken this worker id.', retryable: false },
  session_ended: { status: 409, title: "The worker's session has ended; register again.", retryable: false },
  log_gap: { status: 409, title: 'Log lines before this batch are missing.', retryable: false },
  artifact_exists: { status: 409, title: 'The attempt has another file of that name.', retryable: false },
  artifact_quota_exceeded: { status: 409, title: 'The attempt has left as many files or bytes as it may.', retryable: false },
  length_required: { status: 411, title: 'The request must say how long its body is.', retryable: false },
  body_too_large: { status: 413, title: 'The body is too large.', retryable: false },
  unsupported_media_type: { status: 415, title: 'The body has a media type that is not taken.', retryable: false },
  range_not_satisfiable: { status: 416, title: 'The file does not have that range.', retryable: false },
  validation_failed: { status: 422, title: 'The request does not fit the contract.', retryable: false },
  idempotency_key_reused: { status: 422, title: 'The idempotency key came before with another request.', retryable: false },
  unstorable_json: { status: 422, title: 'The body holds JSON that cannot be stored unchanged.', retryable: false },
  page_too_large: { status: 422, title: 'The page would be too large.', retryable: false },
  digest_mismatch: { status: 422, title: 'The body is not what its digest says.', retryable: false },
  too_many_requests: { status: 429, title: 'The server has too much to do at the moment.', retryable: true },
  headers_too_large: { status: 431, title: 'The headers are too large.', retryable: false },
  internal_error: { status: 500, title: 'The server made a mistake.', retryable: true },
  database_unavailable: { status: 503, title: 'The database does not answer.', retryable: true },
  storage_unavailable: { status: 503, title: 'The storage of artifacts does not answer.', retryable: true },
  shutting_down: { status: 503, title: 'The server is going down.', retryable: true },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/**
 * What a refusal settles: the `attempt`, which takes nothing more from this caller, or the `content`, which will never be taken as it
 * is, while the attempt may take something else.
 */
export type Settled = 'attempt' | 'content';

/**
 * The codes that settle what a worker sends of an attempt: its outcome, lines of its log, a file. All others leave it to be sent
 * again, also those that are not retryable. The API may be away or at fault (408, 429, 5xx); the call may not have got through as it
 * was made, which an address, a proxy or a setting does to any report (`malformed_request`, `host_not_allowed`, `origin_not_allowed`,
 * `path_not_found`, `method_not_allowed`, `length_required`, `unsupported_media_type`, `headers_too_large`, `digest_mismatch`); and
 * the rest are answers to calls of other kinds, so that whatever sent them took the report for something else.
 */
const SETTLING: Readonly<Partial<Record<ProblemCode, Settled>>> = {
  // The attempt was taken from the caller; an outcome is kept as late.
  attempt_not_held: 'attempt',
  session_superseded: 'attempt',
  session_ended: 'attempt',
  // Its task has ended.
  task_terminal: 'attempt',
  // The API has neither the task nor, for ever after, an attempt of it; or it never had the worker that claims to run it.
  task_not_found: 'attempt',
  worker_not_found: 'attempt',
  // The whole body was read, and is what the API refuses.
  malformed_json: 'content',
  validation_failed: 'content',
  unstorable_json: 'content',
  // The API's own bound; a proxy with a lower one has no code.
  body_too_large: 'content',
  // These lines do not follow those that are there; others may.
  log_gap: 'content',
  // The attempt has another file of that name, or all that it may have.
  artifact_exists: 'content',
  artifact_quota_exceeded: 'content',
};

/** Whether `code` is one of the set; a newer server may send others. */
export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code);
}

/** What `code` settles of what a worker sent; null: nothing, it is to be sent again. */
export function settledBy(code: ProblemCode | 'unknown'): Settled | null {
  return code === 'unknown' ? null : (SETTLING[code] ?? null);
}
