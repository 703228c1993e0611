/**
 * The composition root: everything that one API process is made of, put together by hand and taken apart in reverse. It
 * keeps no state outside, so several can live in one process.
 */
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { bulkOperations, schedules } from './sweeping/chores.js';
import type { ApiConfig } from './config.js';
import { Aftermath } from './aftermath.js';
import { openStore } from './artifacts/open.js';
import { openDatabases } from './db/database.js';
import { Listener } from './db/listener.js';
import { migrate } from './db/migrate.js';
import { checkSettings } from './db/settings-check.js';
import { Groups } from './waiting/groups.js';
import { Sessions } from './fleet/sessions.js';
import { createAppServer } from './http/app-server.js';
import { Follows } from './waiting/follows.js';
import { createApp } from './http/app.js';
import { mostConnections } from './http/connections.js';
import { answerClientErrors } from './http/client-errors.js';
import { HeldBytes } from './http/held-bytes.js';
import { endStalledReaders } from './http/stalled.js';
import { InternalWorkers } from './internal-workers.js';
import { createMetrics, watchQueue } from './metrics.js';
import { Readiness } from './queue/readiness.js';
import { Sweeper } from './sweeping/sweeper.js';
import { Wakeups } from './waiting/wakeups.js';
import { LeaseRounds } from './waiting/lease-rounds.js';
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
  /** Aborts when the server is to stop: a start under way ends between its steps, or, where it listens already, without waiting for its workers. */
  readonly stopping?: AbortSignal;
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Migrates the database, listens, starts the loops and the internal workers. @throws what keeps it from starting; an AbortError once `stopping` aborts */
export async function startServer({ config, databaseUrl, log, stopping }: ServerParts): Promise<RunningServer> {
  const metrics = createMetrics();
  const databases = openDatabases(databaseUrl, { lease: config.leasePoolSize, general: config.generalPoolSize, isPooled: config.isPooled }, log, metrics.statements);
  const undo: (() => Promise<unknown>)[] = [() => databases.close()];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
      await step().catch((error: unknown) => {
        log.warn({ event: 'stop_failed', error: String(error) }, 'a part did not stop as it should');
      });
    }
  };
  try {
    stopping?.throwIfAborted();
    await checkSettings(databaseUrl, config.isPooled, log);
    const applied = await migrate({ databaseUrl, log, stopping });
    if (applied.length > 0) log.info({ event: 'migrated', migrations: applied }, 'the database was migrated');

    stopping?.throwIfAborted();
    const artifacts = await openStore(config.artifacts, log);
    undo.push(() => artifacts.stop());
    const readiness = new Readiness(databases.general);
    watchQueue(metrics, databases.general, readiness);
    const listener = new Listener(config.listenUrl ?? (config.isPooled ? null : databaseUrl), log);
    const wakeups = new Wakeups(databases.general, listener, log);
    const watches = new Watches(listener);
    const leaseRounds = new LeaseRounds(config.leaseSeconds * 500);
    const follows = new Follows(databases.general, listener, log);
    await listener.start();
    undo.push(() => listener.stop());
    wakeups.start();
    undo.push(() => wakeups.stop());
    const aftermath = new Aftermath({ db: databases.reports, wakeups, watches, follows, readiness, metrics, log });
    const parts = { config, db: databases.general, aftermath, metrics, log };
    const sweeper = new Sweeper({ db: databases.heartbeats, aftermath, metrics, log, intervalMs: config.sweepIntervalMs, leaseSeconds: config.leaseSeconds, chores: [schedules(parts), bulkOperations(parts)] });
    const internalWorkers = new InternalWorkers(config.numInternalWorkers);
    const held = new HeldBytes(config.heldBytes ?? undefined);
    metrics.show('task_executor_held_bytes', 'Bytes of bodies and of answers that are not sent yet.', () => held.bytes);
    const groups = new Groups({ config, databases });
    const services = {
      config, databases, groups, sessions: new Sessions((asked) => groups.sessions.add(asked)), readiness, wakeups, watches, leaseRounds, follows,
      aftermath, artifacts, sweeper, metrics, internalWorkers, held, log,
    };

    const server = createAppServer(await createApp(services), held, {
      // Longer than any client of ours keeps an idle connection, so that none is closed under a request.
      keepAliveTimeout: 75_000,
      headersTimeout: Math.min(20_000, config.requestTimeoutMs),
      requestTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(30_000, config.requestTimeoutMs),
      maxHeaderSize: 16 * 1024,
      // Or a host that is gone without a word would be a worker that waits: its claim would keep its lease, and be given tasks.
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    server.maxConnections = mostConnections();
    answerClientErrors(server);
    const endWatch = endStalledReaders(server, config.stallMs, log);
    undo.push(() => {
      endWatch();
      return Promise.resolve();
    });
    stopping?.throwIfAborted();
    const { port } = await listen(server, config.port, config.host);
    undo.push(() => close(server));
    // Before the server closes, or it would wait for every call that hangs.
    undo.push(() => wakeups.stop());
    undo.push(() => follows.stop());
    undo.push(() => {
      watches.stop();
      return Promise.resolve();
    });
    leaseRounds.start();
    undo.push(() => {
      leaseRounds.stop();
      return Promise.resolve();
    });
    undo.push(() => {
      endConnections(server);
      return Promise.resolve();
    });
    sweeper.start();
    undo.push(() => sweeper.stop());

    const reachable = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : config.host;
    const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
    undo.push(() => internalWorkers.end());
    const endWorkers = (): void => {
      void internalWorkers.end();
    };
    if (stopping?.aborted === true) endWorkers();
    else stopping?.addEventListener('abort', endWorkers, { once: true });
    await internalWorkers.attach({ apiUrl: url, owner: `${hostname()}:${port}`, count: config.numInternalWorkers, log });
    if (config.autoStartWorkers) await internalWorkers.start();
    return { url, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** From now on each connection ends with its next answer: a worker would go on calling over the one that it has. */
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
  // Those whose call was under way at the first look are idle a moment later.
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
