/** `workers`, `worker`: the fleet. */
import { WORKER_STATUSES, type components, type WorkerStatus } from '@task-executor/shared';
import { Option, type Command } from 'commander';
import { defined } from '../defined.js';
import { workerArgument } from '../input/ids.js';
import { perform, type Invocation } from '../invocation.js';
import { showFields, showList, type ListStyle } from '../output/show.js';
import type { Cell, Fields } from '../output/table.js';
import { at, sayJson, statusCell } from '../output/tasks.js';
import { allOf } from '../pages.js';
import { count } from '../text/amounts.js';
import { ago } from '../text/time.js';

type Worker = components['schemas']['Worker'];

const WORKERS: ListStyle<Worker> = {
  columns: [
    { title: 'ID' }, { title: 'STATUS' }, { title: 'BACKEND' }, { title: 'RUNNING', align: 'right' },
    { title: 'COMPLETED', align: 'right' }, { title: 'FAILED', align: 'right' }, { title: 'LAST HEARTBEAT' },
    { title: 'PROBLEMS', gives: true },
  ],
  rowOf: (worker, now) => [
    worker.id, statusOf(worker), worker.backend_type, slotsOf(worker), count(worker.tasks_completed),
    count(worker.tasks_failed), ago(worker.last_heartbeat, now), problemsOf(worker),
  ],
  none: 'No worker fits.',
};

interface ListOptions {
  readonly status?: WorkerStatus;
  readonly backend?: string;
}

export function addWorkers(program: Command): void {
  const list = program.command('workers').description('list workers');
  list
    .addOption(new Option('--status <status>', 'only workers in this status').choices(WORKER_STATUSES))
    .option('--backend <type>', 'only workers with this backend')
    .action((options: ListOptions) => perform(list, (invocation) => listWorkers(invocation, options)));

  const worker = program.command('worker').description('one worker');
  const verbs = {
    show: ['show a worker', ({ client }: Invocation, id: string) => client.getWorker(id)],
    drain: ['let a worker finish what it runs and claim nothing more', ({ client }: Invocation, id: string) => client.drainWorker(id)],
    resume: ['let a worker that drains claim again', ({ client }: Invocation, id: string) => client.resumeWorker(id)],
  } as const;
  for (const [name, [description, call]] of Object.entries(verbs)) {
    const command = worker.command(name).description(description).addArgument(workerArgument());
    command.action((id: string) => perform(command, async (invocation) => {
      const found = await call(invocation, id);
      await showFields(invocation, found, fieldsOf(found));
    }));
  }
}

async function listWorkers(invocation: Invocation, { status, backend }: ListOptions): Promise<void> {
  const filter = defined({ status, backend_type: backend });
  const workers = await allOf((after) => invocation.client.listWorkers({ ...filter, ...after }), (page) => page.workers);
  await showList(invocation, workers, WORKERS);
}

/** The status, and why a worker that is there claims nothing. */
function statusOf(worker: Worker): Cell {
  const { status, draining } = worker;
  const why = [draining ? 'draining' : '', unfitOf(worker) === null ? '' : 'unfit'].filter((word) => word !== '').join(', ');
  return { ...statusCell(status), text: why === '' || status === 'offline' ? status : `${status} (${why})` };
}

/** Why the worker is unfit; null: it is not. */
function unfitOf({ metadata }: Worker): string | null {
  return typeof metadata['unfit'] === 'string' ? metadata['unfit'] : null;
}

function slotsOf({ running_tasks: running, capabilities }: Worker): string {
  return `${count(running)}/${count(capabilities.max_parallel_tasks ?? 1)}`;
}

function problemsOf({ capabilities }: Worker): string {
  const globs = capabilities.supported_problems ?? [];
  return globs.length === 0 ? '(all)' : globs.join(', ');
}

function fieldsOf(worker: Worker): Fields {
  const now = Date.now();
  return [
    ['id', worker.id],
    ['status', statusOf(worker)],
    ['unfit', unfitOf(worker)],
    ['backend', worker.backend_type],
    ['running', slotsOf(worker)],
    ['task', worker.current_task_id],
    ['problems', problemsOf(worker)],
    ['completed', count(worker.tasks_completed)],
    ['failed', count(worker.tasks_failed)],
    ['last heartbeat', at(worker.last_heartbeat, now)],
    ['registered', at(worker.registered_at, now)],
    ['metadata', sayJson(worker.metadata)],
  ];
}
