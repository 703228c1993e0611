/**
 * The life of a serving process: PostgreSQL where it runs embedded, the server, signals. The first SIGINT or SIGTERM stops
 * everything in good order; a second one exits at once.
 */
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import { createProcessLog } from '@task-executor/worker';
import type { Logger } from 'pino';
import { ENVIRONMENT, type ApiConfig } from './config.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { startServer, type RunningServer } from './server.js';

/** Thrown where the pid file cannot be written; its message says what to do. */
export class PidFileError extends Error {}

function banner({ url, port }: { url: string; port: number }): string {
  return [
    '',
    `  Task Executor   ${url}`,
    `  Docs            ${url}/docs   ${url}/redoc   ${url}/openapi.yaml`,
    `  Metrics         ${url}/metrics`,
    '  A first task:',
    `    curl -s ${url}/api/v1/tasks -H 'Content-Type: application/json' -d '{"problem_id": "test-hello", "parameters": {"max_steps": 30}}'`,
    // The command line finds the API by itself at its usual port alone.
    ...(port === Number(ENVIRONMENT.PORT.default) ? [] : ['  For the command line:', `    export TASK_EXECUTOR_URL=${url}`]),
    '', '',
  ].join('\n');
}

/** Serves until a signal comes. @throws what keeps it from starting */
export async function serve(config: ApiConfig): Promise<void> {
  const log = createProcessLog('task-executor-api', config.logLevel);
  const stopping = new AbortController();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    log.info({ event: 'stopping', signal }, 'stopping; a second signal exits at once');
    stopping.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  if (!['127.0.0.1', 'localhost', '::1'].includes(config.host)) {
    log.warn(
      { event: 'exposed', host: config.host },
      'listening beyond loopback: there is no authentication, so whoever reaches this port may do everything',
    );
  }
  const pidFile = join(config.dataDir, 'api.pid');
  let embedded: EmbeddedPostgres | null = null;
  let server: RunningServer | null = null;
  try {
    if (config.databaseUrl === null) {
      embedded = await startEmbeddedPostgres({
        dataDir: config.dataDir,
        log: (line) => {
          log.info({ event: 'embedded_postgres' }, line);
        },
        stopping: stopping.signal,
      });
    }
    server = await startServer({ config, databaseUrl: config.databaseUrl ?? embedded?.url ?? '', log, stopping: stopping.signal });
    await writePidFile(pidFile, config, log);
    log.info({ event: 'listening', url: server.url }, 'ready');
    process.stderr.write(banner(server));
    if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  } catch (error) {
    // A signal that comes while it starts breaks the start off.
    if (!(stopping.signal.aborted && error instanceof Error && error.name === 'AbortError')) throw error;
  } finally {
    await server?.stop();
    await removePidFile(pidFile);
    await embedded?.stop();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
  log.info({ event: 'stopped' }, 'stopped');
}

/** Writes the pid file. With a database of its own an API has to be found by what ends it; with another's it needs no data folder. */
async function writePidFile(path: string, { dataDir, databaseUrl }: ApiConfig, log: Logger): Promise<void> {
  try {
    await makeFolder(dataDir);
    await writeFile(path, `${process.pid}\n`);
  } catch (error) {
    if (databaseUrl === null) {
      throw new PidFileError(`The pid file ${path} cannot be written (${String(error)}): set DATA_DIR to a folder where it can.`);
    }
    log.warn({ event: 'pid_file_failed', error: String(error) }, 'the pid file cannot be written: scripts do not find this process');
  }
}

/** Removes the pid file, unless it is that of another replica with the same folder. */
async function removePidFile(path: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === `${process.pid}\n`) await rm(path, { force: true });
}
