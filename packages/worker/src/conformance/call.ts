/** One call of a worker, as the scripted server saw it. */
export type Operation = 'register' | 'heartbeat' | 'claim' | 'claim-batch' | 'report' | 'complete' | 'fail' | 'release' | 'logs'
  | 'progress' | 'artifacts' | 'drain' | 'leave' | 'task' | 'other';

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
  /** The body as JSON; that of a file is its `name` and its `text`. */
  readonly body: Record<string, unknown>;
  /** The status that it was answered with; null while it hangs, or where its connection was cut. */
  status: number | null;
}

/** How an attempt is reported to have ended. */
export type Verb = 'complete' | 'fail' | 'release';

export interface ReportCall extends Call {
  readonly operation: Verb;
}

/** The calls that take tasks, and those that end them: a worker may make them for one or for many. */
export const CLAIMS: readonly Operation[] = ['claim', 'claim-batch'];
export const REPORTS: readonly Operation[] = ['complete', 'fail', 'release', 'report'];

/** What a report among many says, by its outcome. */
const VERBS: Readonly<Record<string, Verb>> = { completed: 'complete', failed: 'fail', released: 'release' };

/** Calls that are not about one task. */
const OF_WORKER: ReadonlySet<string> = new Set(['heartbeat', 'claim', 'claim-batch', 'report', 'drain']);

/** What a call reports: of one for many, each report as the call for one that says the same. */
export function reportsIn(call: Call): ReportCall[] {
  const { operation } = call;
  if (operation === 'complete' || operation === 'fail' || operation === 'release') return [{ ...call, operation }];
  if (operation !== 'report') return [];
  const reports = (call.body.reports ?? []) as { task_id: string; attempt: number; outcome: string; result?: Record<string, unknown> }[];
  return reports.map(({ task_id, attempt, outcome, result, ...rest }) =>
    ({ ...call, operation: VERBS[outcome] ?? 'fail', taskId: task_id, attempt, body: result ?? rest }));
}

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
