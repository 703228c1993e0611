/** `limit`, `pause`, `resume`, `pauses`: what holds tasks back because somebody said so. */
import { LIMITS, type components } from '@task-executor/shared';
import type { Command } from 'commander';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { wholeNumber } from '../input/values.js';
import { perform } from '../invocation.js';
import { renderTable, type Cell, type Column } from '../output/table.js';
import { ago, count } from '../text/time.js';

type Limit = components['schemas']['Limit'];
type Pause = components['schemas']['Pause'];

const maxRunning = wholeNumber(1, LIMITS.maxLimitRunning);

export function addQueue(program: Command): void {
  const limit = program.command('limit').description('how many tasks may run at a time');

  const create = limit.command('create').description('limit how many tasks run at a time; prints the id of the limit');
  addKeyOption(create, 'creates nothing and gives the same limit')
    .argument('<key>', 'what is counted: problem_id, backend_type, or label:KEY')
    .requiredOption('--max-running <number>', 'how many may run at a time', maxRunning)
    .option('--value <text>', 'the one value that it is about; without, each value has the limit for itself')
    .action((key: string, options: KeyOptions & { maxRunning: number; value?: string }) => perform(create, async (invocation) => {
      const { client, terminal, json } = invocation;
      const wanted = { key, max_running: options.maxRunning, ...(options.value === undefined ? {} : { value: options.value }) };
      const created = await client.createLimit(wanted, keyFor(invocation, options, 'the limit was created'));
      if (json) await terminal.json(created);
      else await terminal.line(created.id);
    }));

  const list = limit.command('list').description('list limits and what counts under them');
  list.action(() => perform(list, async ({ client, terminal, json }) => {
    const { limits } = await client.listLimits();
    if (json) for (const one of limits) await terminal.jsonLine(one);
    else if (limits.length > 0) await terminal.rendered(renderTable(LIMIT_COLUMNS, limits.map(limitRow), terminal.layout));
    else terminal.note('There is no limit.');
  }));

  const change = limit.command('change').description('change a limit').argument('<id>', 'the id of a limit');
  change
    .requiredOption('--max-running <number>', 'how many may run at a time', maxRunning)
    .action((id: string, options: { maxRunning: number }) => perform(change, async ({ client, terminal, json }) => {
      const changed = await client.changeLimit(id, { max_running: options.maxRunning });
      if (json) await terminal.json(changed);
      else await terminal.rendered(renderTable(LIMIT_COLUMNS, [limitRow(changed)], terminal.layout));
    }));

  const remove = limit.command('delete').description('remove a limit').argument('<id>', 'the id of a limit');
  remove.action((id: string) => perform(remove, async ({ client, terminal, json }) => {
    await client.deleteLimit(id);
    if (!json) await terminal.line(id);
  }));

  const pause = program.command('pause').description('pause a problem, or the whole queue: what runs goes on, nothing new begins').argument('[problem]', 'the problem; without it, everything');
  pause.option('--reason <text>', 'shown to whoever asks why').action((problem: string | undefined, options: { reason?: string }) => perform(pause, async ({ client, terminal, json }) => {
    const paused = await client.pause({ ...(problem === undefined ? {} : { problem_id: problem }), ...options });
    if (json) await terminal.json(paused);
    else await terminal.line(`Paused ${problem ?? 'the whole queue'}.`);
  }));

  const resume = program.command('resume').description('resume a problem, or the whole queue').argument('[problem]', 'the problem; without it, the pause of the whole queue');
  resume.action((problem: string | undefined) => perform(resume, async ({ client, terminal, json }) => {
    const answer = await client.resume(problem === undefined ? {} : { problem_id: problem });
    const what = problem ?? 'the whole queue';
    if (json) await terminal.json(answer);
    else await terminal.line(answer.resumed ? `Resumed ${what}.` : `Nothing to do: ${what} was not paused.`);
  }));

  const pauses = program.command('pauses').description('list what is paused');
  pauses.action(() => perform(pauses, async ({ client, terminal, json }) => {
    const found = await client.listPauses();
    if (json) for (const one of found.pauses) await terminal.jsonLine(one);
    else if (found.pauses.length > 0) await terminal.rendered(renderTable(PAUSE_COLUMNS, pauseRows(found.pauses), terminal.layout));
    else terminal.note('Nothing is paused.');
  }));
}

export const LIMIT_COLUMNS: readonly Column[] = [{ title: 'ID' }, { title: 'KEY' }, { title: 'VALUE' }, { title: 'MAX', align: 'right' }, { title: 'RUNNING', gives: true }];
export const PAUSE_COLUMNS: readonly Column[] = [{ title: 'PROBLEM' }, { title: 'PAUSED' }, { title: 'REASON', gives: true }];

export function limitRow(limit: Limit): Cell[] {
  const inUse = limit.in_use.map(({ value, running }) => (limit.value === null ? `${value}: ${count(running)}` : count(running))).join(', ');
  return [{ text: limit.id }, { text: limit.key }, { text: limit.value ?? '(each)' }, { text: count(limit.max_running) }, { text: inUse === '' ? '0' : inUse }];
}

export function pauseRows(pauses: readonly Pause[]): Cell[][] {
  const now = Date.now();
  return pauses.map((pause) => [{ text: pause.problem_id ?? '(everything)' }, { text: ago(pause.paused_at, now) }, { text: pause.reason ?? '' }]);
}
