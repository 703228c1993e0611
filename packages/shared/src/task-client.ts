/**
 * A typed client of the API for whoever submits, watches and operates; ApiClient is for workers. Every call is repeated while the API is
 * away, within the patience that the client was given. That is safe: reading changes nothing, what creates takes an `Idempotency-Key`,
 * and each of the others knows what it means that an earlier try may have been carried out.
 */
import type { Readable } from 'node:stream';
import type { ApiHeaders } from './api-headers.js';
import { ApiClient, type ArtifactDownload, type FollowOptions } from './client.js';
import { ApiError, CALL_TIMEOUT_MS, Connection, type CallOptions } from './connection.js';
import type { components, operations } from './contract.gen.js';
import type { TaskEvent } from './events.js';
import type { ProblemCode } from './problems.js';
import { toQuery } from './query.js';
import { repeated, type Patience } from './repeat.js';

type Schemas = components['schemas'];
type Method = Parameters<Connection['call']>[0];
type Query<Operation extends keyof operations> = NonNullable<operations[Operation]['parameters']['query']>;

/** Many tasks take the server longer than one. */
const BULK_TIMEOUT_MS = 120_000;
/** The export sends a line as soon as it has one; a task with a long log may keep it busy for a while. */
const EXPORT_SILENCE_MS = 120_000;

/** The name of one request, under which it may be repeated; see `Idempotency-Key` in the contract. */
export type IdempotencyKey = string;

export class TaskClient {
  readonly #api: Connection;
  /** For events and downloads, which it reads as well. */
  readonly #streams: ApiClient;
  readonly #patience: Patience;

  /** Every call carries `headers`, see parseApiHeaders. */
  constructor(apiUrl: string, patience: Patience, headers: ApiHeaders = {}) {
    this.#api = new Connection(apiUrl, headers);
    this.#streams = new ApiClient(apiUrl, headers);
    this.#patience = patience;
  }

  async close(): Promise<void> {
    await Promise.all([this.#api.close(), this.#streams.close()]);
  }

  submitTask(submission: Schemas['TaskSubmission'], key: IdempotencyKey): Promise<Schemas['Task']> {
    return this.#call('POST', '/tasks', { body: submission, headers: keyHeader(key) });
  }

  /** Each task has its `idempotency_key`, or the call may create it twice. */
  submitTasks(tasks: readonly (Schemas['BatchItem'] & { idempotency_key: string })[]): Promise<Schemas['TaskBatchResult']> {
    return this.#call('POST', '/tasks/batch', { body: { tasks }, timeoutMs: BULK_TIMEOUT_MS });
  }

  listTasks(query: Query<'listTasks'>): Promise<Schemas['TaskList']> {
    return this.#call('GET', `/tasks${toQuery(query)}`);
  }

  /** The lines of the export (see `ExportLine`), as they come. */
  exportTasks(query: Query<'exportTasks'>): Promise<Readable> {
    const options = { headers: { accept: 'application/x-ndjson' }, bodyTimeout: EXPORT_SILENCE_MS, signal: this.#patience.signal };
    return repeated(this.#patience, async () => (await this.#api.send('GET', `/api/v1/tasks/export${toQuery(query)}`, options)).body);
  }

  taskStats(): Promise<Schemas['TaskStats']> {
    return this.#call('GET', '/tasks/stats');
  }

  /** The task as it is now; with `waitSeconds`, once it has ended, or as it is after that time. */
  getTask(taskId: string, waitSeconds?: number): Promise<Schemas['Task']> {
    return this.#call('GET', `/tasks/${encodeURIComponent(taskId)}${toQuery({ wait_seconds: waitSeconds })}`, {
      timeoutMs: (waitSeconds ?? 0) * 1000 + CALL_TIMEOUT_MS,
    });
  }

  /** The events of a task, as by `ApiClient.followTask`, which has a patience of its own. */
  followTask(taskId: string, options: Omit<FollowOptions, 'signal'>): AsyncGenerator<TaskEvent, void, undefined> {
    return this.#streams.followTask(taskId, { ...options, signal: this.#patience.signal });
  }

  listArtifacts(taskId: string, query: Query<'listTaskArtifacts'>): Promise<Schemas['ArtifactList']> {
    return this.#call('GET', `/tasks/${encodeURIComponent(taskId)}/artifacts${toQuery(query)}`);
  }

  /** A file of a task, from byte `from` on. */
  downloadArtifact(taskId: string, artifactId: string, from: number): Promise<ArtifactDownload> {
    return repeated(this.#patience, () => this.#streams.downloadArtifact(taskId, artifactId, { from, signal: this.#patience.signal }));
  }

  adjustTask(taskId: string, change: Schemas['TaskAdjustment']): Promise<Schemas['Task']> {
    return this.#call('PATCH', `/tasks/${encodeURIComponent(taskId)}`, { body: change });
  }

  cancelTask(taskId: string): Promise<Schemas['Task']> {
    const path = `/tasks/${encodeURIComponent(taskId)}`;
    const done = (error: ApiError): boolean => error.code === 'task_terminal' && error.problem.task_status === 'cancelled';
    return this.#once('POST', `${path}/cancel`, done, () => this.#call('GET', path));
  }

  retryTask(taskId: string, key: IdempotencyKey): Promise<Schemas['Task']> {
    return this.#call('POST', `/tasks/${encodeURIComponent(taskId)}/retry`, { headers: keyHeader(key) });
  }

  listAttempts(taskId: string, query: Query<'listTaskAttempts'>): Promise<Schemas['AttemptList']> {
    return this.#call('GET', `/tasks/${encodeURIComponent(taskId)}/attempts${toQuery(query)}`);
  }

  explainTask(taskId: string): Promise<Schemas['TaskExplanation']> {
    return this.#call('GET', `/tasks/${encodeURIComponent(taskId)}/explain`);
  }

  getLogs(taskId: string, query: Query<'getTaskLogs'>): Promise<Schemas['TaskLogPage']> {
    return this.#call('GET', `/tasks/${encodeURIComponent(taskId)}/logs${toQuery(query)}`);
  }

  submitWorkflow(workflow: Schemas['WorkflowSubmission'], key: IdempotencyKey): Promise<Schemas['Workflow']> {
    return this.#call('POST', '/workflows', { body: workflow, headers: keyHeader(key), timeoutMs: BULK_TIMEOUT_MS });
  }

  getWorkflow(workflowId: string): Promise<Schemas['Workflow']> {
    return this.#call('GET', `/workflows/${encodeURIComponent(workflowId)}`);
  }

  /** Repeated, it changes nothing. */
  cancelWorkflow(workflowId: string): Promise<Schemas['Workflow']> {
    return this.#call('POST', `/workflows/${encodeURIComponent(workflowId)}/cancel`);
  }

  retryWorkflow(workflowId: string, key: IdempotencyKey): Promise<Schemas['Workflow']> {
    return this.#call('POST', `/workflows/${encodeURIComponent(workflowId)}/retry`, {
      headers: keyHeader(key), timeoutMs: BULK_TIMEOUT_MS,
    });
  }

  createSchedule(schedule: Schemas['ScheduleSubmission'], key: IdempotencyKey): Promise<Schemas['Schedule']> {
    return this.#call('POST', '/schedules', { body: schedule, headers: keyHeader(key) });
  }

  listSchedules(query: Query<'listSchedules'>): Promise<Schemas['ScheduleList']> {
    return this.#call('GET', `/schedules${toQuery(query)}`);
  }

  getSchedule(scheduleId: string): Promise<Schemas['Schedule']> {
    return this.#call('GET', `/schedules/${encodeURIComponent(scheduleId)}`);
  }

  changeSchedule(scheduleId: string, change: Schemas['ScheduleChange']): Promise<Schemas['Schedule']> {
    return this.#call('PATCH', `/schedules/${encodeURIComponent(scheduleId)}`, { body: change });
  }

  deleteSchedule(scheduleId: string): Promise<void> {
    return this.#once('DELETE', `/schedules/${encodeURIComponent(scheduleId)}`, isCode('schedule_not_found'), gone);
  }

  createBulkOperation(operation: Schemas['BulkSubmission'], key: IdempotencyKey): Promise<Schemas['BulkOperation']> {
    return this.#call('POST', '/bulk-operations', { body: operation, headers: keyHeader(key) });
  }

  listBulkOperations(query: Query<'listBulkOperations'>): Promise<Schemas['BulkOperationList']> {
    return this.#call('GET', `/bulk-operations${toQuery(query)}`);
  }

  getBulkOperation(operationId: string): Promise<Schemas['BulkOperation']> {
    return this.#call('GET', `/bulk-operations/${encodeURIComponent(operationId)}`);
  }

  stopBulkOperation(operationId: string): Promise<Schemas['BulkOperation']> {
    const path = `/bulk-operations/${encodeURIComponent(operationId)}`;
    return this.#once('POST', `${path}/stop`, isCode('bulk_operation_ended'), () => this.#call('GET', path));
  }

  listLimits(): Promise<Schemas['LimitList']> {
    return this.#call('GET', '/limits');
  }

  createLimit(limit: Schemas['LimitSubmission'], key: IdempotencyKey): Promise<Schemas['Limit']> {
    return this.#call('POST', '/limits', { body: limit, headers: keyHeader(key) });
  }

  changeLimit(limitId: string, change: Schemas['LimitChange']): Promise<Schemas['Limit']> {
    return this.#call('PATCH', `/limits/${encodeURIComponent(limitId)}`, { body: change });
  }

  deleteLimit(limitId: string): Promise<void> {
    return this.#once('DELETE', `/limits/${encodeURIComponent(limitId)}`, isCode('limit_not_found'), gone);
  }

  listPauses(): Promise<Schemas['PauseList']> {
    return this.#call('GET', '/queue/pauses');
  }

  /** Repeated, it changes nothing. */
  pause(pause: Schemas['PauseSubmission']): Promise<Schemas['Pause']> {
    return this.#call('POST', '/queue/pause', { body: pause });
  }

  /** Repeated, it changes nothing, and answers that nothing was paused. */
  resume(resumption: Schemas['Resumption']): Promise<Schemas['Resumed']> {
    return this.#call('POST', '/queue/resume', { body: resumption });
  }

  explainQueue(): Promise<Schemas['QueueExplanation']> {
    return this.#call('GET', '/queue/explain');
  }

  listWorkers(query: Query<'listWorkers'>): Promise<Schemas['WorkerList']> {
    return this.#call('GET', `/workers${toQuery(query)}`);
  }

  getWorker(workerId: string): Promise<Schemas['Worker']> {
    return this.#call('GET', `/workers/${encodeURIComponent(workerId)}`);
  }

  /** Repeated, it changes nothing. */
  drainWorker(workerId: string): Promise<Schemas['Worker']> {
    return this.#call('POST', `/workers/${encodeURIComponent(workerId)}/drain`);
  }

  /** Repeated, it changes nothing. */
  resumeWorker(workerId: string): Promise<Schemas['Worker']> {
    return this.#call('POST', `/workers/${encodeURIComponent(workerId)}/resume`);
  }

  #call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    return repeated(this.#patience, () => this.#api.call<T>(method, `/api/v1${path}`, { ...options, signal: this.#patience.signal }));
  }

  /** A call that succeeds once: where a repetition is refused because an earlier try had succeeded (`done`), `otherwise` answers. */
  #once<T>(method: Method, path: string, done: (error: ApiError) => boolean, otherwise: () => Promise<T>): Promise<T> {
    return repeated(this.#patience, async (again) => {
      try {
        return await this.#api.call<T>(method, `/api/v1${path}`, { signal: this.#patience.signal });
      } catch (error) {
        if (again && error instanceof ApiError && done(error)) return otherwise();
        throw error;
      }
    });
  }
}

function keyHeader(key: IdempotencyKey): Record<string, string> {
  return { 'idempotency-key': key };
}

function isCode(code: ProblemCode): (error: ApiError) => boolean {
  return (error) => error.code === code;
}

function gone(): Promise<void> {
  return Promise.resolve();
}
