/** `list`, `get`, `attempts`, `adjust`: reading tasks, and changing one that is pending. */
import { ApiError, LIMITS, type components, type operations } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { defined } from '../defined.js';
import { EXIT, Failure } from '../exit.js';
import { parseTime } from '../input/duration.js';
import { addFilterOptions, toQueryFilter, type FilterOptions } from '../input/filter-options.js';
import { idArgument } from '../input/ids.js';
import { wholeNumber } from '../input/values.js';
import { perform, type Invocation } from '../invocation.js';
import { showFields, showList, type ListStyle } from '../output/show.js';
import { tableOf, type Cell } from '../output/table.js';
import { sayProgress, statusCell, taskFields, TASKS } from '../output/tasks.js';
import { allOf } from '../pages.js';
import { count, counted } from '../text/amounts.js';
import { ago, lasted } from '../text/time.js';

type Schemas = components['schemas'];
type Sort = NonNullable<NonNullable<operations['listTasks']['parameters']['query']>['sort']>;

const SORTS: readonly Sort[] = [
  '-created_at', 'created_at', '-updated_at', 'updated_at', '-started_at', 'started_at', '-completed_at', 'completed_at',
];
const ATTEMPTS: ListStyle<Schemas['AttemptRecord']> = {
  columns: [
    { title: 'ATTEMPT', align: 'right' }, { title: 'OUTCOME' }, { title: 'WORKER' }, { title: 'STARTED' }, { title: 'RAN', align: 'right' },
    { title: 'ERROR OR PROGRESS', gives: true },
  ],
  rowOf: (one, now) => [
    String(one.attempt),
    outcomeCell(one),
    one.worker_id,
    ago(one.started_at, now),
    lasted(one.started_at, one.ended_at, now),
    one.error_details ?? (one.progress === null ? '' : sayProgress(one.progress)),
  ],
  none: 'No attempt has begun.',
};

/** The most that is listed; `export` is for more, and costs the server less. */
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

  const get = program.command('get').description('show a task').addArgument(idArgument('task'));
  get.action((id: string) => perform(get, async (invocation) => {
    const task = await invocation.client.getTask(id);
    await showFields(invocation, task, taskFields(task, Date.now()));
  }));

  const attempts = program.command('attempts').description('list the attempts of a task').addArgument(idArgument('task'));
  attempts.action((id: string) => perform(attempts, async (invocation) => {
    const found = await allOf((after) => invocation.client.listAttempts(id, after), (page) => page.attempts);
    await showList(invocation, found, ATTEMPTS);
  }));

  const adjust = program.command('adjust')
    .description('change the priority or the time of a pending task')
    .addArgument(idArgument('task'));
  adjust
    .option('--priority <number>', 'higher goes first', wholeNumber(LIMITS.minPriority, LIMITS.maxPriority))
    .option('--run-at <time>', 'not before this time; one in the past lets it run at once', parseTime)
    .action((id: string, { priority, runAt }: { priority?: number; runAt?: string }) => perform(adjust, async (invocation) => {
      if (priority === undefined && runAt === undefined) throw new Failure(EXIT.usage, 'Say what to change: --priority or --run-at.');
      const task = await invocation.client.adjustTask(id, defined({ priority, run_at: runAt }));
      await showFields(invocation, task, taskFields(task, Date.now()));
    }));
}

async function listTasks(invocation: Invocation, options: ListOptions): Promise<void> {
  const { terminal, json } = invocation;
  const tasks: Schemas['Task'][] = [];
  let listed = 0;
  let last: Schemas['TaskList'] | null = null;
  for await (const page of pages(invocation, options)) {
    last = page;
    listed += page.tasks.length;
    for (const task of page.tasks) {
      if (json) await terminal.jsonLine(task);
      else if (options.quiet === true) await terminal.line(task.id);
      else tasks.push(task);
    }
  }
  if (last === null) return;
  if (tasks.length > 0) await terminal.rendered(tableOf(tasks, TASKS, terminal.layout));
  const total = `${last.total_is_lower_bound ? 'more than ' : ''}${counted(last.total, 'task')}`;
  const isMore = last.next_cursor !== null && (listed < last.total || last.total_is_lower_bound);
  if (isMore) terminal.note(`${count(listed)} of ${total}; --limit shows more.`);
  else if (listed === 0 && !json && options.quiet !== true) terminal.note('No task fits.');
}

/** Pages of tasks, smaller ones where the API says that they would be too large, until `limit` tasks were given. */
async function* pages({ client }: Invocation, options: ListOptions): AsyncGenerator<Schemas['TaskList']> {
  const query = { ...toQueryFilter(options), sort: options.sort };
  let cursor: string | null = null;
  let most: number = LIMITS.maxPageSize;
  for (let left = options.limit; left > 0;) {
    const page_size = Math.min(left, most);
    let page: Schemas['TaskList'];
    try {
      page = await client.listTasks({ ...query, page_size, ...defined({ cursor: cursor ?? undefined }) });
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

function outcomeCell({ outcome, late }: Schemas['AttemptRecord']): Cell {
  const cell = statusCell(outcome ?? 'running');
  return late === null ? cell : { ...cell, text: `${outcome ?? ''} (${late.outcome}, too late)` };
}
