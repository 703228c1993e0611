/** `completion`: a script that teaches a shell the commands and options. */
import { Argument, type Command } from 'commander';
import { completionFor, SHELLS, type Shell } from '../completion.js';
import { performLocally } from '../invocation.js';

const USE = `
To use it now: source <(task-executor completion bash), or task-executor completion fish | source. Put that line where your shell starts.`;

export function addCompletion(program: Command): void {
  const command = program.command('completion').description('print a completion script for a shell');
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', USE)
    .action((shell: Shell) => performLocally(command, ({ terminal }) => terminal.write(completionFor(shell, program))));
}
