/**
 * Runs a task as a command: an argument vector, never a shell. Parameters arrive as JSON on stdin and in a file; stdout
 * and stderr become log lines; the result is a JSON file that the command writes; its exit code decides.
 */
import { environmentOf } from './environment.js';
import type { Executor } from './executor.js';
import { ARGV_SCHEMA, fromFolder, type ExecutorKind } from './kind.js';
import { programFault } from './process.js';
import { catalogScriptFault } from './script.js';
import { runTaskProgram, type ProgramOptions } from './task-program.js';
import { variablesOf } from './workspace.js';

export interface CommandOptions extends ProgramOptions {
  /** The program and its arguments. */
  readonly argv: readonly string[];
}

/** An executor that runs `options` for each task. */
export function commandExecutor(options: CommandOptions): Executor {
  return async (context) => {
    const workspace = await context.workspace();
    return runTaskProgram(context, workspace, {
      ...options,
      cwd: options.cwd ?? workspace.folder,
      env: environmentOf(options.inherit, { TMPDIR: workspace.temporaryFolder }, options.environment, variablesOf(context.task, workspace)),
      stdin: JSON.stringify(context.task.parameters),
    });
  };
}

export const commandKind: ExecutorKind = {
  schema: ARGV_SCHEMA,
  isLimited: true,
  make: (given: string[], options, folder) => {
    const argv = given.map((word) => fromFolder(folder, word));
    return {
      executor: commandExecutor({ ...options, argv }),
      fault: async () => (await programFault(argv[0] ?? '', options)) ?? catalogScriptFault(given, folder),
    };
  },
};
