/**
 * The composition root: everything that one API process is made of, put together by hand and taken apart in reverse. It
 * keeps no state outside, so several can live in one process.
 */
import { once } from 'node:events';
import type { Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Aftermath } from './aftermath.js';
import { openStore } from './artifacts/open.js';
import type { ArtifactStore } from './artifacts/store.js';
import type { ApiConfig } from './config.js';
import { openDatabases, type Databases } from './db/database.js';
import { Listener } from './db/listener.js';
import { migrate } from './db/migrate.js';
import { checkSettings } from './db/settings-check.js';
import { Sessions } from './fleet/sessions.js';
import { createAppServer } from './http/app-server.js';
import { createApp } from './http/app.js';
import { answerClientErrors } from './http/client-errors.js';
import { mostConnections } from './http/connections.js';
import { HeldBytes } from './http/held-bytes.js';
import type { Services } from './http/services.js';
import { endStalledReaders } from './http/stalled.js';
import { InternalWorkers } from './internal-workers.js';
import { createMetrics, type Metrics } from './metrics.js';
import { watchQueue } from './queue-metrics.js';
import { Readiness } from './queue/readiness.js';
import { MISFIRE_GRACE_MS } from './queue/schedule.js';
import { bulkOperations, schedules } from './sweeping/chores.js';
import { Sweeper } from './sweeping/sweeper.js';
import { Follows } from './waiting/follows.js';
import { Groups } from './waiting/groups.js';
import { LeaseRounds } from './waiting/lease-rounds.js';
import { Presence } from './waiting/presence.js';
import { Wakeups } from './waiting/wakeups.js';
import { Watches } from './waiting/watches.js';

/** How long calls that are under way at the stop may take, in milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;
const CLOSE_IDLE_INTERVAL_MS = 50;
/** How long the other end of a connection is silent before its system is asked whether it is there. */
const KEEP_ALIVE_MS = 30_000;

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Ends everything that was started, in reverse order. */
  stop(): Promise<void>;
}

export interface ServerParts {
  readonly config: ApiConfig;
  readonly databaseUrl: string;
  readonly log: Logger;
  /**
   * Aborts when the server is to stop: a start under way ends between its steps, or, where it listens already, without waiting for its
   * workers.
   */
  readonly stopping?: AbortSignal;
  /** Bound of the bodies and unsent answers in memory at a time; by default it goes by the heap. */
  readonly heldBytes?: number | undefined;
}

/**
 * Migrates the database, listens, starts the loops and the internal workers. @throws what keeps it from starting; an AbortError once
 * `stopping` aborts
 */
export async function startServer({ config, databaseUrl, log, stopping, heldBytes }: ServerParts): Promise<RunningServer> {
  const metrics = createMetrics();
  const { leasePoolSize: lease, generalPoolSize: general, isPooled } = config;
  const databases = openDatabases(databaseUrl, { lease, general, isPooled }, log, metrics.statements);
  const undo: (() => unknown)[] = [() => databases.close()];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
      try {
        await step();
      } catch (error) {
        log.warn({ event: 'stop_failed', error: String(error) }, 'a part did not stop as it should');
      }
    }
  };
  try {
    stopping?.throwIfAborted();
    await checkSettings(databaseUrl, isPooled, log);
    const applied = await migrate({ databaseUrl, log, stopping });
    if (applied.length > 0) log.info({ event: 'migrated', migrations: applied }, 'the database was migrated');

    stopping?.throwIfAborted();
    const artifacts = await openStore(config.artifacts, log);
    undo.push(() => artifacts.stop());
    const listener = new Listener(config.listenUrl ?? (isPooled ? null : databaseUrl), log);
    const held = new HeldBytes(heldBytes);
    const services = buildServices({ config, databases, artifacts, listener, held, metrics, log });
    const { wakeups, watches, follows, leaseRounds, sweeper, internalWorkers } = services;

    const server = createAppServer(await createApp(services), held, optionsOf(config));
    server.maxConnections = mostConnections();
    answerClientErrors(server);
    undo.push(endStalledReaders(server, config.stallMs, log));
    await listener.start();
    undo.push(() => listener.stop());
    // Those who keep calls waiting let them go before the server closes: it waits for every call that hangs.
    undo.push(() => close(server));
    wakeups.start();
    undo.push(() => wakeups.stop());
    undo.push(() => follows.stop());
    undo.push(() => {
      watches.stop();
    });
    stopping?.throwIfAborted();
    server.listen(config.port, config.host);
    await once(server, 'listening');
    leaseRounds.start();
    undo.push(() => {
      leaseRounds.stop();
    });
    undo.push(() => {
      endConnections(server);
    });
    sweeper.start();
    undo.push(() => sweeper.stop());

    const { port } = server.address() as AddressInfo;
    const url = urlOf(config.host, port);
    undo.push(() => internalWorkers.end());
    const endWorkers = (): void => {
      void internalWorkers.end();
    };
    if (stopping?.aborted === true) endWorkers();
    else stopping?.addEventListener('abort', endWorkers, { once: true });
    await internalWorkers.attach({ apiUrl: url, owner: `${hostname()}:${port}`, log });
    if (config.autoStartWorkers) await internalWorkers.start();
    return { url, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ServiceParts {
  readonly config: ApiConfig;
  readonly databases: Databases;
  readonly artifacts: ArtifactStore;
  readonly listener: Listener;
  readonly held: HeldBytes;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What the handlers work with, nothing of it started. */
function buildServices({ config, databases, artifacts, listener, held, metrics, log }: ServiceParts): Services {
  const { leaseSeconds, sweepIntervalMs: intervalMs } = config;
  const presence = new Presence({ maxGapMs: Math.min((leaseSeconds * 1000) / 3, MISFIRE_GRACE_MS) });
  const groups = new Groups({ config, databases, presence });
  const readiness = new Readiness(databases.general);
  const wakeups = new Wakeups(databases.general, listener, log);
  const watches = new Watches(listener);
  const follows = new Follows(databases.general, listener, log);
  const aftermath = new Aftermath({ db: databases.reports, wakeups, watches, follows, readiness, metrics, log });
  const parts = { config, db: databases.general, aftermath, metrics, presence, log };
  const chores = [schedules(parts), bulkOperations(parts)];
  watchQueue(metrics, databases.general, readiness);
  metrics.show('task_executor_held_bytes', 'Bytes of bodies and of answers that are not sent yet.', () => held.bytes);
  return {
    config, databases, groups, readiness, wakeups, watches, follows, aftermath, artifacts, held, metrics, log,
    sessions: new Sessions((asked) => groups.sessions.add(asked)),
    leaseRounds: new LeaseRounds((leaseSeconds * 1000) / 2),
    sweeper: new Sweeper({ db: databases.heartbeats, aftermath, metrics, log, presence, intervalMs, leaseSeconds, chores }),
    internalWorkers: new InternalWorkers(config.numInternalWorkers),
  };
}

function optionsOf({ requestTimeoutMs }: ApiConfig): ServerOptions {
  return {
    // Longer than any client of ours keeps an idle connection, so that none is closed under a request.
    keepAliveTimeout: 75_000,
    headersTimeout: Math.min(20_000, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(30_000, requestTimeoutMs),
    maxHeaderSize: 16 * 1024,
    // A host that is gone without a word would else be a worker that waits: its claim would keep its lease, and be given tasks.
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  };
}

/** The address at which the server is reached from this machine. */
function urlOf(host: string, port: number): string {
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** Has each connection end with its next answer: a worker would go on calling over the one that it has. */
function endConnections(server: Server): void {
  server.prependListener('request', (_req, res) => {
    res.setHeader('Connection', 'close');
  });
}

/** Takes no new connections, lets running calls finish for a while, then cuts them. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  // A connection whose call is under way now is idle a moment later.
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, CLOSE_IDLE_INTERVAL_MS);
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_TIMEOUT_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
