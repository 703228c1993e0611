/** `schedule`: tasks that are submitted again and again. */
import type { components } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { defined } from '../defined.js';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { idArgument } from '../input/ids.js';
import { addTaskOptions, toTemplate, type TaskOptions } from '../input/task-options.js';
import { perform, type Invocation } from '../invocation.js';
import { showCreated, showFields, showList, type ListStyle } from '../output/show.js';
import type { Fields } from '../output/table.js';
import { at } from '../output/tasks.js';
import { allOf } from '../pages.js';
import { count } from '../text/amounts.js';
import { ago, relative } from '../text/time.js';

type Schedule = components['schemas']['Schedule'];

interface CreateOptions extends TaskOptions, KeyOptions {
  readonly cron: string;
  readonly timezone?: string;
  readonly name?: string;
  readonly overlap?: Schedule['overlap'];
  readonly misfire?: Schedule['misfire'];
  readonly paused?: true;
}

const SCHEDULES: ListStyle<Schedule> = {
  columns: [
    { title: 'ID' }, { title: 'NAME', gives: true }, { title: 'PROBLEM' }, { title: 'CRON' }, { title: 'NEXT' }, { title: 'LAST' },
    { title: 'TASKS', align: 'right' },
  ],
  rowOf: (one, now) => [
    one.id,
    one.name ?? '-',
    one.task.problem_id,
    one.timezone === 'UTC' ? one.cron : `${one.cron} (${one.timezone})`,
    one.paused ? 'paused' : relative(one.next_runs[0] ?? null, now),
    ago(one.last_run_at, now),
    count(one.fires),
  ],
  none: 'There is no schedule.',
};

export function addSchedule(program: Command): void {
  const schedule = program.command('schedule').description('tasks that are submitted again and again');

  const create = schedule.command('create')
    .description('submit a task again and again; prints the id of the schedule')
    .argument('<problem>', 'the problem of each task');
  addKeyOption(addTaskOptions(create), 'creates nothing and gives the same schedule')
    .requiredOption('--cron <expression>', 'when: five fields, or six with seconds first, such as "0 2 * * *"')
    .option('--timezone <name>', 'the time zone that the expression is meant in, such as Europe/Berlin (default: UTC)')
    .option('-n, --name <text>', 'a name for people')
    .addOption(new Option('--overlap <what>', 'while the last task has not ended (default: skip)').choices(['allow', 'skip']))
    .addOption(new Option('--misfire <what>', 'after an outage (default: run_once)').choices(['run_once', 'skip']))
    .option('--paused', 'do not begin yet')
    .action((problem: string, options: CreateOptions) => perform(create, async (invocation) => {
      const { cron, timezone, name, overlap, misfire, paused } = options;
      const task = await toTemplate(problem, options);
      const wanted = { cron, task, ...defined({ timezone, name, overlap, misfire, paused }) };
      const key = keyFor(invocation, options, 'the schedule was created');
      await showCreated(invocation, await invocation.client.createSchedule(wanted, key));
    }));

  const list = schedule.command('list').description('list schedules');
  list.action(() => perform(list, async (invocation) => {
    const schedules = await allOf((after) => invocation.client.listSchedules(after), (page) => page.schedules);
    await showList(invocation, schedules, SCHEDULES);
  }));

  const show = schedule.command('show').description('show a schedule and its next runs').addArgument(idArgument('schedule'));
  show.action((id: string) => perform(show, async (invocation) => {
    await showSchedule(invocation, await invocation.client.getSchedule(id));
  }));

  for (const [name, paused, description] of [
    ['pause', true, 'pause a schedule; what it would have submitted meanwhile is not made up for'], ['resume', false, 'resume a schedule'],
  ] as const) {
    const command = schedule.command(name).description(description).addArgument(idArgument('schedule'));
    command.action((id: string) => perform(command, async (invocation) => {
      await showSchedule(invocation, await invocation.client.changeSchedule(id, { paused }));
    }));
  }

  const remove = schedule.command('delete')
    .description('end a schedule; its tasks stay, and go on')
    .addArgument(idArgument('schedule'));
  remove.action((id: string) => perform(remove, async ({ client, terminal, json }) => {
    await client.deleteSchedule(id);
    if (!json) await terminal.line(id);
  }));
}

function showSchedule(invocation: Invocation, schedule: Schedule): Promise<void> {
  return showFields(invocation, schedule, fieldsOf(schedule));
}

function fieldsOf(schedule: Schedule): Fields {
  const now = Date.now();
  const [next, ...later] = schedule.next_runs;
  return [
    ['id', schedule.id],
    ['name', schedule.name],
    ['cron', `${schedule.cron} (${schedule.timezone})`],
    ['state', schedule.paused ? { text: 'paused', colour: 'yellow' } : { text: 'active', colour: 'green' }],
    ['task', JSON.stringify(schedule.task)],
    ['overlap', schedule.overlap ?? null],
    ['misfire', schedule.misfire ?? null],
    ['next', at(next ?? null, now)],
    ...later.map((moment): Fields[number] => ['', at(moment, now)]),
    ['last', at(schedule.last_run_at, now)],
    ['last task', schedule.last_task_id],
    ['submitted', `${count(schedule.fires)} (left out: ${count(schedule.skips)})`],
  ];
}
