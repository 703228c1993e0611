/** `list`, `get`, `attempts`, `adjust`: reading tasks, and changing one that is pending. */
import { ApiError, LIMITS, type components, type operations } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { EXIT, Failure } from '../exit.js';
import { parseTime } from '../input/duration.js';
import { addFilterOptions, toQueryFilter, type FilterOptions } from '../input/filter-options.js';
import { wholeNumber } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { renderFields, renderTable, type Column } from '../output/table.js';
import { sayProgress, statusCell, TASK_COLUMNS, taskFields, taskRow } from '../output/tasks.js';
import { ago, count, counted, lasted } from '../text/time.js';

type Schemas = components['schemas'];
type Sort = NonNullable<NonNullable<operations['listTasks']['parameters']['query']>['sort']>;

const SORTS: readonly Sort[] = ['-created_at', 'created_at', '-updated_at', 'updated_at', '-started_at', 'started_at', '-completed_at', 'completed_at'];
/** More are for `export`, which costs the server less. */
const MAX_LISTED = 100_000;

interface ListOptions extends FilterOptions {
  readonly sort: Sort;
  readonly limit: number;
  readonly quiet?: true;
}

export function addTasks(program: Command): void {
  const list = addFilterOptions(program.command('list').alias('ls').description('list tasks, newest first'));
  list
    .addOption(new Option('--sort <property>', 'by what; - sorts downwards').choices(SORTS).default('-created_at' satisfies Sort))
    .option('-n, --limit <number>', 'how many at the most', wholeNumber(1, MAX_LISTED), LIMITS.defaultPageSize)
    .option('-q, --quiet', 'the ids alone, one a line')
    .action((options: ListOptions) => perform(list, (invocation) => listTasks(invocation, options)));

  const get = program.command('get').description('show a task').argument('<id>', 'the id of a task');
  get.action((id: string) => perform(get, async ({ client, terminal, json }) => {
    const task = await client.getTask(id);
    if (json) await terminal.json(task);
    else await terminal.rendered(renderFields(taskFields(task, Date.now()), terminal.colours));
  }));

  const attempts = program.command('attempts').description('list the attempts of a task').argument('<id>', 'the id of a task');
  attempts.action((id: string) => perform(attempts, (invocation) => listAttempts(invocation, id)));

  const adjust = program.command('adjust').description('change the priority or the time of a pending task').argument('<id>', 'the id of a task');
  adjust
    .option('--priority <number>', 'higher goes first', wholeNumber(LIMITS.minPriority, LIMITS.maxPriority))
    .option('--run-at <time>', 'not before this time; one in the past lets it run at once', parseTime)
    .action((id: string, options: { priority?: number; runAt?: string }) => perform(adjust, async ({ client, terminal, json }) => {
      if (options.priority === undefined && options.runAt === undefined) throw new Failure(EXIT.usage, 'Say what to change: --priority or --run-at.');
      const task = await client.adjustTask(id, {
        ...(options.priority === undefined ? {} : { priority: options.priority }),
        ...(options.runAt === undefined ? {} : { run_at: options.runAt }),
      });
      if (json) await terminal.json(task);
      else await terminal.rendered(renderFields(taskFields(task, Date.now()), terminal.colours));
    }));
}

async function listTasks(invocation: Invocation, options: ListOptions): Promise<void> {
  const { terminal, json } = invocation;
  const tasks: Schemas['Task'][] = [];
  let last: Schemas['TaskList'] | null = null;
  for await (const page of pages(invocation, options)) {
    last = page;
    for (const task of page.tasks) {
      if (json) await terminal.jsonLine(task);
      else if (options.quiet === true) await terminal.line(task.id);
      else tasks.push(task);
    }
  }
  if (json || options.quiet === true || last === null) return;
  const now = Date.now();
  if (tasks.length > 0) await terminal.rendered(renderTable(TASK_COLUMNS, tasks.map((task) => taskRow(task, now)), terminal.layout));
  if (tasks.length < last.total) terminal.note(`${count(tasks.length)} of ${last.total_is_lower_bound ? 'more than ' : ''}${counted(last.total, 'task')}; --limit shows more.`);
  else if (tasks.length === 0) terminal.note('No task fits.');
}

/** Pages, by their cursors, until `limit` tasks were given. */
async function* pages({ client }: Invocation, options: ListOptions): AsyncGenerator<Schemas['TaskList']> {
  const query = { ...toQueryFilter(options), sort: options.sort };
  let cursor: string | null = null;
  let most: number = LIMITS.maxPageSize;
  for (let left = options.limit; left > 0;) {
    const page_size = Math.min(left, most);
    let page: Schemas['TaskList'];
    try {
      page = await client.listTasks({ ...query, page_size, ...(cursor === null ? {} : { cursor }) });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'page_too_large' || page_size === 1) throw error;
      most = Math.floor(page_size / 2);
      continue;
    }
    yield page;
    left -= page.tasks.length;
    cursor = page.next_cursor;
    if (cursor === null) return;
  }
}

const ATTEMPT_COLUMNS: readonly Column[] = [
  { title: 'ATTEMPT', align: 'right' }, { title: 'OUTCOME' }, { title: 'WORKER' }, { title: 'STARTED' }, { title: 'RAN', align: 'right' }, { title: 'ERROR OR PROGRESS', gives: true },
];

async function listAttempts({ client, terminal, json }: Invocation, id: string): Promise<void> {
  const attempts: Schemas['AttemptRecord'][] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Schemas['AttemptList'] = await client.listAttempts(id, cursor === undefined ? {} : { cursor });
    attempts.push(...page.attempts);
    cursor = page.next_cursor;
  }
  if (json) {
    for (const attempt of attempts) await terminal.jsonLine(attempt);
    return;
  }
  const now = Date.now();
  const rows = attempts.map((one) => [
    { text: String(one.attempt) },
    one.late === null ? statusCell(one.outcome ?? 'running') : { ...statusCell(one.outcome ?? 'running'), text: `${one.outcome ?? ''} (${one.late.outcome}, too late)` },
    { text: one.worker_id },
    { text: ago(one.started_at, now) },
    { text: lasted(one.started_at, one.ended_at, now) },
    { text: one.error_details ?? (one.progress === null ? '' : sayProgress(one.progress)) },
  ]);
  if (rows.length > 0) await terminal.rendered(renderTable(ATTEMPT_COLUMNS, rows, terminal.layout));
  else terminal.note('No attempt has begun.');
}
