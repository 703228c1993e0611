/** `logs`: the log of a task, as it is or as it comes. */
import { LIMITS, LOG_LEVELS } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { defined } from '../defined.js';
import { EXIT } from '../exit.js';
import { followLog, writeLog, type LogFilter, type LogStyle } from '../following.js';
import { idArgument } from '../input/ids.js';
import { wholeNumber } from '../input/values.js';
import { perform } from '../invocation.js';
import { exitCodeOf } from '../waiting.js';

interface Options extends LogFilter {
  readonly follow?: true;
  readonly raw?: true;
}

export function addLogs(program: Command): void {
  const command = program.command('logs').description('show the log of a task').addArgument(idArgument('task'));
  command
    .option('-f, --follow', 'go on until the task has ended; exits with 1 where it did not complete')
    .addOption(new Option('--level <level>', 'only lines of exactly this level').choices(LOG_LEVELS))
    .option('--attempt <number>', 'only lines of this attempt', wholeNumber(1, LIMITS.maxAttemptNumber))
    .option('--raw', 'the messages alone, byte for byte: with the colours, and whatever else the task had in mind for a terminal')
    .action((id: string, options: Options) => perform(command, async (invocation) => {
      const filter: LogFilter = defined({ level: options.level, attempt: options.attempt });
      const style: LogStyle = options.raw === true ? 'raw' : invocation.json ? 'json' : 'people';
      if (options.follow !== true) {
        await writeLog(invocation, id, filter, style);
        return EXIT.ok;
      }
      invocation.onInterrupt = () => `The task goes on. Follow it again: task-executor logs -f ${id}`;
      const task = await followLog(invocation, id, filter, style);
      const why = task.error_details === null ? '' : `: ${task.error_details}`;
      if (!invocation.json) invocation.terminal.note(`${id} is ${task.status}${why}`);
      return exitCodeOf([task]);
    }));
}
