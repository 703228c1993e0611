/**
 * Checks of the answers to a worker's calls, as far as the worker goes by them. Whatever stands before the API may answer with a success
 * of its own: taken for the API's, a proxy's `{}` would end a session, or have a result deleted that nobody has.
 */

/** Whether `answer` is the API's to a certain call; undefined is an answer without a body. */
export type IsAnswer = (answer: unknown) => boolean;

export const isRegistered: IsAnswer = (answer) => {
  const { id, session, lease_seconds, heartbeat_interval_seconds, claim_wait_seconds = 1, directives } = fieldsOf(answer);
  return isText(id) && isText(session) && isDirectives(directives)
    && [lease_seconds, heartbeat_interval_seconds, claim_wait_seconds].every(isPositive);
};

export function isHeartbeatOf({ workerId, session }: { readonly workerId: string; readonly session: string }): IsAnswer {
  return (answer) => isRegistered(answer) && fieldsOf(answer).id === workerId && fieldsOf(answer).session === session;
}

/** Whether it holds a task that was claimed, or none. */
export const isClaimed: IsAnswer = (answer) => answer === undefined || isClaimedTask(answer);

export const areClaimed: IsAnswer = (answer) => {
  const { tasks, waited_seconds = 0, next_wait_seconds = 1, directives } = fieldsOf(answer);
  return Array.isArray(tasks) && tasks.every(isClaimedTask) && isCount(waited_seconds) && isPositive(next_wait_seconds)
    && (directives === undefined || isDirectives(directives));
};

/** Whether it is task `taskId`. */
export function isTask(taskId: string): IsAnswer {
  return (answer) => fieldsOf(answer).id === taskId;
}

export const areReceipts: IsAnswer = (answer) => Array.isArray(fieldsOf(answer).reports);

export const isLogReceipt: IsAnswer = (answer) => Number.isInteger(fieldsOf(answer).next_offset);

export const isArtifact: IsAnswer = (answer) => isText(fieldsOf(answer).id);

function isClaimedTask(value: unknown): boolean {
  const { id, problem_id, parameters, attempt, timeout_seconds } = fieldsOf(value);
  return isText(id) && isText(problem_id) && typeof parameters === 'object' && parameters !== null
    && Number.isInteger(attempt) && isPositive(timeout_seconds);
}

function isDirectives(value: unknown): boolean {
  const { cancel, lost, unnamed = [], drain } = fieldsOf(value);
  return [cancel, lost, unnamed].every(Array.isArray) && typeof drain === 'boolean';
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}

function isPositive(value: unknown): boolean {
  return isCount(value) && value !== 0;
}
