/**
 * What an error of PostgreSQL or its driver means: by its code, its class or where it was raised; by its exact text only where
 * node-postgres gives none of these.
 */
import pg from 'pg';

/** Raised where we end a connection, or the wait for one: the same call may succeed later, on another. */
export class DatabaseAway extends Error {}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) that pass when the server is back or less busy. */
const PASSING_STATES = new Set([
  '0A000', // feature_not_supported: of a prepared statement, a stale plan
  '25006', // read_only_sql_transaction: a failover is under way
  '53100', '53200', '53300', // disk_full, out_of_memory, too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: statement_timeout
  '57P01', '57P02', '57P03', '57P04', // shut down, crashed, starting, dropped
  '40001', '40P01', // serialization_failure, deadlock_detected
]);

/** node-postgres gives errors of its own no code; these are their exact messages (pg 8, pg-pool 3). */
const DRIVER_MESSAGES = new Set([
  'Connection terminated unexpectedly',
  'Connection terminated',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]);

/** What was raised while connecting. */
const ofConnecting = new WeakSet();

/**
 * Waits for a connection. Whatever is raised meanwhile means that the database is away, also what would be a mistake of ours in a
 * statement (55000), or elsewhere has nothing to do with a database (ENOENT: the folder of its socket).
 */
export async function connecting<T>(connection: Promise<T>): Promise<T> {
  try {
    return await connection;
  } catch (error) {
    if (typeof error === 'object' && error !== null) ofConnecting.add(error);
    throw error;
  }
}

function isOfConnecting(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ofConnecting.has(error);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the database is away, overloaded or going down, so that the same call may succeed later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseAway || isOfConnecting(error)) return true;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  const code = codeOf(error);
  if (code !== undefined && (CONNECTION_CODES.has(code) || isPassing(code))) return true;
  return error instanceof Error && (DRIVER_MESSAGES.has(error.message) || isDatabaseUnavailable(error.cause ?? null));
}

/** Whether the server refused a connection for what somebody has to mend: a name, a password, a right. */
export function isRefusedConnection(error: unknown): error is pg.DatabaseError {
  return isOfConnecting(error) && error instanceof pg.DatabaseError && !isPassing(error.code ?? '');
}

function isPassing(state: string): boolean {
  return PASSING_STATES.has(state) || state.startsWith('08');
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

/** Whether the statement took longer than any may. */
export function isStatementTimeout(error: unknown): boolean {
  return codeOf(error) === '57014';
}

/** Whether the statement was chosen to end a circle of waits. */
export function isDeadlock(error: unknown): boolean {
  return codeOf(error) === '40P01';
}
