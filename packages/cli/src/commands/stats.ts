/** `stats`: how many tasks there are, said once or again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { components } from '@task-executor/shared';
import { InvalidArgumentError, type Command } from 'commander';
import { parseDuration } from '../input/duration.js';
import { perform, type Invocation } from '../invocation.js';
import { renderFields, renderTable, type Column, type Fields } from '../output/table.js';
import { count } from '../text/amounts.js';
import { duration } from '../text/time.js';

type Stats = components['schemas']['TaskStats'];

const DEFAULT_WATCH_SECONDS = 2;
const LEAST_WATCH_SECONDS = 0.2;
const MOST_PROBLEMS = 20;
const COLUMNS: readonly Column[] = [{ title: 'PROBLEM', gives: true }, { title: 'TASKS', align: 'right' }];
/** Clears a terminal, with what has been scrolled over, and goes to its top. */
const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

export function addStats(program: Command): void {
  const command = program.command('stats').description('count tasks by status and problem');
  command
    .option('--watch [duration]', `again and again, every ${DEFAULT_WATCH_SECONDS} s unless said otherwise, until Ctrl-C`, parseInterval)
    .action((options: { watch?: number | true }) => perform(command, async (invocation) => {
      const everySeconds = options.watch === true ? DEFAULT_WATCH_SECONDS : options.watch;
      await showStats(invocation, everySeconds !== undefined);
      while (everySeconds !== undefined) {
        invocation.bePatient();
        await sleep(everySeconds * 1000, undefined, { signal: invocation.interrupted });
        await showStats(invocation, true);
      }
    }));
}

function parseInterval(text: string): number {
  const seconds = parseDuration(text);
  if (seconds < LEAST_WATCH_SECONDS) throw new InvalidArgumentError(`It must be at least ${LEAST_WATCH_SECONDS} s.`);
  return seconds;
}

async function showStats({ client, terminal, json }: Invocation, again: boolean): Promise<void> {
  const stats = await client.taskStats();
  if (json) {
    await (again ? terminal.jsonLine(stats) : terminal.json(stats));
    return;
  }
  const problems = Object.entries(stats.tasks_by_problem).sort(([, one], [, other]) => other - one);
  const shown = problems.slice(0, MOST_PROBLEMS).map(([problem, tasks]) => [problem, count(tasks)]);
  const parts = [renderFields(fieldsOf(stats), terminal.colours)];
  if (shown.length > 0) parts.push(renderTable(COLUMNS, shown, terminal.layout));
  if (problems.length > shown.length) parts.push(`and ${count(problems.length - shown.length)} more problems: --json shows them`);
  await terminal.rendered(`${again && terminal.watched ? CLEAR : ''}${parts.join('\n\n')}`);
}

function fieldsOf(stats: Stats): Fields {
  return [
    ['pending', count(stats.pending_tasks)],
    ['running', { text: count(stats.running_tasks), colour: 'cyan' }],
    ['completed', { text: count(stats.completed_tasks), colour: 'green' }],
    ['failed', { text: count(stats.failed_tasks), colour: 'red' }],
    ['timeout', { text: count(stats.timeout_tasks), colour: 'magenta' }],
    ['cancelled', { text: count(stats.cancelled_tasks), colour: 'yellow' }],
    ['all', count(stats.total_tasks)],
    ['success', `${(Math.floor(stats.success_rate * 1000) / 10).toFixed(1)} %`],
    ['mean time', duration(stats.avg_execution_time)],
  ];
}
