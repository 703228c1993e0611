/** `explain`: why a task does not run, or what the whole backlog waits for. */
import type { components } from '@task-executor/shared';
import type { Command } from 'commander';
import { parseTaskId } from '../input/ids.js';
import { perform, type Invocation } from '../invocation.js';
import { renderFields, tableOf, type Fields, type TableStyle } from '../output/table.js';
import { at, statusWithReason } from '../output/tasks.js';
import { count } from '../text/amounts.js';
import { duration } from '../text/time.js';
import { LIMITS_LIST, PAUSES_LIST } from './queue.js';

type Schemas = components['schemas'];

const BACKLOG: TableStyle<Schemas['QueueExplanation']['largest'][number]> = {
  columns: [
    { title: 'REASON' }, { title: 'PROBLEM', gives: true }, { title: 'TASKS', align: 'right' }, { title: 'LONGEST WAIT', align: 'right' },
  ],
  rowOf: (one) => [(one.reason ?? '').replaceAll('_', ' '), one.problem_id, count(one.tasks), duration(one.oldest_seconds)],
};

export function addExplain(program: Command): void {
  const command = program.command('explain')
    .description('say why a task is not running; without an id, what the backlog waits for')
    .argument('[id]', 'the id of a task', parseTaskId);
  command.action((id: string | undefined) => perform(command, (invocation) =>
    (id === undefined ? explainQueue(invocation) : explainTask(invocation, id))));
}

async function explainTask({ client, terminal, json }: Invocation, id: string): Promise<void> {
  const explanation = await client.explainTask(id);
  if (json) {
    await terminal.json(explanation);
    return;
  }
  await terminal.line(explanation.summary);
  for (const { message, dependencies = [], holders = [] } of explanation.constraints) {
    // The summary of a single constraint is its message.
    if (explanation.constraints.length > 1) await terminal.line(`  - ${message}`);
    for (const { name, task_id: taskId, status } of dependencies) await terminal.line(`      ${name}: ${status} (${taskId})`);
    for (const holder of holders) await terminal.line(`      held by ${holder.task_id} on ${holder.worker_id}`);
  }
  await terminal.rendered(renderFields(fieldsOf(explanation), terminal.colours));
}

function fieldsOf(explanation: Schemas['TaskExplanation']): Fields {
  const { position, position_is_lower_bound: isOrLater, estimated_start: start } = explanation;
  const now = Date.now();
  return [
    ['status', statusWithReason(explanation)],
    ['place', position === null ? null : `${count(position)}${isOrLater ? ' or later' : ''} in the queue`],
    ['starts', start === null ? null : `between ${at(start.earliest, now) ?? ''} and ${at(start.latest, now) ?? ''}`],
  ];
}

async function explainQueue({ client, terminal, json }: Invocation): Promise<void> {
  const explanation = await client.explainQueue();
  if (json) {
    await terminal.json(explanation);
    return;
  }
  const addTable = async <Item>(items: readonly Item[], style: TableStyle<Item>): Promise<void> => {
    if (items.length > 0) await terminal.rendered(`\n${tableOf(items, style, terminal.layout)}`);
  };
  await terminal.line(`${count(explanation.pending)} pending, ${count(explanation.running)} running`);
  await addTable(explanation.largest, BACKLOG);
  await addTable(explanation.pauses, PAUSES_LIST);
  await addTable(explanation.limits, LIMITS_LIST);
}
