/**
 * Connections to PostgreSQL: one pool for lease traffic (claims, heartbeats, reports), so that slow lists cannot starve
 * it, and one for the rest. Every wait is bounded: for a connection, for a lock and for a statement by the server, and for
 * an answer that never comes by a watchdog that destroys the connection.
 */
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Histogram } from 'prom-client';
import { connecting, DatabaseAway, isStalePlan } from './errors.js';
import { Line, type Rank } from './line.js';
import { StatementNames } from './prepared.js';
import { SafeClient } from './safe-client.js';
import { LEASE_OPTIONS, SESSION_OPTIONS, STATEMENT_TIMEOUT_MS } from './settings.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Past the server's own limits: whoever has not answered by then will not. */
const WATCHDOG_MS = STATEMENT_TIMEOUT_MS + 5_000;

/** No table interface: statements are written in SQL, and each states the shape of its rows. */
export type Database = Kysely<unknown>;

export interface Databases {
  /** For claims and what belongs to them. */
  readonly lease: Database;
  /** Over the same connections as `lease`, before it in the line. */
  readonly heartbeats: Database;
  readonly reports: Database;
  readonly logs: Database;
  /** For submissions, and everything else that writes. */
  readonly general: Database;
  /** Over the same connections as `general`, after it in the line. */
  readonly reads: Database;
  close(): Promise<void>;
}

const INT8_OID: number = pg.types.builtins.INT8;
const parserOf = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => unknown;

// bigint arrives as text by default; every count here is far below 2^53.
const getTypeParser = (oid: number, format?: 'text' | 'binary'): unknown => (oid === INT8_OID ? Number : parserOf(oid, format));
const types: pg.CustomTypesConfig = { getTypeParser: getTypeParser as typeof pg.types.getTypeParser };

/**
 * Makes the clients of a pool. Their connection is destroyed when a query is not answered in time: pg's own query_timeout
 * rejects the query but returns the stuck connection to the pool, where the next queries fail one after another. And they
 * prepare what `names` has a name for.
 */
function watchedClient(names: StatementNames | null): typeof pg.Client {
  return class WatchedClient extends SafeClient {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      // The pool listens only while the client is idle: a connection lost under a query would otherwise end the process.
      // The query itself is rejected with the same error.
      this.on('error', () => undefined);
      const query = this.query.bind(this) as (...args: unknown[]) => unknown;
      const watched = (...args: unknown[]): unknown => {
        const [text, values] = args;
        const name = typeof text === 'string' && Array.isArray(values) ? names?.of(text) : undefined;
        const answer = name === undefined ? query(...args) : query({ name, text, values });
        if (!(answer instanceof Promise)) return answer;
        const destroy = (why: string): void => {
          (this as unknown as { connection: { stream: { destroy(error: Error): void } } }).connection.stream.destroy(new DatabaseAway(why));
        };
        const watchdog = setTimeout(destroy, WATCHDOG_MS, 'the database did not answer in time');
        watchdog.unref();
        return answer.catch((error: unknown) => {
          // A migration changed what the plan returns; only a new connection has a new plan.
          if (isStalePlan(error)) destroy('the plan of a statement is stale');
          throw error;
        }).finally(() => {
          clearTimeout(watchdog);
        });
      };
      this.query = watched as typeof this.query;
    }
  };
}

export interface PoolsConfig {
  /** Connections of each pool. */
  readonly lease: number;
  readonly general: number;
  /** A pooler in transaction mode stands between: nothing may be kept in a session, neither settings nor prepared statements. */
  readonly isPooled?: boolean;
}

/** Opens both pools. Nothing is connected before the first query. */
export function openDatabases(
  url: string,
  { lease: leaseSize, general: generalSize, isPooled = false }: PoolsConfig,
  log: Logger,
  statements?: Histogram<'pool' | 'result'>,
): Databases {
  let closing = false;
  const names = isPooled ? null : new StatementNames();
  const pools: pg.Pool[] = [];
  const open = (name: string, max: number, options: string): ((rank: Rank) => Database) => {
    const pool = new pg.Pool({
      connectionString: url,
      max,
      types,
      Client: watchedClient(names),
      application_name: `task-executor-api ${name}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      ...(isPooled ? {} : { options }),
    });
    // Without a listener the loss of an idle connection would end the process.
    pool.on('error', (error) => {
      if (closing) return;
      log.warn({ event: 'database_connection_lost', pool: name, error: error.message }, 'an idle connection was lost');
    });
    pools.push(pool);
    const line = new Line(pool, { most: max, timeoutMs: CONNECT_TIMEOUT_MS });
    return (rank) => new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: line.as(rank) }),
      log: ({ level, queryDurationMillis }) => {
        statements?.observe({ pool: name, result: level === 'error' ? 'error' : 'ok' }, queryDurationMillis / 1000);
      },
    });
  };
  const lease = open('lease', leaseSize, LEASE_OPTIONS);
  const general = open('general', generalSize, SESSION_OPTIONS);
  return {
    lease: lease('claims'),
    heartbeats: lease('heartbeats'),
    reports: lease('reports'),
    logs: lease('logs'),
    general: general('submissions'),
    reads: general('reads'),
    close: async () => {
      closing = true;
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

/** The application_name of a connection that migrates; all others of an API begin with "task-executor-api" too. */
export const MIGRATION_NAME = 'task-executor-api migration';

/** One connection for migrations, which set their own bounds: a statement may take as long as it takes, and no watchdog ends it. */
export function openForMigration(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    application_name: MIGRATION_NAME,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Whatever runs on it is rejected with the same error; without listeners the loss of the connection would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const marked = { connect: () => connecting(pool.connect()), end: () => pool.end() };
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool: marked }) });
}

/** Resolves when the database answers. */
export async function ping(db: Database): Promise<void> {
  await sql`select 1`.execute(db);
}
