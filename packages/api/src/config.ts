/**
 * The configuration of one API process: read once from the environment, all mistakes reported together. ENVIRONMENT is the
 * one list of variables; `--help`, docs/operating.md and the tests go by it.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '@task-executor/shared';
import pg from 'pg';
import type { ArtifactPlace } from './artifacts/store.js';

export interface ApiConfig {
  /** Null: PostgreSQL runs embedded, with its data in `dataDir`. */
  readonly databaseUrl: string | null;
  /** `databaseUrl` leads to a pooler in transaction mode. */
  readonly isPooled: boolean;
  /** The database to LISTEN at; null: none. */
  readonly listenUrl: string | null;
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
  readonly claimWaitSeconds: number;
  readonly idleClaimWaitSeconds: number;
  readonly sweepIntervalMs: number;
  /** Connections for claims, heartbeats and reports, apart from all others. */
  readonly leasePoolSize: number;
  readonly generalPoolSize: number;
  /** Streams of events at a time, and how long one lasts before its reader has to come back. */
  readonly maxEventStreams: number;
  readonly eventStreamMs: number;
  /** How long the other end of a stream, an export, a download or an upload may take or send nothing. */
  readonly stallMs: number;
  /** How long a request may take to arrive; uploads have longer. */
  readonly requestTimeoutMs: number;
  readonly artifacts: ArtifactPlace;
  readonly maxArtifactBytes: number;
  /** Bounds of one attempt. */
  readonly maxAttemptArtifacts: number;
  readonly maxAttemptArtifactBytes: number;
}

interface Variable {
  readonly default: string;
  readonly meaning: string;
}

export const ENVIRONMENT = {
  DATABASE_URL: { default: '', meaning: 'PostgreSQL 15 or later; empty runs an embedded one' },
  DATABASE_POOLER: { default: '', meaning: 'transaction where DATABASE_URL leads to a pooler in transaction mode, such as PgBouncer' },
  DATABASE_LISTEN_URL: { default: '', meaning: 'PostgreSQL itself, past that pooler, for LISTEN and NOTIFY; empty does without them behind a pooler' },
  DATA_DIR: { default: '.data', meaning: 'folder of the embedded PostgreSQL, of artifacts and of the pid file' },
  HOST: { default: '127.0.0.1', meaning: 'address to listen on' },
  PORT: { default: '8000', meaning: 'port to listen on; 0 takes any free one' },
  ALLOWED_HOSTS: { default: 'localhost,127.0.0.1,[::1]', meaning: 'host names that requests may be addressed to; * allows all' },
  LOG_LEVEL: { default: 'info', meaning: 'trace, debug, info, warn, error, fatal or silent' },
  NUM_INTERNAL_WORKERS: { default: '3', meaning: 'workers inside this process, 0 to 50' },
  AUTO_START_WORKERS: { default: 'true', meaning: 'whether they start with it' },
  DEFAULT_TIMEOUT_MINUTES: { default: '30', meaning: 'how long an attempt may run where its task does not say' },
  DEFAULT_PRIORITY: { default: '5', meaning: 'priority of tasks that name none, 0 to 10' },
  PRIORITY_AGEING_MINUTES: { default: '1440', meaning: 'how long a task has to wait to rank with newer ones that are one level of priority higher' },
  LEASE_SECONDS: { default: '120', meaning: 'how long a worker may be silent before its tasks are lost' },
  HEARTBEAT_INTERVAL_SECONDS: { default: '5', meaning: 'how often workers are asked for a heartbeat; at most a third of the lease' },
  CLAIM_WAIT_SECONDS: { default: '55', meaning: 'how long workers are asked to wait for a task in one call, but half a lease at most; less than a proxy on the way lets a connection be silent' },
  IDLE_CLAIM_WAIT_SECONDS: { default: '600', meaning: 'the longest that idle workers are asked to wait, where thousands of them do; the value of CLAIM_WAIT_SECONDS where a proxy cuts silent connections sooner' },
  SWEEP_INTERVAL_MS: { default: '1000', meaning: 'how often timeouts, lapsed leases and tasks whose time has come are looked for' },
  LEASE_POOL_SIZE: { default: '8', meaning: 'database connections for claims, heartbeats and reports' },
  GENERAL_POOL_SIZE: { default: '8', meaning: 'database connections for everything else' },
  MAX_EVENT_STREAMS: { default: '1000', meaning: 'streams of events at a time' },
  EVENT_STREAM_SECONDS: { default: '600', meaning: 'how long a stream of events lasts before its reader has to come back' },
  STALL_SECONDS: { default: '60', meaning: 'how long the other end of a stream, an export, a download or an upload may take or send nothing' },
  REQUEST_TIMEOUT_SECONDS: { default: '30', meaning: 'how long a request may take to arrive; uploads of artifacts have an hour' },
  ARTIFACTS_URL: { default: '', meaning: 'where artifacts are kept: file:FOLDER or s3://BUCKET/PREFIX; empty is the folder artifacts in DATA_DIR' },
  S3_ENDPOINT: { default: '', meaning: 'http(s) address of an S3-compatible server; empty is that of AWS' },
  S3_REGION: { default: '', meaning: 'region of the bucket; empty is what the AWS SDK finds, or us-east-1 where S3_ENDPOINT is set' },
  MAX_ARTIFACT_MB: { default: '1024', meaning: 'MiB that an artifact may have, up to 5120' },
  MAX_ATTEMPT_ARTIFACTS: { default: '200', meaning: 'artifacts that an attempt may leave' },
  MAX_ATTEMPT_ARTIFACT_MB: { default: '4096', meaning: 'MiB that all artifacts of an attempt may have' },
} as const satisfies Record<string, Variable>;

const MIB = 1024 * 1024;

/** Thrown with every mistake in the configuration, one a line. */
export class ConfigError extends Error {}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
/** A name or an IPv4 address, or an IPv6 address in brackets, as a Host header has it before the port. */
const HOST_NAME = /^([^\s/:[\]]+|\[[0-9a-f:.]+\])$/;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

type Name = keyof typeof ENVIRONMENT;

/** Reads variables, and gathers the mistakes in them. */
class VariableReader {
  readonly mistakes: string[] = [];
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** An empty value means the default; an empty HOST would otherwise listen on every interface. */
  text(name: Name): string {
    const given = this.#environment[name] ?? '';
    return given.trim() === '' ? ENVIRONMENT[name].default : given;
  }

  number(name: Name, min: number, max: number): number {
    const value = Number(this.text(name));
    if (!(value >= min && value <= max)) this.#mistake(name, `a number from ${min} to ${max}`);
    return value;
  }

  wholeNumber(name: Name, min: number, max: number): number {
    const value = Number(this.text(name));
    if (!(Number.isInteger(value) && value >= min && value <= max)) this.#mistake(name, `a whole number from ${min} to ${max}`);
    return value;
  }

  flag(name: Name): boolean {
    const value = this.text(name).toLowerCase();
    if (!['true', 'false', '1', '0'].includes(value)) this.#mistake(name, 'true or false');
    return value === 'true' || value === '1';
  }

  /** The address of a database; null where there is none. */
  address(name: Name): string | null {
    const url = this.text(name);
    if (url === '') return null;
    const mistake = mistakeInAddress(url);
    if (mistake !== null) this.mistakes.push(`${name} ${mistake}`);
    return url;
  }

  #mistake(name: Name, expected: string): void {
    this.mistakes.push(`${name} must be ${expected}, not "${this.text(name)}"`);
  }
}

/** Reads `environment` (by default the process's). @throws ConfigError naming every mistake. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): ApiConfig {
  const read = new VariableReader(environment);
  const { mistakes } = read;

  const databaseUrl = read.address('DATABASE_URL');
  const pooler = read.text('DATABASE_POOLER').toLowerCase();
  if (!['', 'transaction'].includes(pooler)) mistakes.push(`DATABASE_POOLER must be transaction or empty, not "${pooler}"`);
  const listenUrl = read.address('DATABASE_LISTEN_URL');
  if (databaseUrl === null && (pooler !== '' || listenUrl !== null)) {
    mistakes.push('DATABASE_POOLER and DATABASE_LISTEN_URL need a DATABASE_URL');
  }
  const logLevel = read.text('LOG_LEVEL').toLowerCase();
  if (!LOG_LEVELS.includes(logLevel)) mistakes.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, not "${logLevel}"`);

  const place = placeOf(read.text('ARTIFACTS_URL'), read.text('DATA_DIR'), read.text('S3_ENDPOINT'), read.text('S3_REGION'));
  if (typeof place === 'string') mistakes.push(place);

  const allowedHosts = read.text('ALLOWED_HOSTS').split(',').map((host) => host.trim().toLowerCase()).filter((host) => host !== '');
  for (const host of allowedHosts) {
    if (host !== '*' && !HOST_NAME.test(host)) mistakes.push(`ALLOWED_HOSTS takes host names without scheme, port and path, not "${host}"`);
  }

  const config: ApiConfig = {
    databaseUrl,
    isPooled: pooler === 'transaction',
    listenUrl,
    dataDir: read.text('DATA_DIR'),
    host: read.text('HOST'),
    port: read.wholeNumber('PORT', 0, 65_535),
    // Loopback names and our own address are always answered to: internal workers call by them, and no page can rebind them.
    allowedHosts: [...new Set([...allowedHosts, ...LOOPBACK, read.text('HOST').trim().toLowerCase()])].filter((host) => host !== ''),
    logLevel,
    numInternalWorkers: read.wholeNumber('NUM_INTERNAL_WORKERS', 0, LIMITS.maxInternalWorkers),
    autoStartWorkers: read.flag('AUTO_START_WORKERS'),
    defaultTimeoutSeconds: Math.round(read.number('DEFAULT_TIMEOUT_MINUTES', 1 / 60, LIMITS.maxTimeoutSeconds / 60) * 60),
    defaultPriority: read.wholeNumber('DEFAULT_PRIORITY', LIMITS.minPriority, LIMITS.maxPriority),
    priorityAgeingMs: Math.round(read.number('PRIORITY_AGEING_MINUTES', 0, 525_600) * 60_000),
    leaseSeconds: read.number('LEASE_SECONDS', 0.3, 3600),
    heartbeatIntervalSeconds: read.number('HEARTBEAT_INTERVAL_SECONDS', 0.05, 1200),
    claimWaitSeconds: read.number('CLAIM_WAIT_SECONDS', 1, LIMITS.maxClaimWaitSeconds),
    idleClaimWaitSeconds: read.number('IDLE_CLAIM_WAIT_SECONDS', 1, LIMITS.maxIdleClaimWaitSeconds),
    sweepIntervalMs: read.wholeNumber('SWEEP_INTERVAL_MS', 10, 60_000),
    leasePoolSize: read.wholeNumber('LEASE_POOL_SIZE', 1, 100),
    generalPoolSize: read.wholeNumber('GENERAL_POOL_SIZE', 1, 100),
    maxEventStreams: read.wholeNumber('MAX_EVENT_STREAMS', 0, 5_000),
    eventStreamMs: Math.round(read.number('EVENT_STREAM_SECONDS', 1, 86_400) * 1000),
    artifacts: typeof place === 'string' ? { kind: 'folder', folder: '' } : place,
    maxArtifactBytes: read.wholeNumber('MAX_ARTIFACT_MB', 1, LIMITS.maxArtifactBytes / MIB) * MIB,
    maxAttemptArtifacts: read.wholeNumber('MAX_ATTEMPT_ARTIFACTS', 0, 100_000),
    maxAttemptArtifactBytes: read.wholeNumber('MAX_ATTEMPT_ARTIFACT_MB', 1, 1_000_000_000) * MIB,
    requestTimeoutMs: Math.round(read.number('REQUEST_TIMEOUT_SECONDS', 1, 3600) * 1000),
    stallMs: Math.round(read.number('STALL_SECONDS', 1, 3600) * 1000),
  };
  if (config.heartbeatIntervalSeconds * 3 > config.leaseSeconds + 1e-9) {
    mistakes.push('HEARTBEAT_INTERVAL_SECONDS must be at most a third of LEASE_SECONDS');
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  return config;
}

/** What is wrong with the address of a database. It quotes no part of it: where it is wrong, any part may be the password. */
function mistakeInAddress(url: string): string | null {
  if (!/^postgres(ql)?:\/\//.test(url)) return 'must begin with postgres:// or postgresql://';
  const form = 'must be like postgresql://USER:PASSWORD@HOST:PORT/DATABASE';
  if (/^\w+:\/\/[/?#]*$/.test(url)) return `${form}: it names nothing`;
  const encoded = 'in its user and password each of @ : / ? # % has to be written by its number, as %40 %3A %2F %3F %23 %25';
  if (/^\w+:\/\/[^/?#]*[/?#].*@/.test(url)) return `${form}; ${encoded}`;
  try {
    new pg.Client({ connectionString: url });
    return null;
  } catch (error) {
    // Files of certificates are read along with the address.
    if (error instanceof Error && 'path' in error) return `names a file that cannot be read: ${String(error.path)}`;
    return `${form}, with a port up to 65535; ${encoded}`;
  }
}

/** The place of artifacts; a string says what is wrong with the variables. */
function placeOf(url: string, dataDir: string, endpoint: string, region: string): ArtifactPlace | string {
  if (endpoint !== '' && !/^https?:\/\/[^/]+\/?$/.test(endpoint)) return 'S3_ENDPOINT must be like https://s3.example.com';
  if (url === '') return { kind: 'folder', folder: join(dataDir, 'artifacts') };
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? [];
  if (bucket !== undefined) {
    const folder = prefix.replace(/\/+$/, '');
    return {
      kind: 's3', bucket, prefix: folder === '' ? '' : `${folder}/`, endpoint: endpoint === '' ? null : endpoint,
      region: region === '' ? (endpoint === '' ? null : 'us-east-1') : region,
    };
  }
  if (/^file:\/\/(\/|localhost\/)/.test(url)) {
    try {
      return { kind: 'folder', folder: fileURLToPath(url) };
    } catch {
      return `ARTIFACTS_URL has an escape that no path can have: "${url}"`;
    }
  }
  if (/^file:(?!\/\/)./.test(url)) return { kind: 'folder', folder: url.slice('file:'.length) };
  return `ARTIFACTS_URL must be like file:/var/lib/artifacts or s3://bucket/prefix, not "${url}"`;
}
