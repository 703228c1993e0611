/**
 * Whether the settings of sessions are in force, looked at when a process starts: without bounds on statements, locks and idle
 * transactions one replica that freezes holds up all others.
 */
import { sql } from 'kysely';
import type { Logger } from 'pino';
import { openDatabases, type Database } from './database.js';
import { BOUNDS, COMFORTS, MARK, ROLE_SETTINGS } from './settings.js';

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

/**
 * Makes sure that sessions are bounded, whoever says so. On a connection that is closed then: a migration that follows may look
 * whether others are connected. @throws SettingsError
 */
export async function checkSettings(databaseUrl: string, isPooled: boolean, log: Logger): Promise<void> {
  const databases = openDatabases(databaseUrl, { lease: 1, general: 1, isPooled }, log);
  try {
    await check(databases.general, isPooled, log);
  } finally {
    await databases.close();
  }
}

async function check(db: Database, isPooled: boolean, log: Logger): Promise<void> {
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
