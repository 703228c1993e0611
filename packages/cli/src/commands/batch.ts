/** `batch`: submits the tasks of a file. Interrupted and run again, it creates nothing twice. */
import { ApiError, type components } from '@task-executor/shared';
import { InvalidArgumentError, type Command } from 'commander';
import { chunksOf, inspect, isStdin, withBatchFile, type BatchFile, type Chunk } from '../batch-file.js';
import { EXIT, Failure, type ExitCode } from '../exit.js';
import { labelled } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { count, counted } from '../text/amounts.js';
import { exitCodeOf, untilAllEnded } from '../waiting.js';

type Schemas = components['schemas'];

interface Options {
  readonly batchId?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly quiet?: true;
  readonly wait?: true;
}

/** Leaves room for the line's number in an idempotency key. */
const MAX_BATCH_ID_CHARS = 200;
/** The statuses with which the API refuses what a file holds. */
const REFUSALS = new Set([413, 422]);
/** The path of a mistake in one of the tasks. */
const MISTAKE = /^\/body\/tasks\/(\d+)(.*)$/;
const GO_ON = 'Run the same command again to go on: nothing is submitted twice.';

export function addBatch(program: Command): void {
  const command = program.command('batch').description('submit the tasks of a file; run again, it creates nothing twice');
  command
    .argument('<file>', 'a JSON object a line, each as in POST /api/v1/tasks, with an idempotency_key if you like; - reads stdin')
    .option(
      '--batch-id <text>', 'what the tasks of this file are recognized by, with their line numbers; a hash of the file unless given',
      parseBatchId,
    )
    .option('-l, --label <key=value>', 'a label for every task; may be repeated', labelled)
    .option('-q, --quiet', 'the ids alone, one a line')
    .option('-w, --wait', 'wait until all have ended')
    .action((path: string, options: Options) => perform(command, (invocation) =>
      withBatchFile(path, invocation.interrupted, (file) => submitFile(invocation, file, isStdin(path) ? 'stdin' : path, options))));
}

function parseBatchId(text: string): string {
  if (!/^[!-~]+$/.test(text) || text.length > MAX_BATCH_ID_CHARS) {
    throw new InvalidArgumentError(`It must be visible ASCII, at most ${MAX_BATCH_ID_CHARS} characters.`);
  }
  return text;
}

async function submitFile(invocation: Invocation, path: string, name: string, options: Options): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const file = await inspect(path, name, options.batchId);
  const ids: string[] = [];
  let created = 0;
  invocation.onInterrupt = () => `Submitted ${count(ids.length)} of ${counted(file.tasks, 'task')}. ${GO_ON}`;
  for await (const chunk of chunksOf(file, options.label ?? {})) {
    const answer = await submitChunk(invocation, file, chunk, ids.length);
    invocation.bePatient();
    created += answer.created;
    for (const [n, task] of answer.tasks.entries()) {
      ids.push(task.id);
      if (json && options.wait !== true) await terminal.jsonLine({ line: chunk.lines[n], ...task });
      else if (options.quiet === true) await terminal.line(task.id);
    }
    terminal.bar(`${count(ids.length)} of ${counted(file.tasks, 'task')} submitted, ${count(created)} new`, ids.length, file.tasks);
  }
  terminal.endBar();
  const before = ids.length - created;
  const summary = `${counted(ids.length, 'task')}: ${count(created)} new, ${count(before)} submitted before (batch ${file.id}).`;
  if (json || options.quiet === true || options.wait === true) terminal.note(summary);
  else await terminal.line(summary);
  return options.wait === true ? waitForAll(invocation, ids, options) : EXIT.ok;
}

/**
 * Submits the chunk that comes after `before` tasks; in halves where the API refuses it without saying which line is at fault, until that
 * line is alone. @throws Failure where the API refuses a line
 */
async function submitChunk(invocation: Invocation, file: BatchFile, chunk: Chunk, before: number): Promise<Schemas['TaskBatchResult']> {
  const { lines, items } = chunk;
  try {
    return await invocation.client.submitTasks(items);
  } catch (error) {
    if (!(error instanceof ApiError) || !REFUSALS.has(error.status)) throw error;
    if (items.length === 1 || namesLine(error)) throw new Failure(EXIT.usage, sayRefusal(error, file, chunk, before).join('\n'));
  }
  const half = Math.ceil(items.length / 2);
  const first = await submitChunk(invocation, file, { lines: lines.slice(0, half), items: items.slice(0, half) }, before);
  const second = await submitChunk(invocation, file, { lines: lines.slice(half), items: items.slice(half) }, before + half);
  return { created: first.created + second.created, tasks: [...first.tasks, ...second.tasks] };
}

function namesLine({ problem: { errors = [] } }: ApiError): boolean {
  return errors.some(({ path }) => MISTAKE.test(path));
}

function sayRefusal({ code, problem }: ApiError, file: BatchFile, { lines }: Chunk, before: number): string[] {
  const { title, detail, errors = [] } = problem;
  const [first = 0] = lines;
  const last = lines.at(-1) ?? 0;
  const what = first === last ? `Line ${count(first)} of ${file.name} was` : `Lines ${count(first)} to ${count(last)} of ${file.name} were`;
  const there = `${counted(before, 'task')} before ${first === last ? 'it' : 'them'} ${before === 1 ? 'is' : 'are'} submitted`;
  const why = errors.length > 0 ? errors.map(({ path, message }) => sayMistake(lines, path, message)) : [detail ?? title ?? ''];
  return [`${what} refused; ${there}.`, ...why, sayNext(file, code)];
}

/** A mistake in words: `/body/tasks/7/labels` is about the eighth line of the chunk. */
function sayMistake(lines: readonly number[], path: string, message: string): string {
  const [, index, rest = ''] = MISTAKE.exec(path) ?? [];
  if (index === undefined) return `  ${path}: ${message}`;
  return `  Line ${lines[Number(index)] ?? 0}${rest === '' ? '' : ` ${rest}`}: ${message}`;
}

/** What to do after a refusal. */
function sayNext({ id }: BatchFile, code: ApiError['code']): string {
  if (code === 'idempotency_key_reused') {
    return `A line was submitted in batch ${id} before, with another content. Undo the change, or take another --batch-id for a new batch.`;
  }
  return `When this is corrected, go on with --batch-id ${id}: what is submitted is not submitted twice.`;
}

/** Waits until all have ended, and says how many ended how. */
async function waitForAll(invocation: Invocation, ids: readonly string[], { quiet }: Options): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const ended: Pick<Schemas['Task'], 'status'>[] = [];
  invocation.onInterrupt = () =>
    `${count(ended.length)} of ${counted(ids.length, 'task')} have ended; the others go on. Run the same command again to wait for them.`;
  await untilAllEnded(invocation, ids, null, async (task) => {
    ended.push({ status: task.status });
    if (json) await terminal.jsonLine(task);
  });
  const counts = new Map<string, number>();
  for (const { status } of ended) counts.set(status, (counts.get(status) ?? 0) + 1);
  const summary = [...counts].map(([status, tasks]) => `${count(tasks)} ${status}`).join(', ');
  if (json || quiet === true) terminal.note(summary);
  else await terminal.line(summary);
  return exitCodeOf(ended);
}
