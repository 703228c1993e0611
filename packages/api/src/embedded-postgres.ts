/**
 * A PostgreSQL server of our own, for machines that have only Node: real server programs from npm, data in
 * `<dataDir>/postgres`. One API process owns it: it starts it, or takes over the one that a killed API left running, and
 * stops it at its end. Every way in which that can fail is an EmbeddedPostgresError with one line that says what to do.
 */
import { readlink, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import pg from 'pg';
import { findBinaries } from './embedded-postgres/binaries.js';
import { prepareCluster, SUPERUSER } from './embedded-postgres/cluster.js';
import { EmbeddedPostgresError, reason } from './embedded-postgres/error.js';
import { takeLock } from './embedded-postgres/lock.js';
import { keepBounded } from './embedded-postgres/log-file.js';
import { choosePlaces } from './embedded-postgres/places.js';
import { endPostmaster, findPostmaster, type Postmaster } from './embedded-postgres/postmaster.js';
import { waitForEnd } from './embedded-postgres/processes.js';
import { startServer, type Settings } from './embedded-postgres/server.js';

export { EmbeddedPostgresError };

export interface EmbeddedPostgresOptions {
  /** The folder for the data, the password, the lock and the log; made where it is missing. */
  readonly dataDir: string;
  /** Told what happens, one line at a time. */
  readonly log?: (line: string) => void;
  /** 0 or absent takes any free port. A server that is taken over keeps its own. */
  readonly port?: number;
  /** Server settings on top of ours, for instance `{ max_connections: 300 }`. */
  readonly settings?: Settings;
}

export interface EmbeddedPostgres {
  /** Connection URL of the database `task_executor`. */
  readonly url: string;
  readonly port: number;
  /** Shuts the server down and waits for its end, at most 40 seconds. May be called again. */
  stop(): Promise<void>;
}

const DATABASE = 'task_executor';
const STOPPING_MS = 60_000;

/** Starts the server of `dataDir`, or takes over the one that runs there. @throws EmbeddedPostgresError */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  const { dataDir, unlock } = await own(options.dataDir);
  const logFile = join(dataDir, 'postgres.log');
  let server: Postmaster | null = null;
  try {
    const places = await choosePlaces(dataDir, await findBinaries());
    const password = await prepareCluster(dataDir, places);
    server = await takeOver(places.cluster, log);
    server ??= await startServer(places, { logFile, settings: options.settings ?? {}, port: options.port ?? 0 });
    await createDatabase(server.port, password);
    return running(server, password, unlock, log, keepBounded(logFile));
  } catch (error) {
    if (server !== null) await endPostmaster(server.pid, log);
    await unlock();
    throw error instanceof EmbeddedPostgresError ? error : new EmbeddedPostgresError(`The embedded PostgreSQL did not start: ${reason(error)}`);
  }
}

/** Deletes the data of `dataDir` for good, stopping a server that was left running. @throws EmbeddedPostgresError while it is in use */
export async function removeEmbeddedPostgres(folder: string): Promise<void> {
  const { dataDir, unlock } = await own(folder);
  try {
    const cluster = join(dataDir, 'postgres');
    const elsewhere = await readlink(cluster).catch(() => null);
    const left = await findPostmaster(elsewhere ?? cluster);
    if (left !== null) await endPostmaster(left.pid, () => undefined);
    if (elsewhere !== null) await rm(dirname(elsewhere), { recursive: true, force: true });
    for (const path of [cluster, `${cluster}.password`]) await rm(path, { recursive: true, force: true });
  } finally {
    await unlock();
  }
}

/** Makes the data folder where it is missing and takes its lock. */
async function own(folder: string): Promise<{ dataDir: string; unlock: () => Promise<void> }> {
  const wanted = resolve(folder);
  const dataDir = await makeFolder(wanted).then(() => realpath(wanted)).catch((error: unknown) => {
    throw new EmbeddedPostgresError(`The data folder ${wanted} cannot be made (${reason(error)}): set DATA_DIR to one that can be written.`);
  });
  const unlock = await takeLock(dataDir).catch((error: unknown) => {
    if (error instanceof EmbeddedPostgresError) throw error;
    throw new EmbeddedPostgresError(`The data folder ${dataDir} cannot be written (${reason(error)}): set DATA_DIR to one that can.`);
  });
  return { dataDir, unlock };
}

/** The server that a killed API left running, once it is ready; null when there is none, or when it was just stopping. */
async function takeOver(cluster: string, log: (line: string) => void): Promise<Postmaster | null> {
  const deadline = performance.now() + STOPPING_MS;
  for (;;) {
    const found = await findPostmaster(cluster);
    if (found === null) return null;
    if (found.status === 'ready') {
      log(`taking over the embedded PostgreSQL that was left running (process ${String(found.pid)})`);
      return found;
    }
    await waitForEnd(found.pid, found.status === 'stopping' ? STOPPING_MS : 100);
    if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(`The PostgreSQL in ${cluster} (process ${String(found.pid)}) neither starts nor stops: kill it and start again.`);
    }
  }
}

/** Makes our database where it is missing. It is made here, not by initdb: a start killed in between is made good. */
async function createDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: SUPERUSER, password, database: 'postgres', connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE} ENCODING 'UTF8' TEMPLATE template0`);
  } finally {
    await client.end();
  }
}

function running(
  server: Postmaster,
  password: string,
  unlock: () => Promise<void>,
  log: (line: string) => void,
  stopBounding: () => void,
): EmbeddedPostgres {
  // The last resort where the API ends without stop(), by an uncaught error for instance: no server is left behind.
  const atExit = (): void => {
    try {
      process.kill(server.pid, 'SIGINT');
    } catch {
      // It has ended already.
    }
  };
  process.once('exit', atExit);
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    stopBounding();
    await endPostmaster(server.pid, log);
    process.removeListener('exit', atExit);
    await unlock();
  };
  return {
    url: `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${String(server.port)}/${DATABASE}`,
    port: server.port,
    stop: () => (stopped ??= stop()),
  };
}
