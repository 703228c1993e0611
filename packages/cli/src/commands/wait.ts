/** `wait`: until tasks have ended. */
import type { components } from '@task-executor/shared';
import type { Command } from 'commander';
import { readLines } from '../input/lines.js';
import { parseDuration } from '../input/duration.js';
import { perform, type Invocation } from '../invocation.js';
import { renderTable } from '../output/table.js';
import { TASK_COLUMNS, taskRow } from '../output/tasks.js';
import type { ExitCode } from '../exit.js';
import { deadlineIn, exitCodeOf, untilAllEnded } from '../waiting.js';

export function addWait(program: Command): void {
  const command = program.command('wait').description('wait until tasks have ended; exits with 1 where one did not complete').argument('<ids...>', 'ids of tasks; - reads them from stdin, one a line');
  command
    .option('--for <duration>', 'give up after this time, with exit code 7; the tasks go on', parseDuration)
    .action((ids: string[], options: { for?: number }) => perform(command, (invocation) => wait(invocation, ids, options.for)));
}

async function wait(invocation: Invocation, given: readonly string[], seconds: number | undefined): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const ids = given.includes('-') ? await readLines() : [...new Set(given)];
  const ended = new Map<string, components['schemas']['Task']>();
  invocation.onInterrupt = () => `The tasks go on. Wait for those that have not ended again: task-executor wait ${unended(ids, ended)}`;
  await untilAllEnded(invocation, ids, deadlineIn(seconds), async (task) => {
    ended.set(task.id, task);
    if (json) await terminal.jsonLine(task);
  });
  const now = Date.now();
  if (!json && ended.size > 0) await terminal.rendered(renderTable(TASK_COLUMNS, [...ended.values()].map((task) => taskRow(task, now)), terminal.layout));
  return exitCodeOf(ended.values());
}

const MOST_SHOWN = 20;

function unended(ids: readonly string[], ended: ReadonlyMap<string, unknown>): string {
  const left = ids.filter((id) => !ended.has(id));
  return left.length > MOST_SHOWN ? `${left.slice(0, MOST_SHOWN).join(' ')} ...` : left.join(' ');
}
