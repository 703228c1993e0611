/**
 * The settings of sessions. A connection of our own asks for them when it starts. A pooler in transaction mode passes nothing of the
 * kind on: there they belong to the role, and the start looks whether they are in force, because without bounds on statements, locks
 * and idle transactions one replica that freezes holds up all others.
 */
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from './database.js';

export const STATEMENT_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_MS = 10_000;

/** Milliseconds; a start is refused where they are unbounded or longer. */
const BOUNDS: Record<string, number> = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  lock_timeout: LOCK_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
};

/** What makes statements cheaper or their answers alike everywhere; a start does without. */
const COMFORTS: Record<string, string> = {
  timezone: 'UTC',
  // The server's start-up cost of compiling a plan is larger than any statement of ours.
  jit: 'off',
  // Our pages are in memory.
  random_page_cost: '1.1',
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

/** Says that the options of a session have arrived. */
const MARK = 'task_executor.session';

const asText = (bounds: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(bounds).map(([name, ms]) => [name, `${ms / 1000}s`]));

const optionsOf = (settings: Record<string, string>): string =>
  Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(' ');

/** The options string that applies the settings when a connection starts. */
export const SESSION_OPTIONS = optionsOf({ [MARK]: 'own', ...asText(BOUNDS), ...KEEPALIVES, ...COMFORTS });
export const LEASE_OPTIONS = `${SESSION_OPTIONS} ${optionsOf(LEASE_SETTINGS)}`;

/** The settings that a role needs where a pooler in transaction mode stands between. */
export const ROLE_SETTINGS: Readonly<Record<string, string>> = { ...asText(BOUNDS), ...COMFORTS };

/** The sessions of the database are not as they must be; the message says what to do. */
export class SettingsError extends Error {}

interface Effective {
  readonly name: string;
  /** In milliseconds where it is a time. */
  readonly setting: string;
  /** Quoted, as the statement that mends it needs them. */
  readonly role: string;
  readonly database: string;
}

const isInForce = ({ name, setting }: Effective): boolean => {
  const bound = BOUNDS[name];
  return bound === undefined ? setting === COMFORTS[name] : Number(setting) > 0 && Number(setting) <= bound;
};

/** Makes sure that sessions are bounded, whoever says so. @throws SettingsError */
export async function checkSettings(db: Database, isPooled: boolean, log: Logger): Promise<void> {
  if (!isPooled) {
    const { rows: [own] } = await sql<{ mark: string | null }>`select current_setting(${MARK}, true) as mark`.execute(db);
    if (own?.mark === 'own') return;
    throw new SettingsError(
      'The settings of sessions do not arrive at PostgreSQL: DATABASE_URL has `options` of its own, or leads to a pooler that ignores '
      + 'them. Give such options to the role instead; set DATABASE_POOLER=transaction, or name PostgreSQL itself.',
    );
  }
  const { rows } = await sql<Effective>`
    select lower(name) as name, setting, quote_ident(current_user) as role, quote_ident(current_database()) as database
      from pg_settings where lower(name) = any (${Object.keys(ROLE_SETTINGS)}::text[]) order by name`.execute(db);
  const missing = rows.filter((row) => !isInForce(row));
  const statements = missing.map(({ name, role, database }) =>
    `alter role ${role} in database ${database} set ${name} = '${ROLE_SETTINGS[name] ?? ''}';`);
  if (missing.some(({ name }) => name in BOUNDS)) {
    throw new SettingsError([
      'Behind a pooler in transaction mode the settings of sessions belong to the role, which lacks some. Run, as it or an administrator:',
      ...statements.map((statement) => `  ${statement}`),
      'and let the pooler make its connections to PostgreSQL anew (PgBouncer: RECONNECT on its console, or a restart).',
    ].join('\n'));
  }
  if (missing.length > 0) {
    log.warn({ event: 'role_settings_missing', statements },
      'the role lacks settings that make statements cheaper: run these statements and let the pooler connect anew');
  }
}
