/**
 * The life of a worker process: its log, its spool, its signals. The first SIGINT or SIGTERM drains, the second hands
 * everything back and leaves, the third exits; SIGHUP reads the catalog again.
 */
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { gatherMsOf } from '../calls/pace.js';
import { CatalogError, type CatalogProblems } from '../catalog/catalog.js';
import { claimable, tooMany } from '../catalog/claimable.js';
import { Pulses } from '../heartbeat/pulse.js';
import type { RunningWorker, WorkerEnd } from '../running-worker.js';
import { defaultSpoolRoot } from '../spool/default-root.js';
import { Spool } from '../spool/spool.js';
import { startWorker } from '../worker.js';
import { ConfigError, type WorkerConfig } from './config.js';
import { createProcessLog } from './process-log.js';
import { serveStatus, type StatusServer } from './status.js';
import { VERSION } from './version.js';

/** How long the main thread may be blocked once the session is over, before the process ends with what blocks it. */
const STUCK_MS = 15_000;

/** Runs a worker until it leaves. @throws ConfigError */
export async function run(config: WorkerConfig): Promise<WorkerEnd> {
  const log = createProcessLog('task-executor-worker', config.logLevel);
  // Before anything that takes its time: unheard, the signal would end the process.
  const hangUps = obeyHangUps(config, log);
  try {
    return await runWorker(config, log, hangUps.begin);
  } finally {
    hangUps.forget();
  }
}

/** Runs a worker until it leaves; `started` is told of it. @throws ConfigError */
async function runWorker(config: WorkerConfig, log: Logger, started: (worker: RunningWorker) => void): Promise<WorkerEnd> {
  const problems = await globsToClaim(config, log);
  const spool = await openSpool(config, log);
  const worker = startWorker({
    apiUrl: config.apiUrl,
    apiHeaders: config.apiHeaders,
    ...(config.workerId === null ? {} : { workerId: config.workerId }),
    backendType: config.backendType,
    concurrency: config.concurrency,
    problems,
    catalog: config.catalog,
    drainMs: config.drainSeconds * 1000,
    ...(config.maxTasks === null ? {} : { maxTasks: config.maxTasks }),
    ...(config.maxIdleSeconds === null ? {} : { maxIdleMs: config.maxIdleSeconds * 1000 }),
    metadata: { host: hostname(), pid: process.pid, version: VERSION },
    spool,
    pulses: new Pulses({ stuckMs: STUCK_MS }),
    log,
  });
  started(worker);
  const forget = obeySignals(worker, log);
  let status: StatusServer | null = null;
  try {
    if (config.port !== null) {
      status = await serveStatus(worker, { port: config.port, host: config.host });
      log.info({ event: 'serving_status', host: config.host, port: status.port }, 'serving /health and /metrics');
    }
  } catch (error) {
    await worker.release();
    forget();
    throw new ConfigError(`WORKER_PORT (--port) ${config.port ?? ''} cannot be listened on: ${(error as Error).message}`);
  }
  const end = await worker.stopped;
  forget();
  await status?.stop();
  if (end === 'superseded') log.error({ event: 'superseded' }, `another worker has registered as ${config.workerId ?? ''}; give each its own --id, or none`);
  log.info({ event: 'stopped', reason: end }, 'stopped');
  return end;
}

/** The globs to claim, without those of entries that this host has to do without. @throws ConfigError */
async function globsToClaim(config: WorkerConfig, log: Logger): Promise<readonly string[]> {
  leftOut(await config.catalog.omitUnrunnable(), log);
  const { globs, unmet } = claimable(config.catalog, config.problems);
  if (unmet.length > 0) throw new ConfigError(`WORKER_PROBLEMS (--problems) holds ${unmet.join(', ')}: the catalog has no executor for that`);
  // None would stand for all.
  if (globs.length === 0) throw new ConfigError('this host can run nothing of the catalog');
  return globs;
}

async function openSpool({ spoolDir, spoolMaxBytes, apiUrl, concurrency }: WorkerConfig, log: Logger): Promise<Spool> {
  const root = spoolDir ?? (await defaultSpoolRoot(process.env, log));
  try {
    return await Spool.open({ root, apiUrl, maxBytes: spoolMaxBytes, gatherMs: gatherMsOf(concurrency), log });
  } catch (error) {
    throw new ConfigError(`SPOOL_DIR (--spool-dir) ${root} cannot be used: ${(error as Error).message}`);
  }
}

/** The same signal again within this time is the same press of a key: npm passes on to us what the terminal has sent us, too. */
const SAME_PRESS_MS = 300;

/** Obeys SIGINT and SIGTERM until the returned function is called. */
function obeySignals(worker: RunningWorker, log: Logger): () => void {
  let signals = 0;
  let last: { signal: NodeJS.Signals; at: number } | null = null;
  const onEnd = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    const isSamePress = last?.signal === signal && at - last.at < SAME_PRESS_MS;
    last = { signal, at };
    if (isSamePress) return;
    signals += 1;
    if (signals === 1) {
      log.info({ event: 'draining', signal }, 'finishing what runs; a second signal hands it back');
      void worker.drain();
    } else if (signals === 2) {
      log.info({ event: 'releasing', signal }, 'handing back what runs; a third signal exits at once');
      void worker.release();
    } else {
      process.exit(1);
    }
  };
  process.on('SIGINT', onEnd).on('SIGTERM', onEnd);
  return () => {
    process.off('SIGINT', onEnd).off('SIGTERM', onEnd);
  };
}

/** Reads the catalog again at each SIGHUP until `forget` is called: one after another, once `begin` was told of the worker. */
function obeyHangUps(config: WorkerConfig, log: Logger): { begin: (worker: RunningWorker) => void; forget: () => void } {
  let begin: (worker: RunningWorker) => void = () => undefined;
  let reloaded = new Promise<RunningWorker>((resolve) => {
    begin = resolve;
  });
  const onReload = (): void => {
    reloaded = reloaded.then(async (worker) => {
      await reload(worker, config, log);
      return worker;
    });
  };
  process.on('SIGHUP', onReload);
  return {
    begin,
    forget: () => {
      process.off('SIGHUP', onReload);
    },
  };
}

async function reload(worker: RunningWorker, config: WorkerConfig, log: Logger): Promise<void> {
  const { catalog } = config;
  try {
    const reasons = await catalog.reload((next) => {
      offered(next, config);
    });
    const problems = offered(catalog, config);
    worker.offer(problems);
    leftOut(reasons, log);
    log.info({ event: 'catalog_reloaded', problems }, 'the catalog was read again');
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    log.error({ event: 'catalog_refused', error: error.message }, 'the catalog is not taken; what was read before stays');
  }
}

/** The globs to claim of a catalog that is read again. @throws CatalogError where there are none, which would stand for all, or too many */
function offered(catalog: CatalogProblems, config: WorkerConfig): readonly string[] {
  const { globs } = claimable(catalog, config.problems);
  if (globs.length === 0) throw new CatalogError('it has nothing of what WORKER_PROBLEMS (--problems) asks for');
  const excess = tooMany(globs);
  if (excess !== null) throw new CatalogError(excess);
  return globs;
}

function leftOut(reasons: readonly string[], log: Logger): void {
  for (const reason of reasons) log.warn({ event: 'entry_left_out', reason }, 'this host does without an optional entry of the catalog');
}
