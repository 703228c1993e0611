/** `explain`: why a task does not run, or what the whole backlog waits for. */
import type { components } from '@task-executor/shared';
import type { Command } from 'commander';
import { perform, type Invocation } from '../invocation.js';
import { renderFields, renderTable, type Column } from '../output/table.js';
import { at, statusWithReason } from '../output/tasks.js';
import { count, duration } from '../text/time.js';
import { LIMIT_COLUMNS, limitRow, PAUSE_COLUMNS, pauseRows } from './queue.js';

type Explanation = components['schemas']['TaskExplanation'];

const BACKLOG_COLUMNS: readonly Column[] = [{ title: 'REASON' }, { title: 'PROBLEM', gives: true }, { title: 'TASKS', align: 'right' }, { title: 'LONGEST WAIT', align: 'right' }];

export function addExplain(program: Command): void {
  const command = program.command('explain').description('say why a task is not running; without an id, what the backlog waits for').argument('[id]', 'the id of a task');
  command.action((id: string | undefined) => perform(command, (invocation) => (id === undefined ? explainQueue(invocation) : explainTask(invocation, id))));
}

async function explainTask({ client, terminal, json }: Invocation, id: string): Promise<void> {
  const explanation = await client.explainTask(id);
  if (json) {
    await terminal.json(explanation);
    return;
  }
  await terminal.line(explanation.summary);
  for (const constraint of explanation.constraints) {
    // The summary of a single constraint is its message.
    if (explanation.constraints.length > 1) await terminal.line(`  - ${constraint.message}`);
    for (const { name, task_id: taskId, status } of constraint.dependencies ?? []) await terminal.line(`      ${name}: ${status} (${taskId})`);
    for (const holder of constraint.holders ?? []) await terminal.line(`      held by ${holder.task_id} on ${holder.worker_id}`);
  }
  await terminal.rendered(renderFields(fieldsOf(explanation), terminal.colours));
}

function fieldsOf({ status, reason, position, position_is_lower_bound: more, estimated_start: start }: Explanation): Parameters<typeof renderFields>[0] {
  const now = Date.now();
  return [
    ['status', statusWithReason({ status, reason })],
    ['place', position === null ? null : `${count(position)}${more ? ' or later' : ''} in the queue`],
    ['starts', start === null ? null : `between ${at(start.earliest, now) ?? ''} and ${at(start.latest, now) ?? ''}`],
  ];
}

async function explainQueue({ client, terminal, json }: Invocation): Promise<void> {
  const explanation = await client.explainQueue();
  if (json) {
    await terminal.json(explanation);
    return;
  }
  await terminal.line(`${count(explanation.pending)} pending, ${count(explanation.running)} running`);
  const rows = explanation.largest.map((one) => [
    { text: (one.reason ?? '').replaceAll('_', ' ') }, { text: one.problem_id }, { text: count(one.tasks) }, { text: duration(one.oldest_seconds) },
  ]);
  if (rows.length > 0) await terminal.rendered(`\n${renderTable(BACKLOG_COLUMNS, rows, terminal.layout)}`);
  if (explanation.pauses.length > 0) await terminal.rendered(`\n${renderTable(PAUSE_COLUMNS, pauseRows(explanation.pauses), terminal.layout)}`);
  if (explanation.limits.length > 0) await terminal.rendered(`\n${renderTable(LIMIT_COLUMNS, explanation.limits.map(limitRow), terminal.layout)}`);
}
