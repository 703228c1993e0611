/** The command line of the worker. */
import { Command, Option } from 'commander';
import { checkCatalog } from '../catalog/catalog-check.js';
import { conformance, scenariosOf, shown } from '../conformance/conformance.js';
import { NotStarted, wordsOf } from '../conformance/program.js';
import type { Level } from '../conformance/rule.js';
import { ConfigError, readConfig } from './config.js';
import { SETTINGS } from './options.js';
import { run } from './run.js';
import { VERSION } from './version.js';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** The code where a restart makes it worse: two workers with one id would take it from each other for ever. */
const EXIT_SUPERSEDED = 3;

/** What is set on the command line or in the environment, by the names of the variables. */
function givenTo(command: Command): NodeJS.ProcessEnv {
  const given: NodeJS.ProcessEnv = {};
  for (const [name, { option }] of SETTINGS) {
    const key = option.slice(2).replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const value = command.getOptionValueSource(key) === 'cli' ? command.opts<Record<string, string | boolean | string[]>>()[key] : process.env[name];
    if (value !== undefined) given[name] = Array.isArray(value) ? value.join('\n') : String(value);
  }
  // No program that a task runs is to have the secret, whatever its catalog entry inherits.
  delete process.env.API_HEADERS;
  return given;
}

async function start(command: Command): Promise<void> {
  try {
    const end = await run(readConfig(givenTo(command)));
    if (end !== 'left') process.exitCode = end === 'superseded' ? EXIT_SUPERSEDED : EXIT_FAILURE;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  }
}

async function check(file: string): Promise<void> {
  const { mistakes, warnings, problems } = await checkCatalog(file);
  for (const line of [...mistakes, ...warnings]) process.stderr.write(`${line}\n`);
  if (mistakes.length > 0) process.exitCode = EXIT_USAGE;
  else process.stdout.write(`${file} is a catalog of ${problems.join(', ')}\n`);
}

async function conform({ cmd, level, patience, atOnce }: { cmd: string; level: Level; patience: string; atOnce: string }): Promise<void> {
  const patienceMs = Number(patience) * 1000;
  const words = wordsOf(cmd);
  const scenarios = scenariosOf(level);
  if (!(patienceMs > 0) || words.length === 0 || !/^[1-9][0-9]?$/.test(atOnce)) {
    process.stderr.write('--patience must be a number of seconds, --at-once a number from 1 to 99, and --cmd a command\n');
    process.exitCode = EXIT_USAGE;
    return;
  }
  let broken = 0;
  try {
    for await (const verdict of conformance({ words, patienceMs }, scenarios, { atOnce: Number(atOnce) })) {
      process.stdout.write(`${shown(verdict)}\n`);
      if (verdict.verdict === 'broken') broken += 1;
    }
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  process.stdout.write(broken === 0 ? `keeps the rules of the ${level} level\n` : `${broken} rules are broken\n`);
  if (broken > 0) process.exitCode = EXIT_FAILURE;
}

export function createCommand(): Command {
  const program = new Command('task-executor-worker').description('A worker of Task Executor.').version(VERSION)
    // For all commands that are added after it.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  const command = program.command('start').description('register with the API and run tasks');
  for (const [name, { option, default: value, meaning, flag, lines }] of SETTINGS) {
    const shown = value === '' || flag === true ? '' : `default: ${value}, `;
    const added = new Option(flag === true ? option : `${option} <value>`, `${meaning} (${shown}env: ${name})`);
    if (lines === true) added.argParser((line, before: string[] | undefined) => [...(before ?? []), line]);
    command.addOption(added);
  }
  command.action(() => start(command));
  program.command('check').description('look through a problem catalog, and at what this host lacks for it')
    .argument('<file>', 'the catalog').action(check);
  program.command('conformance').description('run a worker program, in any language, against a scripted API, and judge it by the rules of docs/protocol.md')
    .requiredOption('--cmd <command>', 'the program and its arguments; it gets API_URL and SPOOL_DIR, and tasks like those of the built-in catalog')
    .addOption(new Option('--level <level>', 'which rules').choices(['basic', 'full']).default('basic'))
    .option('--patience <seconds>', 'how long it may take for whatever it is to do', '30')
    .option('--at-once <count>', 'how many situations to try at a time, each with a program of its own', '1')
    .action(conform);
  return program;
}
