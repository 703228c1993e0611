/** The command line of the worker. The first signal drains, the second hands everything back and leaves, the third exits. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { checkCatalog } from './catalog-check.js';
import { ConfigError, ENVIRONMENT, readConfig, type WorkerConfig } from './config.js';
import { startWorker, type RunningWorker } from './worker.js';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

function createLog(level: string): Logger {
  const options = { level, base: { service: 'task-executor-worker' }, timestamp: pino.stdTimeFunctions.isoTime };
  if (process.stdout.isTTY) return pino(options, pretty({ sync: true, ignore: 'service,pid,hostname', translateTime: 'HH:MM:ss.l' }));
  return pino(options, pino.destination({ fd: 1, sync: true }));
}

function leaveOnSignals(worker: RunningWorker, log: Logger): () => void {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals === 1) {
      log.info({ event: 'draining', signal }, 'finishing what runs; a second signal hands it back');
      void worker.drain();
    } else if (signals === 2) {
      log.info({ event: 'releasing', signal }, 'handing back what runs; a third signal exits at once');
      void worker.release();
    } else {
      process.exit(EXIT_FAILURE);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}

async function start(options: Record<string, string>): Promise<void> {
  const config = readConfig(options);
  const log = createLog(config.logLevel);
  const problems = await settle(config, log);
  const worker = startWorker({
    apiUrl: config.apiUrl,
    ...(config.workerId === null ? {} : { workerId: config.workerId }),
    backendType: config.backendType,
    concurrency: config.concurrency,
    problems,
    catalog: config.catalog,
    drainMs: config.drainSeconds * 1000,
    metadata: { host: hostname(), pid: process.pid, version },
    log,
  });
  const restore = leaveOnSignals(worker, log);
  const end = await worker.stopped;
  restore();
  if (end === 'superseded') log.error({ event: 'superseded' }, `another worker has registered as ${config.workerId ?? ''}; give each its own --id, or none`);
  if (end !== 'left') process.exitCode = EXIT_FAILURE;
  log.info({ event: 'stopped', reason: end }, 'stopped');
}

/** The globs to claim, without those of entries that this host has to do without. */
async function settle({ catalog, problems }: WorkerConfig, log: Logger): Promise<readonly string[]> {
  const before = catalog.problems;
  for (const reason of await catalog.settle()) log.warn({ event: 'entry_left_out', reason }, 'this host does without an optional entry of the catalog');
  const left = problems.filter((glob) => !before.includes(glob) || catalog.problems.includes(glob));
  // None would stand for all.
  if (left.length === 0) throw new ConfigError('this host can run nothing of the catalog');
  return left;
}

async function check(file: string): Promise<void> {
  const { mistakes, warnings, problems } = await checkCatalog(file);
  for (const line of [...mistakes, ...warnings.map((warning) => `warning: ${warning}`)]) process.stderr.write(`${line}\n`);
  if (mistakes.length > 0) process.exitCode = EXIT_USAGE;
  else process.stdout.write(`${file} is a catalog of ${problems.join(', ')}\n`);
}

export function createCommand(): Command {
  const program = new Command('task-executor-worker').description('A worker of Task Executor.').version(version);
  const command = program.command('start').description('register with the API and run tasks');
  for (const [name, variable] of Object.entries(ENVIRONMENT)) {
    const shown = variable.default === '' ? '' : ` (default: ${variable.default})`;
    command.addOption(new Option(`${variable.option} <value>`, variable.meaning + shown).env(name));
  }
  command.action(async () => {
    const given = command.opts<Record<string, string>>();
    const options: Record<string, string> = {};
    for (const [name, variable] of Object.entries(ENVIRONMENT)) {
      const key = variable.option.slice(2).replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
      const value = given[key];
      if (value !== undefined) options[name] = value;
    }
    try {
      await start(options);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = EXIT_USAGE;
    }
  });
  program.command('check').description('look through a problem catalog, and at what this host lacks for it')
    .argument('<file>', 'the catalog').action(check);
  return program;
}
