/**
 * What the answer to an outcome, to lines of a log or to a file means for them. A definite one settles them. Of the others, most mean
 * that the API is away for a while; but some may come again for ever, unless somebody does something about it.
 */
import { ApiError } from '@task-executor/shared';

/** Whether the API has decided: to send it again changes nothing. */
export function isDefinite(error: unknown): error is ApiError {
  return error instanceof ApiError && error.settles !== null;
}

/** Whether the answer neither settles anything nor says that the API is away: a mistake of the API, or the answer of something before it. */
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
