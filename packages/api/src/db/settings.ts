/**
 * The settings of sessions. A connection of our own asks for them when it starts. A pooler in transaction mode passes nothing of the
 * kind on: there they belong to the role, and the start looks whether they are in force (`settings-check.ts`).
 */
export const STATEMENT_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_MS = 10_000;

/** Milliseconds; a start is refused where they are unbounded or longer. */
export const BOUNDS: Record<string, number> = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  lock_timeout: LOCK_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
};

/** What makes statements cheaper or their answers alike everywhere; a start does without. */
export const COMFORTS: Record<string, string> = {
  timezone: 'UTC',
  // The server's start-up cost of compiling a plan is larger than any statement of ours.
  jit: 'off',
  // Our pages are in memory.
  random_page_cost: '1.1',
  // Nobody's list is worth processes of its own, and starting them costs more than most lists.
  max_parallel_workers_per_gather: '0',
};

/** These end a connection whose peer froze, and with it the locks it holds. Behind a pooler the peer is the pooler. */
const KEEPALIVES: Record<string, string> = {
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '20s',
};

/**
 * The statements of the lease pool are known, and each has an index for all that it looks up. The queue grows from nothing to a
 * million rows faster than statistics follow: plans by index are right at any size, and made once.
 */
const LEASE_SETTINGS: Record<string, string> = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** A setting that says that the options of a session have arrived. */
export const MARK = 'task_executor.session';

const asText = (bounds: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(bounds).map(([name, ms]) => [name, `${ms / 1000}s`]));

const optionsOf = (settings: Record<string, string>): string =>
  Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(' ');

/** The options string that applies the settings when a connection starts. */
export const SESSION_OPTIONS = optionsOf({ [MARK]: 'own', ...asText(BOUNDS), ...KEEPALIVES, ...COMFORTS });
export const LEASE_OPTIONS = `${SESSION_OPTIONS} ${optionsOf(LEASE_SETTINGS)}`;

/** The settings that a role needs where a pooler in transaction mode stands between. */
export const ROLE_SETTINGS: Readonly<Record<string, string>> = { ...asText(BOUNDS), ...COMFORTS };
