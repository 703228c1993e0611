/** `schedule`: tasks that are submitted again and again. */
import type { components } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { addKeyOption, keyFor, type KeyOptions } from '../input/idempotency-key.js';
import { addTaskOptions, toTemplate, type TaskOptions } from '../input/task-options.js';
import { perform, type Invocation } from '../invocation.js';
import { renderFields, renderTable, type Column } from '../output/table.js';
import { at } from '../output/tasks.js';
import { ago, count, relative } from '../text/time.js';

type Schedule = components['schemas']['Schedule'];

interface CreateOptions extends TaskOptions, KeyOptions {
  readonly cron: string;
  readonly timezone?: string;
  readonly name?: string;
  readonly overlap?: Schedule['overlap'];
  readonly misfire?: Schedule['misfire'];
  readonly paused?: true;
}

const COLUMNS: readonly Column[] = [
  { title: 'ID' }, { title: 'NAME', gives: true }, { title: 'PROBLEM' }, { title: 'CRON' }, { title: 'NEXT' }, { title: 'LAST' }, { title: 'TASKS', align: 'right' },
];

export function addSchedule(program: Command): void {
  const schedule = program.command('schedule').description('tasks that are submitted again and again');

  const create = addTaskOptions(schedule.command('create').description('submit a task again and again; prints the id of the schedule').argument('<problem>', 'the problem of each task'));
  addKeyOption(create, 'creates nothing and gives the same schedule')
    .requiredOption('--cron <expression>', 'when: five fields, or six with seconds first, such as "0 2 * * *"')
    .option('--timezone <name>', 'the time zone that the expression is meant in, such as Europe/Berlin (default: UTC)')
    .option('-n, --name <text>', 'a name for people')
    .addOption(new Option('--overlap <what>', 'while the last task has not ended (default: skip)').choices(['allow', 'skip']))
    .addOption(new Option('--misfire <what>', 'after an outage (default: run_once)').choices(['run_once', 'skip']))
    .option('--paused', 'do not begin yet')
    .action((problem: string, options: CreateOptions) => perform(create, async (invocation) => {
      const { client, terminal, json } = invocation;
      const { cron, timezone, name, overlap, misfire, paused } = options;
      const task = await toTemplate(problem, options);
      const created = await client.createSchedule({
        cron, task,
        ...(timezone === undefined ? {} : { timezone }),
        ...(name === undefined ? {} : { name }),
        ...(overlap === undefined ? {} : { overlap }),
        ...(misfire === undefined ? {} : { misfire }),
        ...(paused === undefined ? {} : { paused }),
      }, keyFor(invocation, options, 'the schedule was created'));
      if (json) await terminal.json(created);
      else await terminal.line(created.id);
    }));

  const list = schedule.command('list').description('list schedules');
  list.action(() => perform(list, listSchedules));

  const show = schedule.command('show').description('show a schedule and its next runs').argument('<id>', 'the id of a schedule');
  show.action((id: string) => perform(show, async (invocation) => showSchedule(invocation, await invocation.client.getSchedule(id))));

  for (const [name, paused, description] of [
    ['pause', true, 'pause a schedule; what it would have submitted meanwhile is not made up for'], ['resume', false, 'resume a schedule'],
  ] as const) {
    const command = schedule.command(name).description(description).argument('<id>', 'the id of a schedule');
    command.action((id: string) => perform(command, async (invocation) => showSchedule(invocation, await invocation.client.changeSchedule(id, { paused }))));
  }

  const remove = schedule.command('delete').description('end a schedule; its tasks stay, and go on').argument('<id>', 'the id of a schedule');
  remove.action((id: string) => perform(remove, async ({ client, terminal, json }) => {
    await client.deleteSchedule(id);
    if (!json) await terminal.line(id);
  }));
}

async function listSchedules({ client, terminal, json }: Invocation): Promise<void> {
  const schedules: Schedule[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: components['schemas']['ScheduleList'] = await client.listSchedules(cursor === undefined ? {} : { cursor });
    schedules.push(...page.schedules);
    cursor = page.next_cursor;
  }
  if (json) {
    for (const schedule of schedules) await terminal.jsonLine(schedule);
    return;
  }
  const now = Date.now();
  const rows = schedules.map((one) => [
    { text: one.id },
    { text: one.name ?? '-' },
    { text: one.task.problem_id },
    { text: one.timezone === 'UTC' ? one.cron : `${one.cron} (${one.timezone})` },
    { text: one.paused ? 'paused' : relative(one.next_runs[0] ?? null, now) },
    { text: ago(one.last_run_at, now) },
    { text: count(one.fires) },
  ]);
  if (rows.length > 0) await terminal.rendered(renderTable(COLUMNS, rows, terminal.layout));
  else terminal.note('There is no schedule.');
}

async function showSchedule({ terminal, json }: Invocation, schedule: Schedule): Promise<void> {
  if (json) {
    await terminal.json(schedule);
    return;
  }
  const now = Date.now();
  const [next, ...later] = schedule.next_runs;
  await terminal.rendered(renderFields([
    ['id', schedule.id],
    ['name', schedule.name],
    ['cron', `${schedule.cron} (${schedule.timezone})`],
    ['state', schedule.paused ? { text: 'paused', colour: 'yellow' } : { text: 'active', colour: 'green' }],
    ['task', JSON.stringify(schedule.task)],
    ['overlap', schedule.overlap ?? null],
    ['misfire', schedule.misfire ?? null],
    ['next', at(next ?? null, now)],
    ...later.map((moment): [string, string | null] => ['', at(moment, now)]),
    ['last', at(schedule.last_run_at, now)],
    ['last task', schedule.last_task_id],
    ['submitted', `${count(schedule.fires)} (left out: ${count(schedule.skips)})`],
  ], terminal.colours));
}
