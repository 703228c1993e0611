/** The configuration of a worker process: read once, all mistakes reported together. */
import { BACKEND_TYPE, LIMITS, parseApiHeaders, PROBLEM_GLOB, WORKER_ID, type ApiHeaders } from '@task-executor/shared';
import { BUILT_IN_CATALOG, Catalog, CatalogError } from '../catalog/catalog.js';
import { tooMany } from '../catalog/claimable.js';
import { readConfigFile } from './config-file.js';
import { ENVIRONMENT, type SettingName } from './options.js';

export interface WorkerConfig {
  readonly apiUrl: string;
  readonly apiHeaders: ApiHeaders;
  readonly workerId: string | null;
  readonly backendType: string;
  readonly concurrency: number;
  /** Globs of the problems to claim; null: those of the catalog, as it is at the time. */
  readonly problems: readonly string[] | null;
  readonly catalog: Catalog;
  readonly drainSeconds: number;
  /** Null: the folder for state that this system has; see spool/default-root. */
  readonly spoolDir: string | null;
  readonly spoolMaxBytes: number;
  /** Leaves after so many tasks; null never. */
  readonly maxTasks: number | null;
  readonly maxIdleSeconds: number | null;
  /** The port for /health and /metrics; null serves nothing. */
  readonly port: number | null;
  readonly host: string;
  readonly logLevel: string;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const MAX_SPOOL_MB = 1024 * 1024;

/** Thrown with every mistake in the configuration, one a line. */
export class ConfigError extends Error {}

/** Reads `given`, what is set by options or the environment, and the file that it names. @throws ConfigError */
export function readConfig(given: NodeJS.ProcessEnv): WorkerConfig {
  const path = given.WORKER_CONFIG?.trim() ?? '';
  const file = path === '' ? { values: {}, mistakes: [] } : readConfigFile(path);
  const mistakes = [...file.mistakes];
  const text = (name: SettingName): string => (given[name] ?? file.values[name] ?? ENVIRONMENT[name].default).trim();
  const refuse = (name: SettingName, wanted: string): void => {
    mistakes.push(`${name} (${ENVIRONMENT[name].option}) must be ${wanted}, not "${text(name)}"`);
  };
  const number = (name: SettingName, min: number, max: number, { whole = true } = {}): number => {
    const value = text(name) === '' ? NaN : Number(text(name));
    const fits = value >= min && value <= max && (!whole || Number.isInteger(value));
    if (!fits) refuse(name, `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    return value;
  };
  const optional = (name: SettingName, ...bounds: [number, number, { whole?: boolean }?]): number | null =>
    (text(name) === '' ? null : number(name, ...bounds));

  const apiUrl = text('API_URL');
  if (!/^https?:\/\/[^/]/.test(apiUrl) || !URL.canParse(apiUrl)) refuse('API_URL', 'a URL such as http://127.0.0.1:8000');
  const { headers: apiHeaders, mistakes: wrongHeaders } = parseApiHeaders(text('API_HEADERS'));
  for (const mistake of wrongHeaders) mistakes.push(`API_HEADERS (${ENVIRONMENT.API_HEADERS.option}): ${mistake}`);
  const workerId = text('WORKER_ID');
  if (workerId !== '' && !WORKER_ID.test(workerId)) refuse('WORKER_ID', 'like worker-001-kind');
  const backendType = text('BACKEND_TYPE');
  const isBackendType = BACKEND_TYPE.test(backendType) && backendType.length <= LIMITS.maxBackendTypeChars;
  if (!isBackendType) refuse('BACKEND_TYPE', 'letters, digits, _ . and -');
  const logLevel = text('LOG_LEVEL').toLowerCase();
  if (!LOG_LEVELS.includes(logLevel)) refuse('LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`);
  const once = text('WORKER_ONCE').toLowerCase();
  if (!['true', 'false', '1', '0'].includes(once)) refuse('WORKER_ONCE', 'true or false');
  const isOnce = once === 'true' || once === '1';
  const { catalog, problems } = readCatalog(text('CATALOG'), text('WORKER_PROBLEMS'), mistakes);

  const config: WorkerConfig = {
    apiUrl,
    apiHeaders,
    workerId: workerId === '' ? null : workerId,
    backendType,
    concurrency: isOnce ? 1 : number('WORKER_CONCURRENCY', 1, LIMITS.maxParallelTasks),
    problems,
    catalog,
    drainSeconds: number('DRAIN_SECONDS', 0, LIMITS.maxTimeoutSeconds, { whole: false }),
    spoolDir: text('SPOOL_DIR') === '' ? null : text('SPOOL_DIR'),
    spoolMaxBytes: number('SPOOL_MAX_MB', 1, MAX_SPOOL_MB) * 1024 * 1024,
    maxTasks: isOnce ? 1 : optional('DRAIN_AFTER_TASKS', 1, Number.MAX_SAFE_INTEGER),
    maxIdleSeconds: optional('MAX_IDLE_SECONDS', 0, LIMITS.maxTimeoutSeconds, { whole: false }),
    port: optional('WORKER_PORT', 0, 65_535),
    host: text('WORKER_HOST'),
    logLevel,
  };
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  return config;
}

function readCatalog(path: string, wanted: string, mistakes: string[]): { catalog: Catalog; problems: readonly string[] | null } {
  let catalog = BUILT_IN_CATALOG;
  try {
    if (path !== '') catalog = Catalog.read(path);
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    mistakes.push(error.message);
  }
  const named = wanted.split(',').map((glob) => glob.trim()).filter((glob) => glob !== '');
  const problems = named.length > 0 ? named : null;
  for (const glob of problems ?? catalog.problems) {
    if (PROBLEM_GLOB.test(glob) && glob.length <= LIMITS.maxProblemIdChars) continue;
    mistakes.push(`WORKER_PROBLEMS (--problems) holds "${glob}", which is no glob of problem ids`);
  }
  const excess = tooMany(problems ?? catalog.problems);
  if (excess !== null) mistakes.push(excess);
  return { catalog, problems };
}
