/** `workflow`: tasks that depend on each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type components } from '@task-executor/shared';
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit.js';
import { readObject } from '../input/documents.js';
import { parseDuration } from '../input/duration.js';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { idArgument } from '../input/ids.js';
import { perform, type Invocation } from '../invocation.js';
import { showCreated } from '../output/show.js';
import { renderFields, renderTable, type Column, type Fields } from '../output/table.js';
import { at, sayLabels, statusCell, statusWithReason } from '../output/tasks.js';
import { count, counted } from '../text/amounts.js';
import { checkDeadline, deadlineIn, within } from '../waiting.js';
import { treeOf } from '../workflow-tree.js';

type Workflow = components['schemas']['Workflow'];

const POLL = { initialMs: 300, maxMs: 4_000 };
const COLUMNS: readonly Column[] = [{ title: 'TASK', gives: true }, { title: 'STATUS' }, { title: 'PROBLEM' }, { title: 'ID' }];

interface WaitOptions {
  readonly wait?: true;
  readonly for?: number;
}

export function addWorkflow(program: Command): void {
  const workflow = program.command('workflow').description('tasks that depend on each other');
  const withWait = (command: Command): Command => command
    .option('-w, --wait', 'wait until it has ended; exits with 1 where it did not complete')
    .option('--for <duration>', 'with --wait: give up after this time, with exit code 7', parseDuration);

  const submit = workflow.command('submit')
    .description('submit a workflow; prints its id')
    .argument('<file>', 'YAML or JSON as in POST /api/v1/workflows; - reads stdin');
  addKeyOption(withWait(submit), 'creates nothing and gives the same workflow')
    .action((path: string, options: WaitOptions & KeyOptions) => perform(submit, async (invocation) => {
      // What is in it is for the API to judge: it names every mistake.
      const submission = await readObject(path) as unknown as components['schemas']['WorkflowSubmission'];
      const key = keyFor(invocation, options, 'the workflow was submitted');
      return answerSubmitted(invocation, await invocation.client.submitWorkflow(submission, key), options);
    }));

  const show = withWait(workflow.command('show').description('show a workflow as a tree').addArgument(idArgument('workflow')));
  show.action((id: string, options: WaitOptions) => perform(show, async (invocation) => {
    const found = await invocation.client.getWorkflow(id);
    if (options.wait === true) return waitFor(invocation, found, options.for);
    await showWorkflow(invocation, found);
    return EXIT.ok;
  }));

  const cancel = workflow.command('cancel')
    .description('cancel every task of a workflow that has not ended')
    .addArgument(idArgument('workflow'));
  cancel.action((id: string) => perform(cancel, async (invocation) => {
    await showWorkflow(invocation, await invocation.client.cancelWorkflow(id));
  }));

  const retry = workflow.command('retry')
    .description('run again what did not complete, as a new workflow; prints its id')
    .addArgument(idArgument('workflow'));
  addKeyOption(withWait(retry), 'creates nothing and gives the same workflow')
    .action((id: string, options: WaitOptions & KeyOptions) => perform(retry, async (invocation) => {
      const key = keyFor(invocation, options, 'the workflow was submitted again');
      return answerSubmitted(invocation, await invocation.client.retryWorkflow(id, key), options);
    }));
}

/** Shows the id of a new workflow; or, with --wait, all of it once it has ended. */
async function answerSubmitted(invocation: Invocation, workflow: Workflow, options: WaitOptions): Promise<ExitCode> {
  if (options.wait === true) {
    if (!invocation.json) invocation.terminal.note(`Submitted ${workflow.id}`);
    return waitFor(invocation, workflow, options.for);
  }
  await showCreated(invocation, workflow);
  return EXIT.ok;
}

async function waitFor(invocation: Invocation, begun: Workflow, seconds: number | undefined): Promise<ExitCode> {
  const { client, terminal, interrupted } = invocation;
  const deadline = deadlineIn(seconds);
  invocation.onInterrupt = () => `The workflow goes on. Wait for it again: task-executor workflow show --wait ${begun.id}`;
  invocation.bePatient();
  let workflow = begun;
  for (let tries = 1; workflow.status === 'running'; tries++) {
    const { total, pending, running } = workflow.progress;
    const ended = total - pending - running;
    terminal.bar(`${count(ended)} of ${counted(total, 'task')} ended, ${count(running)} running`, ended, total);
    checkDeadline(deadline);
    await sleep(within(deadline, backoffMs(POLL, tries, Math.random())), undefined, { signal: interrupted });
    workflow = await client.getWorkflow(begun.id);
  }
  terminal.endBar();
  await showWorkflow(invocation, workflow);
  return workflow.status === 'completed' ? EXIT.ok : EXIT.unsuccessful;
}

async function showWorkflow({ terminal, json }: Invocation, workflow: Workflow): Promise<void> {
  if (json) {
    await terminal.json(workflow);
    return;
  }
  await terminal.rendered(renderFields(fieldsOf(workflow), terminal.colours));
  const rows = treeOf(workflow.tasks).map(({ prefix, task, also }) => [
    `${prefix}${task.name}${also.length === 0 ? '' : ` (also after ${also.join(', ')})`}`,
    statusWithReason(task),
    task.problem_id,
    task.task_id,
  ]);
  await terminal.rendered(`\n${renderTable(COLUMNS, rows, terminal.layout)}`);
}

function fieldsOf(workflow: Workflow): Fields {
  const now = Date.now();
  const { total, ...counts } = workflow.progress;
  const parts = Object.entries(counts).filter(([, tasks]) => tasks > 0).map(([status, tasks]) => `${count(tasks)} ${status}`);
  return [
    ['id', workflow.id],
    ['name', workflow.name],
    ['status', statusCell(workflow.status)],
    ['tasks', `${count(total)}: ${parts.join(', ')}`],
    ['labels', sayLabels(workflow.labels)],
    ['retry of', workflow.retry_of],
    ['submitted', at(workflow.created_at, now)],
    ['ended', at(workflow.completed_at, now)],
  ];
}
