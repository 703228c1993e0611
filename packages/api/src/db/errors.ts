/** What an error of PostgreSQL or of the connection to it means, by its code; never by its message alone. */

const CONNECTION_CODES = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT',
  'EADDRNOTAVAIL',
]);

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) that pass when the server is back or less busy. */
const PASSING_STATES = new Set([
  '0A000', // feature_not_supported: of a prepared statement, a stale plan
  '25006', // read_only_sql_transaction: a failover is under way
  '53100', '53200', '53300', // disk_full, out_of_memory, too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: statement_timeout
  '57P01', '57P02', '57P03', // shut down, crashed, starting
  '40001', '40P01', // serialization_failure, deadlock_detected
]);

/** node-postgres gives errors of its own no code; these are their exact messages (pg 8, pg-pool 3). */
const DRIVER_MESSAGES = new Set([
  'Connection terminated unexpectedly',
  'Connection terminated',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'the database did not answer in time',
  'the plan of a statement is stale',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]);

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the database is away, overloaded or going down, so that the same call may succeed later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  const code = codeOf(error);
  if (code !== undefined && (CONNECTION_CODES.has(code) || PASSING_STATES.has(code) || code.startsWith('08'))) return true;
  return error instanceof Error && (DRIVER_MESSAGES.has(error.message) || isDatabaseUnavailable(error.cause ?? null));
}

/** Whether the plan of a prepared statement has become stale by a change of the schema. */
export function isStalePlan(error: unknown): boolean {
  return codeOf(error) === '0A000';
}

/** Whether a row with the same unique key was there first. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/** Whether the statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** Whether the statement was chosen to end a circle of waits. */
export function isDeadlock(error: unknown): boolean {
  return codeOf(error) === '40P01';
}
