/** One call of a worker, as the scripted server saw it. */
export type Operation = 'register' | 'heartbeat' | 'claim' | 'claim-batch' | 'report' | 'complete' | 'fail' | 'release' | 'logs' | 'progress' | 'artifacts' | 'drain' | 'leave' | 'task' | 'other';

export interface Call {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  /** When it had arrived, by performance.now(). */
  readonly at: number;
  readonly contentType: string | null;
  /** Empty where the path names none. */
  readonly workerId: string;
  readonly taskId: string;
  /** From the headers Worker-Session and Task-Attempt. */
  readonly session: string | null;
  readonly attempt: number | null;
  /** Of a file: its `name` and its `text`. */
  readonly body: Record<string, unknown>;
  /** The status that it was answered with; null while it hangs, or where its connection was cut. */
  status: number | null;
}

/** Calls that are not about one task. */
const OF_WORKER: ReadonlySet<string> = new Set(['heartbeat', 'claim', 'claim-batch', 'report', 'drain']);

/** What a path is about. */
export function operationOf(method: string, path: string): Pick<Call, 'operation' | 'workerId' | 'taskId'> {
  if (method === 'POST' && path === '/api/v1/workers/register') return { operation: 'register', workerId: '', taskId: '' };
  const [, readId] = /^\/api\/v1\/tasks\/([^/]+)$/.exec(path) ?? [];
  if (method === 'GET' && readId !== undefined) return { operation: 'task', workerId: '', taskId: readId };
  const found = /^\/api\/v1\/workers\/([^/]+)(?:\/tasks\/([^/]+))?(?:\/(heartbeat|claim|claim-batch|report|complete|fail|release|logs|progress|artifacts|drain))?$/.exec(path);
  const [, workerId = '', taskId = '', verb] = found ?? [];
  if (method === 'DELETE' && workerId !== '' && taskId === '' && verb === undefined) return { operation: 'leave', workerId, taskId };
  if (method !== (verb === 'artifacts' ? 'PUT' : 'POST') || verb === undefined || (taskId === '') !== OF_WORKER.has(verb)) return { operation: 'other', workerId, taskId };
  return { operation: verb as Operation, workerId, taskId };
}
