/** The command line of the API: serve, migrate, check-config. Every option is an environment variable too. */
import { createProcessLog } from '@task-executor/worker';
import { Command, Option } from 'commander';
import { StoreFolderError } from './artifacts/open.js';
import { ConfigError, ENVIRONMENT, readConfig, type ApiConfig } from './config.js';
import { isDatabaseUnavailable, isRefusedConnection } from './db/errors.js';
import { migrate, MigrationError } from './db/migrate.js';
import { checkSettings, SettingsError } from './db/settings-check.js';
import { startEmbeddedPostgres, EmbeddedPostgresError } from './embedded-postgres.js';
import { PidFileError, serve } from './serve.js';
import { VERSION } from './version.js';

/** Exit codes: 1 for a failure at run time, 2 for a mistake in the configuration. */
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Errors whose message says what to do. */
const MESSAGE_SAYS_IT = [EmbeddedPostgresError, MigrationError, PidFileError, SettingsError, StoreFolderError];

function optionName(variable: string): string {
  return `--${variable.toLowerCase().replaceAll('_', '-')}`;
}

/** Adds one option for each environment variable; given options win. */
function withConfiguration(command: Command): Command {
  for (const [name, variable] of Object.entries(ENVIRONMENT)) {
    const shown = variable.default === '' ? '' : ` (default: ${variable.default})`;
    command.addOption(new Option(`${optionName(name)} <value>`, variable.meaning + shown).env(name));
  }
  return command;
}

function configOf(command: Command): ApiConfig {
  const given = command.opts<Record<string, string>>();
  const environment: NodeJS.ProcessEnv = {};
  for (const name of Object.keys(ENVIRONMENT)) {
    const key = name.toLowerCase().replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    if (given[key] !== undefined) environment[name] = given[key];
  }
  return readConfig(environment);
}

/** What to say of a failure: one clear line where users can mend it, everything else in full. */
export function explainFailure(error: unknown, config: ApiConfig | null): { message: string; exitCode: number } {
  if (error instanceof ConfigError) return { message: error.message, exitCode: EXIT_USAGE };
  if (MESSAGE_SAYS_IT.some((one) => error instanceof one)) return { message: (error as Error).message, exitCode: EXIT_FAILURE };
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE' && config !== null) {
    return {
      message: `Port ${config.port} of ${config.host} is in use: stop what listens there, or choose another with PORT=8001.`,
      exitCode: EXIT_FAILURE,
    };
  }
  if (code === 'EACCES' && config !== null && (error as { syscall?: string }).syscall === 'listen') {
    return {
      message: `Port ${config.port} of ${config.host} may not be opened by this user: choose one above 1023 with PORT.`,
      exitCode: EXIT_FAILURE,
    };
  }
  if (config !== null && isOfListening(error, config.host)) {
    return {
      message: `HOST ${config.host} is no address of this machine (${String(code)}): 127.0.0.1 serves this machine alone, 0.0.0.0 every network.`,
      exitCode: EXIT_FAILURE,
    };
  }
  if (isRefusedConnection(error)) {
    return { message: `DATABASE_URL is refused by the server: ${error.message}.`, exitCode: EXIT_FAILURE };
  }
  if (code === '08P01') {
    return { message: explainRefusal((error as Error).message, config), exitCode: EXIT_FAILURE };
  }
  if (isDatabaseUnavailable(error)) {
    const where = config?.databaseUrl == null ? 'The embedded PostgreSQL' : `The database at ${withoutPassword(config.databaseUrl)}`;
    return {
      message: `${where} cannot be reached (${typeof code === 'string' ? code : String(error)}): start it, or correct DATABASE_URL.`,
      exitCode: EXIT_FAILURE,
    };
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: EXIT_FAILURE };
}

/** What to say of a server that breaks the protocol off: nearly always a pooler. PgBouncer has this one code for all that it refuses. */
function explainRefusal(reason: string, config: ApiConfig | null): string {
  if (config?.isPooled === true) return `The pooler at ${withoutPassword(config.databaseUrl ?? '')} refuses the connection: ${reason}.`;
  return `What DATABASE_URL leads to does not take settings for a session (${reason}). Where it is a pooler in transaction mode, set `
    + 'DATABASE_POOLER=transaction (docs/operating.md says what else it needs); else name PostgreSQL itself.';
}

/** Whether the address to listen on could not be found, or is another machine's. */
function isOfListening(error: unknown, host: string): boolean {
  const { code, syscall, hostname } = error as { code?: string; syscall?: string; hostname?: string };
  return (code === 'EADDRNOTAVAIL' && syscall === 'listen') || (syscall === 'getaddrinfo' && hostname === host);
}

function withoutPassword(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}

/** Runs `work` and turns what goes wrong into a line and an exit code. */
async function run(command: Command, work: (config: ApiConfig) => Promise<void>): Promise<void> {
  let config: ApiConfig | null = null;
  try {
    config = configOf(command);
    await work(config);
  } catch (error) {
    const { message, exitCode } = explainFailure(error, config);
    process.stderr.write(`${message}\n`);
    process.exitCode = exitCode;
  }
}

async function migrateOnce(config: ApiConfig): Promise<void> {
  const log = createProcessLog('task-executor-api', config.logLevel);
  const embedded = config.databaseUrl === null ? await startEmbeddedPostgres({ dataDir: config.dataDir }) : null;
  const databaseUrl = config.databaseUrl ?? embedded?.url ?? '';
  try {
    await checkSettings(databaseUrl, config.isPooled, log);
    const applied = await migrate({ databaseUrl, log });
    process.stdout.write(applied.length === 0 ? 'The schema is up to date.\n' : `Applied ${applied.join(', ')}.\n`);
  } finally {
    await embedded?.stop();
  }
}

export function createCommand(): Command {
  const program = new Command('task-executor-api').description('The Task Executor API server.').version(VERSION)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  const serveCommand = withConfiguration(program.command('serve').description('migrate the database and serve the API'));
  serveCommand.action(() => run(serveCommand, serve));
  const migrateCommand = withConfiguration(program.command('migrate').description('migrate the database, then exit'));
  migrateCommand.action(() => run(migrateCommand, migrateOnce));
  const checkCommand = withConfiguration(program.command('check-config').description('check the configuration, then exit'));
  checkCommand.action(() =>
    run(checkCommand, (config) => {
      const shownUrl = (url: string | null): string | null => (url === null ? null : withoutPassword(url));
      const shown = { ...config, databaseUrl: shownUrl(config.databaseUrl), listenUrl: shownUrl(config.listenUrl) };
      process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
      return Promise.resolve();
    }),
  );
  return program;
}
