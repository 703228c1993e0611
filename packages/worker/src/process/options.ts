/** The settings of a worker process: the one list that the command line, the environment, the file and the docs go by. */
import { LIMITS } from '@task-executor/shared';

export interface Setting {
  /** Its option on the command line; without the dashes, its key in a configuration file. */
  readonly option: string;
  readonly default: string;
  readonly meaning: string;
  /** An option without a value. */
  readonly flag?: true;
  /** A path: in a configuration file it starts from the file's folder. */
  readonly path?: true;
  /** Several values, one a line: an option that may be repeated, a list in a configuration file. */
  readonly lines?: true;
}

export const ENVIRONMENT = {
  API_URL: { default: 'http://127.0.0.1:8000', option: '--api-url', meaning: 'where the API is' },
  API_HEADERS: { default: '', option: '--header', lines: true, meaning: 'headers of every call to the API, such as a token for a proxy: Name: value, one a line, or the option again' },
  WORKER_ID: { default: '', option: '--id', meaning: 'a fixed id (worker-NNN-kind); empty lets the API assign one' },
  WORKER_CONCURRENCY: { default: '1', option: '--concurrency', meaning: `how many tasks to run at a time, 1 to ${LIMITS.maxParallelTasks}` },
  BACKEND_TYPE: { default: 'kind', option: '--backend-type', meaning: 'the kind of backend that this worker owns' },
  WORKER_PROBLEMS: { default: '', option: '--problems', meaning: 'globs of problems to claim of the catalog, with commas; empty takes all of it' },
  CATALOG: { default: '', option: '--catalog', path: true, meaning: 'the problem catalog (YAML); empty knows test-* alone' },
  DRAIN_SECONDS: { default: '3600', option: '--drain-seconds', meaning: 'how long what runs may take after a signal before it is handed back' },
  SPOOL_DIR: { default: '', option: '--spool-dir', path: true, meaning: 'folder for reports that the API has not yet taken; empty takes one for state' },
  SPOOL_MAX_MB: { default: '1024', option: '--spool-max-mb', meaning: 'how much may wait there, in MiB' },
  WORKER_ONCE: { default: 'false', option: '--once', flag: true, meaning: 'run one task, then leave' },
  DRAIN_AFTER_TASKS: { default: '', option: '--drain-after-tasks', meaning: 'leave after so many tasks; empty never' },
  MAX_IDLE_SECONDS: { default: '', option: '--max-idle-seconds', meaning: 'leave when there was nothing to run for so long; empty never' },
  WORKER_PORT: { default: '', option: '--port', meaning: 'port for /health and /metrics, 0 for any free one; empty serves none' },
  WORKER_HOST: { default: '127.0.0.1', option: '--host', meaning: 'address to serve them on' },
  LOG_LEVEL: { default: 'info', option: '--log-level', meaning: 'trace, debug, info, warn, error, fatal or silent' },
  WORKER_CONFIG: { default: '', option: '--config', meaning: 'a YAML file of these settings, by the names of the options; options and variables win' },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof ENVIRONMENT;

/** All settings, for whoever goes through them. */
export const SETTINGS: readonly (readonly [SettingName, Setting])[] = Object.entries(ENVIRONMENT) as [SettingName, Setting][];
