/**
 * A PostgreSQL server of our own, for machines that have only Node: real server programs from npm, data in
 * `<dataDir>/postgres`. One API process owns it: it starts it, or takes over the one that a killed API left running, starts it
 * again where it ended by itself, and stops it at its end. Every way in which that can fail is an EmbeddedPostgresError with one
 * line that says what to do.
 */
import { readlink, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import pg from 'pg';
import { findBinaries } from './embedded-postgres/binaries.js';
import { prepareCluster, SUPERUSER } from './embedded-postgres/cluster.js';
import { EmbeddedPostgresError, reason } from './embedded-postgres/error.js';
import { Keeper } from './embedded-postgres/keeper.js';
import { takeLock } from './embedded-postgres/lock.js';
import { keepBounded } from './embedded-postgres/log-file.js';
import { choosePlaces, type Places } from './embedded-postgres/places.js';
import { endPostmaster, endPostmasterNow, findPostmaster, type Postmaster } from './embedded-postgres/postmaster.js';
import { waitForEnd } from './embedded-postgres/processes.js';
import { startServer, type ServerOptions, type Settings } from './embedded-postgres/server.js';

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
  /** Aborts when a start that is under way is to be broken off. */
  readonly stopping?: AbortSignal;
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

/**
 * Starts the server of `dataDir`, or takes over the one that runs there.
 * @throws EmbeddedPostgresError; an AbortError once `stopping` aborts
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log = () => undefined, stopping } = options;
  const { dataDir, unlock } = await own(options.dataDir);
  const logFile = join(dataDir, 'postgres.log');
  let places: Places | null = null;
  let server: Postmaster | null = null;
  try {
    places = await choosePlaces(dataDir, await findBinaries());
    const password = await prepareCluster(dataDir, places);
    server = await takeOver(places.cluster, log, stopping);
    const how = { logFile, settings: options.settings ?? {}, port: options.port ?? 0 };
    server ??= await startServer(places, { ...how, stopping });
    await createDatabase(server.port, password);
    stopping?.throwIfAborted();
    return running({ server, places, how, password, unlock, log });
  } catch (error) {
    if (places !== null && server !== null) await endPostmaster(server.pid, places.cluster, log);
    await unlock();
    // A signal of the terminal goes to what is run here, too, and makes it fail.
    stopping?.throwIfAborted();
    if (error instanceof EmbeddedPostgresError) throw error;
    throw new EmbeddedPostgresError(`The embedded PostgreSQL did not start: ${reason(error)}`);
  }
}

/** Deletes the data of `dataDir` for good, stopping a server that was left running. @throws EmbeddedPostgresError while it is in use */
export async function removeEmbeddedPostgres(folder: string): Promise<void> {
  const { dataDir, unlock } = await own(folder);
  try {
    const cluster = join(dataDir, 'postgres');
    const elsewhere = await readlink(cluster).catch(() => null);
    const left = await findPostmaster(elsewhere ?? cluster);
    if (left !== null) await endPostmaster(left.pid, elsewhere ?? cluster, () => undefined);
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
async function takeOver(cluster: string, log: (line: string) => void, stopping?: AbortSignal): Promise<Postmaster | null> {
  const deadline = performance.now() + STOPPING_MS;
  for (;;) {
    stopping?.throwIfAborted();
    const found = await findPostmaster(cluster);
    if (found === null) return null;
    if (found.status === 'ready') {
      log(`taking over the embedded PostgreSQL that was left running (process ${String(found.pid)})`);
      return found;
    }
    await waitForEnd(found.pid, found.status === 'stopping' ? STOPPING_MS : 100, stopping);
    if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(`The PostgreSQL in ${cluster} (process ${String(found.pid)}) neither starts nor stops: kill it and start again.`);
    }
  }
}

/** Makes our database where it is missing: each start looks, since an earlier one may have been killed before it did. */
async function createDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1', port, user: SUPERUSER, password, database: 'postgres', connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE} ENCODING 'UTF8' TEMPLATE template0`);
  } finally {
    await client.end();
  }
}

interface RunningParts {
  readonly server: Postmaster;
  readonly places: Places;
  /** The options to start it again with. */
  readonly how: ServerOptions;
  readonly password: string;
  readonly unlock: () => Promise<void>;
  readonly log: (line: string) => void;
}

function running({ server, places, how, password, unlock, log }: RunningParts): EmbeddedPostgres {
  const { cluster } = places;
  const { port } = server;
  const stopBounding = keepBounded(how.logFile);
  const keeper = new Keeper({
    server, cluster, logFile: how.logFile, log,
    start: (stopping) => startServer(places, { ...how, port, stopping }),
  });
  keeper.start();
  // The last resort where the API ends without stop(), by an uncaught error for instance: no server is left behind.
  const atExit = (): void => {
    endPostmasterNow(cluster);
  };
  process.once('exit', atExit);
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    stopBounding();
    const { pid } = await keeper.stop();
    await endPostmaster(pid, cluster, log);
    process.removeListener('exit', atExit);
    await unlock();
  };
  return {
    url: `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${String(port)}/${DATABASE}`,
    port,
    stop: () => (stopped ??= stop()),
  };
}
