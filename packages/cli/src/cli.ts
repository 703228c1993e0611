/** The command line: the commands, and the options that all of them share. */
import { Command, CommanderError, Option } from 'commander';
import { addArtifacts } from './commands/artifacts.js';
import { addBatch } from './commands/batch.js';
import { addChange } from './commands/change.js';
import { addCompletion } from './commands/completion.js';
import { addContext } from './commands/context.js';
import { addExplain } from './commands/explain.js';
import { addExport } from './commands/export.js';
import { addLogs } from './commands/logs.js';
import { addQueue } from './commands/queue.js';
import { addSchedule } from './commands/schedule.js';
import { addStats } from './commands/stats.js';
import { addSubmit } from './commands/submit.js';
import { addTasks } from './commands/tasks.js';
import { addWait } from './commands/wait.js';
import { addWorkers } from './commands/workers.js';
import { addWorkflow } from './commands/workflow.js';
import { EXIT, EXIT_MEANINGS } from './exit.js';
import { explain, said } from './failures.js';
import { parseDuration } from './input/duration.js';
import { parseApiUrl } from './input/values.js';
import { Terminal } from './output/terminal.js';
import { safe } from './text/safe.js';
import { VERSION } from './version.js';

const EXIT_TEXT = `
Exit codes:
${EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}

Environment: TASK_EXECUTOR_URL, TASK_EXECUTOR_PROFILE, API_HEADERS, NO_COLOR, FORCE_COLOR, XDG_CONFIG_HOME.`;

/** The program; with `silent`, it leaves what is wrong with the command line to whoever catches the error. */
export function createProgram(silent = false): Command {
  const program = new Command('task-executor')
    .description('Submit tasks to Task Executor, follow them, and see what they left.')
    .version(VERSION)
    .configureHelp({ showGlobalOptions: true })
    // Every command inherits this. What commander did not understand may hold anything.
    .configureOutput({
      outputError: (text, write) => { write(text.split('\n').map(safe).join('\n')); },
      ...(silent ? { writeErr: () => undefined } : {}),
    })
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .option(
      '--api-url <url>', 'where the API is (default: TASK_EXECUTOR_URL, else the context in use, else http://127.0.0.1:8000)', parseApiUrl,
    )
    .option('--context <name>', 'the context to use (default: TASK_EXECUTOR_PROFILE, else the one chosen with `context use`)')
    .option(
      '--header <line>', 'a header of every call to the API, `Name: value`; may be repeated (default: API_HEADERS, one a line)',
      (line, before: string[] | undefined) => [...(before ?? []), line],
    )
    .option('--json', 'JSON for programs: one document, or for lists one a line')
    .addOption(new Option('--color', 'colours, whatever the environment says'))
    .addOption(new Option('--no-color', 'no colours').default(undefined))
    .option(
      '--retry-for <duration>',
      'how long to try again while the API is away (default: 5s; once it has answered a command that waits, 10m)', parseDuration,
    )
    .addHelpText('after', EXIT_TEXT);
  for (const add of [
    addSubmit, addTasks, addLogs, addArtifacts, addWait, addChange, addBatch, addWorkflow, addSchedule, addQueue, addExplain,
    addWorkers, addStats, addExport, addContext, addCompletion,
  ]) add(program);
  return program;
}

/** Runs the command that `argv` names, and sets the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  const json = wantsJson(argv);
  try {
    await createProgram(json).parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const explanation = explain(error, null);
    process.exitCode = explanation.exitCode;
    // Commander has said to people what was wrong, or has shown the help that was asked for.
    if (json && explanation.exitCode !== EXIT.ok) new Terminal(false).note(said(json, error, explanation));
  }
}

/** Whether the command line asks for JSON; known before it is understood. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).includes('--json');
}
