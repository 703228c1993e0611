/** The bulk operations of the model: which tasks one means, and what its next piece is. Pure. */
import { supportsProblem } from '@task-executor/shared';
import { isLive, statusOf, type ModelTask } from './task.js';

/** As a client writes it. */
export interface BulkFilter {
  readonly status?: readonly string[];
  readonly problem_id?: string;
  readonly problem_glob?: string;
  readonly worker_id?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ModelBulk {
  readonly id: string;
  readonly action: 'cancel' | 'retry';
  readonly filter: BulkFilter;
  state: 'running' | 'done' | 'stopped';
  /** The last task that it looked at: the newest of them where it retries, the oldest where it cancels. */
  reached: string | null;
  /** The last task that there was when it began. */
  readonly until: string | null;
  examined: number;
  changed: number;
  /** When it was last at work: the one that has waited longest goes next. */
  turn: number;
}

/** The one whose piece is next. */
export function nextOf(operations: readonly ModelBulk[]): ModelBulk | null {
  return operations.filter(({ state }) => state === 'running').sort((a, b) => a.turn - b.turn)[0] ?? null;
}

/** Up to `most` tasks that the operation comes to next, and whether there are more. */
export function pieceOf(
  { action, filter, reached, until }: ModelBulk, tasks: readonly ModelTask[], most: number,
): { piece: ModelTask[]; hasMore: boolean } {
  const isLeft = ({ id }: ModelTask): boolean => reached === null || (action === 'cancel' ? id < reached : id > reached);
  const left = tasks
    .filter((task) => isLeft(task) && task.id <= (until ?? '') && isMeant(action, filter, task) && fits(filter, task))
    .sort((a, b) => ((a.id < b.id) === (action === 'retry') ? -1 : 1));
  return { piece: left.slice(0, most), hasMore: left.length > most };
}

/** Whether no task can be meant: the action is about none of the statuses that are asked for. */
export function isVain(action: ModelBulk['action'], { status = [] }: BulkFilter): boolean {
  return status.length > 0 && status.every((one) => (one === 'pending' || one === 'running') !== (action === 'cancel'));
}

/** What has not ended can be cancelled; what has can be retried, and of that is, unless the filter says so, what did not complete. */
function isMeant(action: ModelBulk['action'], { status = [] }: BulkFilter, task: ModelTask): boolean {
  if (action === 'cancel') return isLive(task);
  return !isLive(task) && (status.length > 0 || task.state !== 'completed');
}

function fits({ status = [], problem_id: problem, problem_glob: glob, worker_id: worker, labels = {} }: BulkFilter, task: ModelTask): boolean {
  return (status.length === 0 || status.includes(statusOf(task)))
    && (problem === undefined || task.spec.problem === problem)
    && (glob === undefined || supportsProblem([glob], task.spec.problem))
    && (worker === undefined || (task.holder?.worker ?? task.endedBy) === worker)
    && Object.entries(labels).every(([key, value]) => task.spec.labels[key] === value);
}
