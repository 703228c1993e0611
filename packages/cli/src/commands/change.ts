/**
 * `cancel`, `retry`: they change tasks by their ids, or every task that fits a filter, which is a bulk operation of the API. `bulk`
 * follows and stops such operations.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, LIMITS, type components } from '@task-executor/shared';
import type { Command } from 'commander';
import { EXIT, Failure, FailureOf, type ExitCode } from '../exit.js';
import { explain, said } from '../failures.js';
import { addFilterOptions, fixedTimes, isFiltered, toBulkFilter, toQueryFilter, type FilterOptions } from '../input/filter-options.js';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { idArgument, taskIds } from '../input/ids.js';
import { perform, type Invocation } from '../invocation.js';
import { showFields } from '../output/show.js';
import type { Fields } from '../output/table.js';
import { at } from '../output/tasks.js';
import { count, counted } from '../text/amounts.js';

type Operation = components['schemas']['BulkOperation'];
type Task = components['schemas']['Task'];

type Action = Operation['action'];

interface Options extends FilterOptions, KeyOptions {
  readonly yes?: true;
}

const ASK_EVERY_MS = 500;
const DONE = { cancel: 'cancelled', retry: 'submitted again' } as const;

export function addChange(program: Command): void {
  addAction(program, 'cancel', 'cancel tasks', 'begins nothing new');
  addAction(program, 'retry', 'submit tasks that have ended again, as new ones', 'submits nothing twice');

  const bulk = program.command('bulk').description('cancelling or retrying many tasks');
  for (const [name, description] of [['show', 'follow one until it is done'], ['stop', 'stop one; what it has done stays done']] as const) {
    const command = bulk.command(name).description(description).addArgument(idArgument('bulk operation'));
    command.action((id: string) => perform(command, async (invocation) => {
      const { client } = invocation;
      return untilDone(invocation, name === 'show' ? await client.getBulkOperation(id) : await client.stopBulkOperation(id));
    }));
  }
}

/** `again`: what the command does when it comes a second time with the same key. */
function addAction(program: Command, action: Action, description: string, again: string): void {
  const command = program.command(action)
    .description(`${description}: those with these ids, or every one that fits the options`)
    .argument('[ids...]', 'ids of tasks', taskIds());
  addKeyOption(addFilterOptions(command), again)
    .option('-y, --yes', 'do not ask before changing every task that fits')
    .action((ids: string[], options: Options) => perform(command, (invocation) => {
      if (ids.length > 0 && isFiltered(options)) throw new Failure(EXIT.usage, 'Give ids or a filter, not both.');
      if (ids.length > 0) return changeEach(invocation, ids, action, options);
      if (isFiltered(options)) return changeAll(invocation, action, options);
      throw new Failure(EXIT.usage, `Say which tasks to ${action}: by ids, or by options such as --label or --status.`);
    }));
}

/**
 * Changes one task after the other. Where one cannot be changed, the others still are, and the first failure gives the exit code. An API
 * that is away ends it.
 */
async function changeEach(invocation: Invocation, ids: readonly string[], action: Action, options: Options): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const change = changeOf(invocation, action, options);
  let exitCode: ExitCode = EXIT.ok;
  for (const id of ids) {
    let task: Task;
    try {
      task = await change(id);
    } catch (error) {
      const about = new FailureOf(id, error);
      const explained = explain(about, invocation.address);
      if (ids.length === 1 || !(error instanceof ApiError) || explained.exitCode === EXIT.unreachable) throw error;
      terminal.note(said(json, about, explained));
      if (exitCode === EXIT.ok) exitCode = explained.exitCode;
      continue;
    }
    if (json) await terminal.jsonLine(task);
    else await terminal.line(task.id);
  }
  return exitCode;
}

/** The call that changes one task. */
function changeOf(invocation: Invocation, action: Action, options: Options): (id: string) => Promise<Task> {
  const { client } = invocation;
  if (action === 'retry') {
    const key = keyFor(invocation, options, 'every task was submitted again');
    const most = LIMITS.maxIdempotencyKeyChars - ':'.length - randomUUID().length;
    if (key.length > most) {
      const why = "each task has a key of its own, made of it and the task's id";
      throw new Failure(EXIT.usage, `--idempotency-key takes up to ${most} characters here: ${why}.`);
    }
    return (id) => client.retryTask(id, `${key}:${id}`);
  }
  // A cancel takes no key, and needs none.
  invocation.onInterrupt = () =>
    'Whether every task was cancelled is not known. The same command again changes nothing of those that were.';
  return (id) => client.cancelTask(id);
}

async function changeAll(invocation: Invocation, action: Action, options: Options): Promise<ExitCode> {
  const { client, terminal, interrupted } = invocation;
  if (options.yes !== true) {
    const page = await client.listTasks({ ...toQueryFilter(options), page_size: 1 });
    const total = `${page.total_is_lower_bound ? 'More than ' : ''}${counted(page.total, 'task')}`;
    if (!(await confirmed(`${total} fit. Really ${action} those among them that can be? [y/N] `, interrupted))) {
      terminal.note('Nothing was changed.');
      return EXIT.ok;
    }
  }
  const key = keyFor(invocation, options, 'it was begun', fixedTimes(options));
  return untilDone(invocation, await client.createBulkOperation({ action, filter: toBulkFilter(options) }, key));
}

async function confirmed(question: string, interrupted: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new Failure(EXIT.usage, 'There is nobody to ask: confirm with --yes.');
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  // In a dialogue Ctrl-C is a key, and Ctrl-D its end.
  dialogue.once('SIGINT', () => process.emit('SIGINT'));
  try {
    const answer = await Promise.race([dialogue.question(question, { signal: interrupted }), once(dialogue, 'close').then(() => '')]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    dialogue.close();
  }
}

async function untilDone(invocation: Invocation, begun: Operation): Promise<ExitCode> {
  const { client, terminal, interrupted } = invocation;
  invocation.onInterrupt = () =>
    `It goes on in the API. Follow it: task-executor bulk show ${begun.id}; stop it: task-executor bulk stop ${begun.id}`;
  invocation.bePatient();
  let operation = begun;
  while (operation.state === 'running') {
    terminal.bar(`${counted(operation.examined, 'task')} looked at, ${count(operation.changed)} ${DONE[operation.action]}`);
    await sleep(ASK_EVERY_MS, undefined, { signal: interrupted });
    operation = await client.getBulkOperation(begun.id);
  }
  terminal.endBar();
  await showFields(invocation, operation, fieldsOf(operation));
  return EXIT.ok;
}

function fieldsOf(operation: Operation): Fields {
  const now = Date.now();
  return [
    ['id', operation.id],
    ['action', operation.action],
    ['state', operation.state],
    ['looked at', counted(operation.examined, 'task')],
    [DONE[operation.action], counted(operation.changed, 'task')],
    ['left as they were', operation.skipped > 0 ? counted(operation.skipped, 'task') : null],
    ['begun', at(operation.created_at, now)],
    ['ended', at(operation.ended_at, now)],
  ];
}
