/** The configuration of a worker process: read once, all mistakes reported together. */
import { LIMITS } from '@task-executor/shared';
import { BUILT_IN_CATALOG, Catalog, CatalogError } from './catalog.js';

export interface WorkerConfig {
  readonly apiUrl: string;
  readonly workerId: string | null;
  readonly backendType: string;
  readonly concurrency: number;
  readonly problems: readonly string[];
  readonly catalog: Catalog;
  readonly drainSeconds: number;
  readonly logLevel: string;
}

export const ENVIRONMENT = {
  API_URL: { default: 'http://127.0.0.1:8000', option: '--api-url', meaning: 'where the API is' },
  WORKER_ID: { default: '', option: '--id', meaning: 'a fixed id (worker-NNN-kind); empty lets the API assign one' },
  WORKER_CONCURRENCY: { default: '1', option: '--concurrency', meaning: 'how many tasks to run at a time, 1 to 1000' },
  BACKEND_TYPE: { default: 'kind', option: '--backend-type', meaning: 'the kind of backend that this worker owns' },
  WORKER_PROBLEMS: { default: '', option: '--problems', meaning: 'globs of problems to claim, with commas; empty takes those of the catalog' },
  CATALOG: { default: '', option: '--catalog', meaning: 'the problem catalog (YAML); empty knows test-* alone' },
  DRAIN_SECONDS: { default: '3600', option: '--drain-seconds', meaning: 'how long a drain may take before what runs is handed back' },
  LOG_LEVEL: { default: 'info', option: '--log-level', meaning: 'trace, debug, info, warn, error, fatal or silent' },
} as const;

/** Thrown with every mistake in the configuration, one a line. */
export class ConfigError extends Error {}

/** Reads `environment`. @throws ConfigError */
export function readConfig(environment: NodeJS.ProcessEnv): WorkerConfig {
  const mistakes: string[] = [];
  const text = (name: keyof typeof ENVIRONMENT): string => (environment[name] ?? ENVIRONMENT[name].default).trim();

  if (!/^https?:\/\/[^/]/.test(text('API_URL')) || !URL.canParse(text('API_URL'))) {
    mistakes.push(`API_URL must be a URL such as http://127.0.0.1:8000, not "${text('API_URL')}"`);
  }
  const workerId = text('WORKER_ID');
  if (workerId !== '' && !/^worker-[0-9]{3,6}-kind$/.test(workerId)) mistakes.push(`WORKER_ID must look like worker-001-kind, not "${workerId}"`);
  const concurrency = Number(text('WORKER_CONCURRENCY'));
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > LIMITS.maxParallelTasks) {
    mistakes.push(`WORKER_CONCURRENCY must be a whole number from 1 to ${LIMITS.maxParallelTasks}, not "${text('WORKER_CONCURRENCY')}"`);
  }
  const drainSeconds = text('DRAIN_SECONDS') === '' ? NaN : Number(text('DRAIN_SECONDS'));
  if (!(drainSeconds >= 0 && drainSeconds <= LIMITS.maxTimeoutSeconds)) {
    mistakes.push(`DRAIN_SECONDS must be a number from 0 to ${LIMITS.maxTimeoutSeconds}, not "${text('DRAIN_SECONDS')}"`);
  }
  const backendType = text('BACKEND_TYPE');
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(backendType)) mistakes.push(`BACKEND_TYPE must be letters, digits, _ . and -, not "${backendType}"`);
  const logLevel = text('LOG_LEVEL').toLowerCase();
  if (!['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(logLevel)) {
    mistakes.push(`LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent, not "${logLevel}"`);
  }

  let catalog = BUILT_IN_CATALOG;
  if (text('CATALOG') !== '') {
    try {
      catalog = Catalog.read(text('CATALOG'));
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error;
      mistakes.push(error.message);
    }
  }
  const named = text('WORKER_PROBLEMS').split(',').map((glob) => glob.trim()).filter((glob) => glob !== '');
  const problems = named.length > 0 ? named : catalog.problems;
  for (const glob of problems) {
    if (!/^[A-Za-z0-9_.:/@+=,~*?-]{1,255}$/.test(glob)) mistakes.push(`WORKER_PROBLEMS holds "${glob}", which is no glob of problem ids`);
  }
  if (problems.length > LIMITS.maxSupportedProblems) mistakes.push(`at most ${LIMITS.maxSupportedProblems} globs of problems can be claimed`);
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  return { apiUrl: text('API_URL'), workerId: workerId === '' ? null : workerId, backendType, concurrency, problems, catalog, drainSeconds, logLevel };
}
