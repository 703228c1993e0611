/** `wait`: waits until tasks have ended. */
import type { components } from '@task-executor/shared';
import type { Command } from 'commander';
import { EXIT, Failure, type ExitCode } from '../exit.js';
import { parseDuration } from '../input/duration.js';
import { taskIds } from '../input/ids.js';
import { readLines } from '../input/lines.js';
import { perform, type Invocation } from '../invocation.js';
import { tableOf } from '../output/table.js';
import { TASKS } from '../output/tasks.js';
import type { Terminal } from '../output/terminal.js';
import { deadlineIn, exitCodeOf, untilAllEnded } from '../waiting.js';

const MOST_SHOWN = 20;
const STDIN = '-';

export function addWait(program: Command): void {
  const command = program.command('wait').description('wait until tasks have ended; exits with 1 where one did not complete');
  command
    .argument('<ids...>', 'ids of tasks; - reads them from stdin, one a line', taskIds((text) => text === STDIN))
    .option('--for <duration>', 'give up after this time, with exit code 7; the tasks go on', parseDuration)
    .action((ids: string[], options: { for?: number }) => perform(command, (invocation) => wait(invocation, ids, options.for)));
}

async function wait(invocation: Invocation, given: readonly string[], seconds: number | undefined): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const ids = given.includes(STDIN) ? await withStdin(terminal, given.filter((id) => id !== STDIN)) : given;
  const ended = new Map<string, components['schemas']['Task']>();
  invocation.onInterrupt = () => `The tasks go on. Wait for those that have not ended again: task-executor wait ${unended(ids, ended)}`;
  await untilAllEnded(invocation, ids, deadlineIn(seconds), async (task) => {
    ended.set(task.id, task);
    if (json) await terminal.jsonLine(task);
  });
  if (!json && ended.size > 0) await terminal.rendered(tableOf([...ended.values()], TASKS, terminal.layout));
  return exitCodeOf(ended.values());
}

/** The ids that are `given`, and those that stdin names; each once. */
async function withStdin(terminal: Terminal, given: readonly string[]): Promise<readonly string[]> {
  const lines = await readLines();
  if (lines.length === 0) terminal.note('stdin names no task.');
  const add = taskIds();
  return lines.reduce((ids, line) => {
    try {
      return add(line, ids);
    } catch (error) {
      throw new Failure(EXIT.usage, `"${line}" in stdin: ${(error as Error).message}`);
    }
  }, given);
}

function unended(ids: readonly string[], ended: ReadonlyMap<string, unknown>): string {
  const left = ids.filter((id) => !ended.has(id));
  return left.length > MOST_SHOWN ? `${left.slice(0, MOST_SHOWN).join(' ')} ...` : left.join(' ');
}
