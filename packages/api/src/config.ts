/**
 * The configuration of one API process: read once from the environment, all mistakes reported together. ENVIRONMENT is the
 * one list of variables; `--help`, docs/operating.md and the tests go by it.
 */
import { LIMITS } from '@task-executor/shared';

export interface ApiConfig {
  /** Null: PostgreSQL runs embedded, with its data in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly logLevel: string;
  readonly numInternalWorkers: number;
  readonly autoStartWorkers: boolean;
  readonly defaultTimeoutSeconds: number;
  readonly defaultPriority: number;
  /** A level of priority is worth this much waiting, so that nothing waits for ever. */
  readonly priorityAgeingMs: number;
  readonly leaseSeconds: number;
  readonly heartbeatIntervalSeconds: number;
  readonly sweepIntervalMs: number;
  /** Connections for claims, heartbeats and reports, apart from all others. */
  readonly leasePoolSize: number;
  readonly generalPoolSize: number;
  /** Streams of events at a time, and how long one lasts before its reader has to come back. */
  readonly maxEventStreams: number;
  readonly eventStreamMs: number;
  /** How long the reader of a stream, an export or a download may leave what it was sent. */
  readonly readerStallMs: number;
}

interface Variable {
  readonly default: string;
  readonly meaning: string;
}

export const ENVIRONMENT = {
  DATABASE_URL: { default: '', meaning: 'PostgreSQL 15 or later; empty runs an embedded one' },
  DATA_DIR: { default: '.data', meaning: 'folder of the embedded PostgreSQL and the pid file' },
  HOST: { default: '127.0.0.1', meaning: 'address to listen on' },
  PORT: { default: '8000', meaning: 'port to listen on; 0 takes any free one' },
  ALLOWED_HOSTS: { default: 'localhost,127.0.0.1,[::1]', meaning: 'host names that requests may be addressed to; * allows all' },
  LOG_LEVEL: { default: 'info', meaning: 'trace, debug, info, warn, error, fatal or silent' },
  NUM_INTERNAL_WORKERS: { default: '3', meaning: 'workers inside this process, 0 to 50' },
  AUTO_START_WORKERS: { default: 'true', meaning: 'whether they start with it' },
  DEFAULT_TIMEOUT_MINUTES: { default: '30', meaning: 'how long an attempt may run where its task does not say' },
  DEFAULT_PRIORITY: { default: '5', meaning: 'priority of tasks that name none, 0 to 10' },
  PRIORITY_AGEING_MINUTES: { default: '1440', meaning: 'how long a task has to wait to rank with newer ones that are one level of priority higher' },
  LEASE_SECONDS: { default: '30', meaning: 'how long a worker may be silent before its tasks are lost' },
  HEARTBEAT_INTERVAL_SECONDS: { default: '5', meaning: 'how often workers are asked for a heartbeat; at most a third of the lease' },
  SWEEP_INTERVAL_MS: { default: '1000', meaning: 'how often timeouts, lapsed leases and tasks whose time has come are looked for' },
  LEASE_POOL_SIZE: { default: '8', meaning: 'database connections for claims, heartbeats and reports' },
  GENERAL_POOL_SIZE: { default: '8', meaning: 'database connections for everything else' },
  MAX_EVENT_STREAMS: { default: '1000', meaning: 'streams of events at a time' },
  EVENT_STREAM_SECONDS: { default: '600', meaning: 'how long a stream of events lasts before its reader has to come back' },
  READER_STALL_SECONDS: { default: '60', meaning: 'how long whoever reads a stream, an export or a download may take nothing' },
} as const satisfies Record<string, Variable>;

/** Thrown with every mistake in the configuration, one a line. */
export class ConfigError extends Error {}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Reads `environment` (by default the process's). @throws ConfigError naming every mistake. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): ApiConfig {
  const mistakes: string[] = [];
  const text = (name: keyof typeof ENVIRONMENT): string => environment[name] ?? ENVIRONMENT[name].default;
  const number = (name: keyof typeof ENVIRONMENT, min: number, max: number, whole = true): number => {
    const value = text(name).trim() === '' ? NaN : Number(text(name));
    if (Number.isNaN(value) || value < min || value > max || (whole && !Number.isInteger(value))) {
      mistakes.push(`${name} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not "${text(name)}"`);
    }
    return value;
  };
  const flag = (name: keyof typeof ENVIRONMENT): boolean => {
    const value = text(name).toLowerCase();
    if (!['true', 'false', '1', '0'].includes(value)) mistakes.push(`${name} must be true or false, not "${text(name)}"`);
    return value === 'true' || value === '1';
  };

  const databaseUrl = text('DATABASE_URL');
  if (databaseUrl !== '' && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    mistakes.push('DATABASE_URL must begin with postgres:// or postgresql://');
  }
  const logLevel = text('LOG_LEVEL').toLowerCase();
  if (!LOG_LEVELS.includes(logLevel)) mistakes.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, not "${logLevel}"`);

  const config: ApiConfig = {
    databaseUrl: databaseUrl === '' ? null : databaseUrl,
    dataDir: text('DATA_DIR'),
    host: text('HOST'),
    port: number('PORT', 0, 65_535),
    // Loopback names and our own address are always answered to: internal workers call by them, and no page can rebind them.
    allowedHosts: [...new Set([...text('ALLOWED_HOSTS').split(','), ...LOOPBACK, text('HOST')].map((host) => host.trim().toLowerCase()))].filter((host) => host !== ''),
    logLevel,
    numInternalWorkers: number('NUM_INTERNAL_WORKERS', 0, LIMITS.maxInternalWorkers),
    autoStartWorkers: flag('AUTO_START_WORKERS'),
    defaultTimeoutSeconds: Math.round(number('DEFAULT_TIMEOUT_MINUTES', 1 / 60, LIMITS.maxTimeoutSeconds / 60, false) * 60),
    defaultPriority: number('DEFAULT_PRIORITY', LIMITS.minPriority, LIMITS.maxPriority),
    priorityAgeingMs: Math.round(number('PRIORITY_AGEING_MINUTES', 0, 525_600, false) * 60_000),
    leaseSeconds: number('LEASE_SECONDS', 0.3, 3600, false),
    heartbeatIntervalSeconds: number('HEARTBEAT_INTERVAL_SECONDS', 0.05, 1200, false),
    sweepIntervalMs: number('SWEEP_INTERVAL_MS', 10, 60_000),
    leasePoolSize: number('LEASE_POOL_SIZE', 1, 100),
    generalPoolSize: number('GENERAL_POOL_SIZE', 1, 100),
    maxEventStreams: number('MAX_EVENT_STREAMS', 0, 5_000),
    eventStreamMs: Math.round(number('EVENT_STREAM_SECONDS', 1, 86_400, false) * 1000),
    readerStallMs: Math.round(number('READER_STALL_SECONDS', 1, 3600, false) * 1000),
  };
  if (config.heartbeatIntervalSeconds * 3 > config.leaseSeconds + 1e-9) {
    mistakes.push('HEARTBEAT_INTERVAL_SECONDS must be at most a third of LEASE_SECONDS');
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  return config;
}
