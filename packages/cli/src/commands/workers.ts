/** `workers`, `worker`: the fleet. */
import { WORKER_STATUSES, type components, type WorkerStatus } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { perform, type Invocation } from '../invocation.js';
import { renderFields, renderTable, type Cell, type Column } from '../output/table.js';
import { at, statusCell } from '../output/tasks.js';
import { ago, count } from '../text/time.js';

type Worker = components['schemas']['Worker'];

const COLUMNS: readonly Column[] = [
  { title: 'ID' }, { title: 'STATUS' }, { title: 'BACKEND' }, { title: 'RUNNING', align: 'right' }, { title: 'COMPLETED', align: 'right' },
  { title: 'FAILED', align: 'right' }, { title: 'LAST HEARTBEAT' }, { title: 'PROBLEMS', gives: true },
];

export function addWorkers(program: Command): void {
  const list = program.command('workers').description('list workers');
  list
    .addOption(new Option('--status <status>', 'only workers in this status').choices(WORKER_STATUSES))
    .option('--backend <type>', 'only workers with this backend')
    .action((options: { status?: WorkerStatus; backend?: string }) => perform(list, (invocation) => listWorkers(invocation, options)));

  const worker = program.command('worker').description('one worker');
  const verbs = {
    show: ['show a worker', (invocation: Invocation, id: string) => invocation.client.getWorker(id)],
    drain: ['let a worker finish what it runs and claim nothing more', (invocation: Invocation, id: string) => invocation.client.drainWorker(id)],
    resume: ['let a worker that drains claim again', (invocation: Invocation, id: string) => invocation.client.resumeWorker(id)],
  } as const;
  for (const [name, [description, call]] of Object.entries(verbs)) {
    const command = worker.command(name).description(description).argument('<id>', 'the id of a worker, such as worker-001-kind');
    command.action((id: string) => perform(command, async (invocation) => {
      const found = await call(invocation, id);
      if (invocation.json) await invocation.terminal.json(found);
      else await invocation.terminal.rendered(renderFields(fieldsOf(found), invocation.terminal.colours));
    }));
  }
}

async function listWorkers({ client, terminal, json }: Invocation, options: { status?: WorkerStatus; backend?: string }): Promise<void> {
  const query = { ...(options.status === undefined ? {} : { status: options.status }), ...(options.backend === undefined ? {} : { backend_type: options.backend }) };
  const workers: Worker[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: components['schemas']['WorkerList'] = await client.listWorkers({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    workers.push(...page.workers);
    cursor = page.next_cursor;
  }
  if (json) {
    for (const worker of workers) await terminal.jsonLine(worker);
    return;
  }
  const now = Date.now();
  if (workers.length > 0) await terminal.rendered(renderTable(COLUMNS, workers.map((worker) => rowOf(worker, now)), terminal.layout));
  else terminal.note('No worker fits.');
}

function statusOf(worker: Worker): Cell {
  return { ...statusCell(worker.status), text: worker.draining && worker.status !== 'offline' ? `${worker.status} (draining)` : worker.status };
}

function slotsOf({ running_tasks: running, capabilities }: Worker): string {
  return `${count(running)}/${count(capabilities.max_parallel_tasks ?? 1)}`;
}

function problemsOf({ capabilities }: Worker): string {
  const globs = capabilities.supported_problems ?? [];
  return globs.length === 0 ? '(all)' : globs.join(', ');
}

function rowOf(worker: Worker, now: number): Cell[] {
  return [
    { text: worker.id }, statusOf(worker), { text: worker.backend_type }, { text: slotsOf(worker) }, { text: count(worker.tasks_completed) },
    { text: count(worker.tasks_failed) }, { text: ago(worker.last_heartbeat, now) }, { text: problemsOf(worker) },
  ];
}

function fieldsOf(worker: Worker): Parameters<typeof renderFields>[0] {
  const now = Date.now();
  return [
    ['id', worker.id],
    ['status', statusOf(worker)],
    ['backend', worker.backend_type],
    ['running', slotsOf(worker)],
    ['task', worker.current_task_id],
    ['problems', problemsOf(worker)],
    ['completed', count(worker.tasks_completed)],
    ['failed', count(worker.tasks_failed)],
    ['last heartbeat', at(worker.last_heartbeat, now)],
    ['registered', at(worker.registered_at, now)],
    ['metadata', Object.keys(worker.metadata).length === 0 ? null : JSON.stringify(worker.metadata)],
  ];
}
