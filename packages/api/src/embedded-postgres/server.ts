/**
 * Starts the server process: on loopback TCP alone, in a session of its own. The terminal's Ctrl-C goes to the whole
 * foreground process group; the server must outlive the API's draining and is stopped by it at the very end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programOptions } from './cluster.js';
import { EmbeddedPostgresError } from './error.js';
import { lastComplaint, openLogFile } from './log-file.js';
import type { Places } from './places.js';
import { findPostmaster, readPidFile, type Postmaster } from './postmaster.js';

/** Recovery after a crash replays the log since the last checkpoint (at most 1 GB of it): seconds, on a slow disk minutes. */
const START_TIMEOUT_MS = 300_000;
const PORT_ATTEMPTS = 5;
/** How long a server that is broken off before it was ready has to end. */
const BREAK_OFF_MS = 10_000;

export type Settings = Readonly<Record<string, string | number>>;

const SETTINGS: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  fsync: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Statements hold users' parameters: the log tells what went wrong, not in which statement.
  log_min_messages: 'warning',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};

export interface ServerOptions {
  readonly logFile: string;
  readonly settings: Settings;
  /** 0 takes any free port. */
  readonly port: number;
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Starts the server on the cluster and waits until it accepts connections. @throws EmbeddedPostgresError; and once `stopping` aborts, when
 * the server has ended
 */
export async function startServer(places: Places, options: ServerOptions): Promise<Postmaster> {
  // PostgreSQL takes a stale postmaster.pid for a live one when its process number was given to another process of ours.
  if ((await findPostmaster(places.cluster)) === null) await rm(join(places.cluster, 'postmaster.pid'), { force: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port === 0 ? await freePort() : options.port;
    const started = await launch(places, port, options);
    if ('pid' in started) return started;
    // The port was free a moment ago; with any other reason a second try would fail alike.
    if (options.port !== 0 || attempt === PORT_ATTEMPTS || !/address|listen/i.test(started.complaint)) {
      throw new EmbeddedPostgresError(`The embedded PostgreSQL did not start (${started.complaint.trim()}): see ${options.logFile}.`);
    }
  }
}

async function launch(places: Places, port: number, options: ServerOptions): Promise<Postmaster | { complaint: string }> {
  const settings = Object.entries({ ...SETTINGS, ...options.settings, port });
  const log = await openLogFile(options.logFile);
  const ended = { why: '' };
  try {
    const child = spawn(
      places.binaries.postgres,
      ['-D', places.cluster, ...settings.flatMap(([name, value]) => ['-c', `${name}=${String(value)}`])],
      { ...programOptions(places.account), detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    child.once('exit', (code, signal) => (ended.why = `it ended with ${signal ?? `code ${String(code)}`}`));
    child.once('error', (error) => (ended.why = error.message));
    child.unref();
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (ended.why === '') {
      const found = await readPidFile(places.cluster);
      if (found?.pid === child.pid && found?.status === 'ready') return found;
      if (performance.now() > deadline) {
        child.kill('SIGQUIT');
        return { complaint: `not ready after ${String(START_TIMEOUT_MS / 1000)} seconds` };
      }
      if (options.stopping?.aborted === true) {
        await breakOff(child);
        options.stopping.throwIfAborted();
      }
      await sleep(10);
    }
    return { complaint: (await lastComplaint(options.logFile)) || ended.why };
  } finally {
    await log.close();
  }
}

/** Ends a server that may have no postmaster.pid yet. A child keeps its number until we hear of its end, so it is known by that. */
async function breakOff(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGQUIT'), BREAK_OFF_MS);
  await exited;
  clearTimeout(late);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
