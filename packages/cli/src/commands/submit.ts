/** `submit`: submits a task, and may wait for it. */
import type { components } from '@task-executor/shared';
import type { Command } from 'commander';
import { defined } from '../defined.js';
import { EXIT, Failure, type ExitCode } from '../exit.js';
import { followLog, followProgress } from '../following.js';
import { parseDuration, parseTime, parseWholeSeconds } from '../input/duration.js';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { addTaskOptions, toTemplate, type TaskOptions } from '../input/task-options.js';
import { collected } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { showCreated } from '../output/show.js';
import { renderFields } from '../output/table.js';
import { taskFields } from '../output/tasks.js';
import { exitCodeOf } from '../waiting.js';

type Schemas = components['schemas'];

interface Options extends TaskOptions, KeyOptions {
  readonly name?: string;
  readonly delay?: number;
  readonly runAt?: string;
  readonly expiresAt?: string;
  readonly dependsOn?: readonly string[];
  readonly runAnyway?: true;
  readonly dedupeKey?: string;
  readonly reuse?: number;
  readonly wait?: true;
  readonly follow?: true;
}

export function addSubmit(program: Command): void {
  const command = program.command('submit')
    .description('submit a task; prints its id')
    .argument('<problem>', 'the problem, such as test-hello');
  addKeyOption(addTaskOptions(command), 'creates nothing and gives the same task')
    .option('-n, --name <text>', 'a name for people')
    .option('--delay <duration>', 'not before so long from now', parseDuration)
    .option('--run-at <time>', 'not before this time', parseTime)
    .option('--expires-at <time>', 'a task that has not begun by then ends as timeout', parseTime)
    .option('--depends-on <ids>', 'tasks that have to complete first; with commas, or repeated', collected)
    .option('--run-anyway', 'also where a task that it depends on does not complete')
    .option('--dedupe-key <text>', 'while a task with this key has not ended, that one is given instead of a new one')
    .option('--reuse <duration>', 'take the result of an equal task that completed no longer ago than this', parseWholeSeconds)
    .option('-w, --wait', 'wait until it has ended, and show it')
    .option('-f, --follow', 'show its log as it comes, until it has ended')
    .action((problem: string, options: Options) =>
      perform(command, (invocation) => submit(invocation, problem, options)));
}

async function submit(invocation: Invocation, problem: string, options: Options): Promise<ExitCode> {
  const submission = await toSubmission(problem, options);
  const task = await invocation.client.submitTask(submission, keyFor(invocation, options, 'the task was submitted'));
  for (const warning of task.warnings ?? []) invocation.terminal.note(`Note: ${warning}`);
  if (options.follow === true || options.wait === true) return waitFor(invocation, task, options.follow === true);
  await showCreated(invocation, task);
  return EXIT.ok;
}

async function toSubmission(problem: string, options: Options): Promise<Schemas['TaskSubmission']> {
  if (options.runAt !== undefined && options.delay !== undefined) throw new Failure(EXIT.usage, 'Give --run-at or --delay, not both.');
  return {
    ...(await toTemplate(problem, options)),
    ...defined({
      name: options.name,
      delay_seconds: options.delay,
      run_at: options.runAt,
      expires_at: options.expiresAt,
      depends_on: options.dependsOn && [...options.dependsOn],
      on_dependency_failure: options.runAnyway && ('run_anyway' as const),
      dedupe_key: options.dedupeKey,
      reuse: options.reuse === undefined ? undefined : { max_age_seconds: options.reuse },
    }),
  };
}

/** Waits for the end, with the log or without, and shows the task then. */
async function waitFor(invocation: Invocation, { id }: Schemas['Task'], log: boolean): Promise<ExitCode> {
  const { terminal, json } = invocation;
  const again = log ? `Follow it again: task-executor logs -f ${id}` : `Wait for it again: task-executor wait ${id}`;
  invocation.onInterrupt = () => `The task goes on. ${again}`;
  if (!json) terminal.note(`Submitted ${id}`);
  const ended = log ? await followLog(invocation, id, {}, json ? 'json' : 'people') : await followProgress(invocation, id);
  if (json) await (log ? terminal.jsonLine(ended) : terminal.json(ended));
  else await terminal.rendered(renderFields(taskFields(ended, Date.now()), terminal.colours));
  return exitCodeOf([ended]);
}
