/** `limit`, `pause`, `resume`, `pauses`: what holds tasks back because somebody said so. */
import { LIMITS, type components } from '@task-executor/shared';
import type { Command } from 'commander';
import { defined } from '../defined.js';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { idArgument } from '../input/ids.js';
import { wholeNumber } from '../input/values.js';
import { perform } from '../invocation.js';
import { showCreated, showList, type ListStyle } from '../output/show.js';
import { tableOf } from '../output/table.js';
import { count } from '../text/amounts.js';
import { ago } from '../text/time.js';

type Limit = components['schemas']['Limit'];
type Pause = components['schemas']['Pause'];

const maxRunning = wholeNumber(1, LIMITS.maxLimitRunning);

export const LIMITS_LIST: ListStyle<Limit> = {
  columns: [{ title: 'ID' }, { title: 'KEY' }, { title: 'VALUE' }, { title: 'MAX', align: 'right' }, { title: 'RUNNING', gives: true }],
  rowOf: (limit) => [limit.id, limit.key, limit.value ?? '(each)', count(limit.max_running), sayInUse(limit)],
  none: 'There is no limit.',
};

export const PAUSES_LIST: ListStyle<Pause> = {
  columns: [{ title: 'PROBLEM' }, { title: 'PAUSED' }, { title: 'REASON', gives: true }],
  rowOf: (pause, now) => [pause.problem_id ?? '(everything)', ago(pause.paused_at, now), pause.reason ?? ''],
  none: 'Nothing is paused.',
};

export function addQueue(program: Command): void {
  addLimit(program);
  addPause(program);
}

function addLimit(program: Command): void {
  const limit = program.command('limit').description('how many tasks may run at a time');

  const create = limit.command('create').description('limit how many tasks run at a time; prints the id of the limit');
  addKeyOption(create, 'creates nothing and gives the same limit')
    .argument('<key>', 'what is counted: problem_id, backend_type, or label:KEY')
    .requiredOption('--max-running <number>', 'how many may run at a time', maxRunning)
    .option('--value <text>', 'the one value that it is about; without, each value has the limit for itself')
    .action((key: string, options: KeyOptions & { maxRunning: number; value?: string }) => perform(create, async (invocation) => {
      const wanted = { key, max_running: options.maxRunning, ...defined({ value: options.value }) };
      await showCreated(invocation, await invocation.client.createLimit(wanted, keyFor(invocation, options, 'the limit was created')));
    }));

  const list = limit.command('list').description('list limits and what counts under them');
  list.action(() => perform(list, async (invocation) => {
    const { limits } = await invocation.client.listLimits();
    await showList(invocation, limits, LIMITS_LIST);
  }));

  const change = limit.command('change').description('change a limit').addArgument(idArgument('limit'));
  change
    .requiredOption('--max-running <number>', 'how many may run at a time', maxRunning)
    .action((id: string, options: { maxRunning: number }) => perform(change, async ({ client, terminal, json }) => {
      const changed = await client.changeLimit(id, { max_running: options.maxRunning });
      if (json) await terminal.json(changed);
      else await terminal.rendered(tableOf([changed], LIMITS_LIST, terminal.layout));
    }));

  const remove = limit.command('delete').description('remove a limit').addArgument(idArgument('limit'));
  remove.action((id: string) => perform(remove, async ({ client, terminal, json }) => {
    await client.deleteLimit(id);
    if (!json) await terminal.line(id);
  }));
}

function addPause(program: Command): void {
  const pause = program.command('pause')
    .description('pause a problem, or the whole queue: what runs goes on, nothing new begins')
    .argument('[problem]', 'the problem; without it, everything')
    .option('--reason <text>', 'shown to whoever asks why');
  pause.action((problem: string | undefined, options: { reason?: string }) => perform(pause, async ({ client, terminal, json }) => {
    const paused = await client.pause({ ...defined({ problem_id: problem }), ...options });
    if (json) await terminal.json(paused);
    else await terminal.line(`Paused ${problem ?? 'the whole queue'}.`);
  }));

  const resume = program.command('resume')
    .description('resume a problem, or the whole queue')
    .argument('[problem]', 'the problem; without it, the pause of the whole queue');
  resume.action((problem: string | undefined) => perform(resume, async ({ client, terminal, json }) => {
    const answer = await client.resume(defined({ problem_id: problem }));
    const what = problem ?? 'the whole queue';
    if (json) await terminal.json(answer);
    else await terminal.line(answer.resumed ? `Resumed ${what}.` : `Nothing to do: ${what} was not paused.`);
  }));

  const pauses = program.command('pauses').description('list what is paused');
  pauses.action(() => perform(pauses, async (invocation) => {
    const { pauses: found } = await invocation.client.listPauses();
    await showList(invocation, found, PAUSES_LIST);
  }));
}

function sayInUse(limit: Limit): string {
  const each = limit.in_use.map(({ value, running }) => (limit.value === null ? `${value}: ${count(running)}` : count(running)));
  return each.length === 0 ? '0' : each.join(', ');
}
