/**
 * The life of a serving process: PostgreSQL where it runs embedded, the server, signals. The first SIGINT or SIGTERM stops
 * everything in good order; a second one exits at once.
 */
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import { createProcessLog } from '@task-executor/worker';
import { ENVIRONMENT, type ApiConfig } from './config.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { startServer } from './server.js';

function banner({ url, port }: { url: string; port: number }): string {
  return [
    '',
    `  Task Executor   ${url}`,
    `  Docs            ${url}/docs   ${url}/redoc   ${url}/openapi.yaml`,
    `  Metrics         ${url}/metrics`,
    '  A first task:',
    `    curl -s ${url}/api/v1/tasks -H 'Content-Type: application/json' -d '{"problem_id": "test-hello", "parameters": {"max_steps": 30}}'`,
    // Where it would not find the API by itself.
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
    log.warn({ event: 'exposed', host: config.host }, 'listening beyond loopback: there is no authentication, so whoever reaches this port may do everything');
  }
  const embedded = config.databaseUrl === null ? await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log: (line) => {
      log.info({ event: 'embedded_postgres' }, line);
    },
  }) : null;
  try {
    const server = await startServer({ config, databaseUrl: config.databaseUrl ?? embedded?.url ?? '', log, stopping: stopping.signal });
    await makeFolder(config.dataDir);
    const pidFile = join(config.dataDir, 'api.pid');
    await writeFile(pidFile, `${process.pid}\n`);
    log.info({ event: 'listening', url: server.url }, 'ready');
    process.stderr.write(banner(server));
    if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
    await server.stop();
    await rm(pidFile, { force: true });
  } finally {
    await embedded?.stop();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
  log.info({ event: 'stopped' }, 'stopped');
}
