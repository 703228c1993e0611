/**
 * What an answer that is no success means. A definite one settles the outcome, the lines of a log or the file that was sent, and a
 * refusal any other call. Of the rest, most mean that the API is away for a while; but some may come again for ever, unless somebody
 * does something about it.
 */
import { ApiError } from '@task-executor/shared';

/** The statuses by which a proxy says that the API is away. */
const AWAY_STATUSES = new Set([408, 429, 502, 503, 504]);

/** Whether the API has decided: to send it again changes nothing. */
export function isDefinite(error: unknown): error is ApiError {
  return error instanceof ApiError && error.settles !== null;
}

/** Whether the API itself refuses a call for good. What a proxy answers, as while the API is deployed, says nothing of that. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.isOfApi && !error.retryable;
}

/**
 * How the session that made a call is over, by the API's word: `superseded` by another registration of its worker's id, or `ended`,
 * which leaves the id free; null where it is not.
 */
export function sessionOverBy(error: unknown): 'superseded' | 'ended' | null {
  if (!(error instanceof ApiError)) return null;
  if (error.code === 'session_superseded') return 'superseded';
  return error.code === 'session_ended' || error.code === 'worker_not_found' ? 'ended' : null;
}

/** Whether the API does not know the call at all; it is older than the contract of this worker. */
export function isMissingCall(error: unknown): boolean {
  // By the API's own word: a proxy may answer 404 to whatever it does not like for a moment.
  return error instanceof ApiError && error.code === 'path_not_found';
}

/** `what` happened to a call that will be made again, with what the operator can do where its answer did not come from the API. */
export function sayUnanswered(what: string, error: unknown): string {
  if (!(error instanceof ApiError) || error.isOfApi || AWAY_STATUSES.has(error.status)) return what;
  return `${what}: an answer of ${error.status} came, but not from the API; `
    + 'check API_URL, API_HEADERS, and what is between this worker and the API: a proxy, a login, another server';
}

/**
 * Whether the answer neither settles anything nor says that the API is away: a mistake of the API, or the answer of something before
 * it.
 */
export function isStuck(error: unknown): error is ApiError {
  return error instanceof ApiError && error.settles === null && (error.status === 500 || !error.retryable);
}

/** What the operator can do about an answer that is stuck. */
export function adviceOn({ code, status, problem }: ApiError): string {
  switch (code) {
    case 'internal_error': return `look for ${problem.request_id ?? 'the request'} in the log of the API`;
    case 'host_not_allowed': return 'add the host name in API_URL to ALLOWED_HOSTS of the API';
    case 'path_not_found':
    case 'method_not_allowed': return 'check API_URL, whether a proxy changes paths, and whether the API is older than this worker';
    default: return `check what answers ${status} between this worker and the API: a proxy, its bounds, a login`;
  }
}
