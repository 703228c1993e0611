/**
 * A typed client of the API for workers. It makes each call once, within a bound of time; repeating it is for the worker, and safe. What
 * goes wrong is one of two things: ApiError, an answer that is no success, or ApiUnreachable, where nobody knows whether the call was
 * carried out. Whoever submits, watches or operates has TaskClient, which follows tasks and downloads files through this one.
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  areClaimed, areReceipts, isArtifact, isClaimed, isHeartbeatOf, isLogReceipt, isRegistered, isTask, type IsAnswer,
} from './answers.js';
import type { ApiHeaders } from './api-headers.js';
import { backoffMs } from './backoff.js';
import { bounded } from './bounded.js';
import { ApiError, ApiUnreachable, CALL_TIMEOUT_MS, Connection, jsonOf } from './connection.js';
import type { components } from './contract.gen.js';
import { parseEvents, type TaskEvent } from './events.js';
import { toQuery } from './query.js';

type Schemas = components['schemas'];

/** An upload has a second more than other calls for each of these bytes. */
const UPLOAD_BYTES_PER_SECOND = 256 * 1024;
/** Three times as long as a stream of events, or a download, is ever silent. */
const SILENCE_MS = 45_000;
const RECONNECT = { initialMs: 250, maxMs: 5_000 };
const MAX_RECONNECTS = 20;

/** The worker that calls, under its session. */
export interface WorkerIdentity {
  readonly workerId: string;
  readonly session: string;
}

/** A file to be stored. */
export interface ArtifactUpload {
  /** A relative path. */
  readonly name: string;
  /** Exactly `bytes` bytes. */
  readonly stream: Readable;
  readonly bytes: number;
  readonly contentType?: string;
  /** The SHA-256 of the bytes, where it is known already; the server compares. */
  readonly sha256?: Buffer;
}

/** A file on its way; `stream` is to be read or destroyed. */
export interface ArtifactDownload {
  readonly stream: Readable;
  /** How many bytes will come. */
  readonly bytes: number;
  /** The SHA-256 of the whole file, in hexadecimal. */
  readonly sha256: string;
}

export interface FollowOptions {
  /** Whether lines of the log are sent. */
  readonly logs?: boolean;
  /** The one level whose lines are sent. */
  readonly level?: Schemas['LogLevel'];
  /** The `id` of the last event that was read, to go on after it. */
  readonly lastEventId?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface DownloadOptions {
  /** The first byte that is wanted. */
  readonly from?: number;
  readonly signal?: AbortSignal | undefined;
}

export class ApiClient {
  readonly #api: Connection;

  /** Every call carries `headers`, see parseApiHeaders. */
  constructor(apiUrl: string, headers: ApiHeaders = {}) {
    this.#api = new Connection(apiUrl, headers);
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  /** The task as it is now; with `waitSeconds`, once it has ended, or as it is after that time. */
  getTask(taskId: string, { waitSeconds = 0, signal }: { waitSeconds?: number; signal?: AbortSignal } = {}): Promise<Schemas['Task']> {
    const query = toQuery({ wait_seconds: waitSeconds > 0 ? waitSeconds : undefined });
    return this.#api.call('GET', `${taskPath(taskId)}${query}`, {
      timeoutMs: waitSeconds * 1000 + CALL_TIMEOUT_MS, signal, isAnswer: isTask(taskId),
    });
  }

  /**
   * The events of a task, up to and with its terminal status. Where the stream ends before, it is opened again, without a line lost or
   * repeated. @throws ApiUnreachable after MAX_RECONNECTS failures in a row
   */
  async* followTask(taskId: string, options: FollowOptions = {}): AsyncGenerator<TaskEvent, void, undefined> {
    const { logs = false, level, lastEventId = '', signal } = options;
    const query = toQuery({ logs: logs ? true : undefined, level });
    let last = lastEventId;
    for (let failures = 0; ;) {
      try {
        const { statusCode, body } = await this.#api.send('GET', `${taskPath(taskId)}/events${query}`, {
          headers: { accept: 'text/event-stream', ...(last === '' ? {} : { 'last-event-id': last }) }, signal, bodyTimeout: SILENCE_MS,
        });
        if (statusCode === 204) return;
        for await (const { id, event, data } of parseEvents(body)) {
          failures = 0;
          last = id;
          yield { id, event, data: JSON.parse(data) as unknown } as TaskEvent;
          if (id.endsWith('-end')) return;
        }
      } catch (error) {
        signal?.throwIfAborted();
        failures += 1;
        if ((error instanceof ApiError && !error.retryable) || failures > MAX_RECONNECTS) {
          throw error instanceof ApiError || error instanceof ApiUnreachable ? error : new ApiUnreachable(String(error), { cause: error });
        }
        await sleep(backoffMs(RECONNECT, failures, Math.random()), undefined, { signal });
      }
    }
  }

  /** A file, or the rest of it. */
  async downloadArtifact(taskId: string, artifactId: string, { from = 0, signal }: DownloadOptions = {}): Promise<ArtifactDownload> {
    const { headers, body } = await this.#api.send('GET', `${taskPath(taskId)}/artifacts/${encodeURIComponent(artifactId)}`, {
      headers: { accept: '*/*', ...(from > 0 ? { range: `bytes=${from}-` } : {}) }, signal, bodyTimeout: SILENCE_MS,
    });
    return { stream: body, bytes: Number(headers['content-length']), sha256: (headers.etag as string).replaceAll('"', '') };
  }

  /** A page of the workers in `status`: the first, or that after `cursor`, the `next_cursor` of the page before. */
  listWorkers(status: Schemas['WorkerStatus'], cursor: string | null = null): Promise<Schemas['WorkerList']> {
    return this.#api.call('GET', `/api/v1/workers${toQuery({ status, cursor: cursor ?? undefined })}`);
  }

  register(registration: Schemas['WorkerRegistration'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    return this.#api.call('POST', '/api/v1/workers/register', { body: registration, signal, isAnswer: isRegistered });
  }

  deregister(worker: WorkerIdentity): Promise<void> {
    return this.#api.call('DELETE', workerPath(worker), { headers: sessionHeader(worker) });
  }

  /** Says that the worker takes nothing more. */
  drain(worker: WorkerIdentity, signal?: AbortSignal): Promise<Schemas['Worker']> {
    return this.#api.call('POST', `${workerPath(worker)}/drain`, { headers: sessionHeader(worker), signal });
  }

  heartbeat(worker: WorkerIdentity, heartbeat: Schemas['Heartbeat'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    const timeoutMs = (heartbeat.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    return this.#api.call('POST', `${workerPath(worker)}/heartbeat`, {
      body: heartbeat, headers: sessionHeader(worker), timeoutMs, signal, isAnswer: isHeartbeatOf(worker),
    });
  }

  /** The claimed task, or null where there was none within `wait_seconds`. */
  async claim(worker: WorkerIdentity, claim: Schemas['Claim'], signal?: AbortSignal): Promise<Schemas['Task'] | null> {
    const timeoutMs = (claim.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    const task = await this.#api.call<Schemas['Task'] | undefined>('POST', `${workerPath(worker)}/claim`, {
      body: claim, headers: sessionHeader(worker), timeoutMs, signal, isAnswer: isClaimed,
    });
    return task ?? null;
  }

  /** Up to `max_tasks` claimed tasks: those that are there, or the first that comes within `wait_seconds`; maybe none. */
  claimMany(worker: WorkerIdentity, claim: Schemas['BatchClaim'], signal?: AbortSignal): Promise<Schemas['ClaimedTasks']> {
    const timeoutMs = (claim.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    return this.#api.call<Schemas['ClaimedTasks']>('POST', `${workerPath(worker)}/claim-batch`, {
      body: claim, headers: sessionHeader(worker), timeoutMs, signal, isAnswer: areClaimed,
    });
  }

  /** Reports of many attempts at once, as complete, fail and release make one. The answer says what became of each, in their order. */
  async reportMany(worker: WorkerIdentity, reports: Schemas['ReportBatch']['reports']): Promise<readonly Schemas['ReportReceipt'][]> {
    const answer = await this.#api.call<Schemas['ReportReceipts']>('POST', `${workerPath(worker)}/report`, {
      body: { reports }, headers: sessionHeader(worker), isAnswer: areReceipts,
    });
    return answer.reports;
  }

  complete(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], result: Record<string, unknown>): Promise<Schemas['Task']> {
    return this.#report(worker, attempt, 'complete', result, isTask(attempt.task_id));
  }

  fail(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], failure: Schemas['Failure']): Promise<Schemas['Task']> {
    return this.#report(worker, attempt, 'fail', failure, isTask(attempt.task_id));
  }

  release(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], body: Schemas['Release']): Promise<Schemas['Task']> {
    return this.#report(worker, attempt, 'release', body, isTask(attempt.task_id));
  }

  appendLogs(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], batch: Schemas['LogBatch']): Promise<Schemas['LogReceipt']> {
    return this.#report(worker, attempt, 'logs', batch, isLogReceipt);
  }

  /** Says how far the attempt is, in place of what it said before. */
  putProgress(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], progress: Schemas['Progress']): Promise<void> {
    return this.#report(worker, attempt, 'progress', progress);
  }

  /**
   * Stores a file. The stream is read once, whatever comes of it; to repeat the call, give a new one. Where it ends early,
   * the server stores nothing.
   */
  async putArtifact(
    worker: WorkerIdentity,
    attempt: Schemas['RunningAttempt'],
    { name, stream, bytes, contentType, sha256 }: ArtifactUpload,
    signal?: AbortSignal,
  ): Promise<Schemas['Artifact']> {
    const timeoutMs = CALL_TIMEOUT_MS + Math.ceil(bytes / UPLOAD_BYTES_PER_SECOND) * 1000;
    try {
      return await bounded({ signals: [signal], timeoutMs }, async (bound) => {
        const query = toQuery({ name, content_type: contentType });
        const response = await this.#api.send('PUT', `${attemptPath(worker, attempt)}/artifacts${query}`, {
          body: stream,
          headers: {
            ...attemptHeaders(worker, attempt),
            'content-type': 'application/octet-stream',
            'content-length': String(bytes),
            ...(sha256 === undefined ? {} : { 'content-digest': `sha-256=:${sha256.toString('base64')}:` }),
          },
          signal: bound,
        });
        return jsonOf<Schemas['Artifact']>(response, isArtifact);
      });
    } finally {
      stream.destroy();
    }
  }

  #report<T>(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], verb: string, body: unknown, isAnswer?: IsAnswer): Promise<T> {
    return this.#api.call('POST', `${attemptPath(worker, attempt)}/${verb}`, {
      body, headers: attemptHeaders(worker, attempt), isAnswer,
    });
  }
}

function taskPath(taskId: string): string {
  return `/api/v1/tasks/${encodeURIComponent(taskId)}`;
}

function workerPath({ workerId }: WorkerIdentity): string {
  return `/api/v1/workers/${encodeURIComponent(workerId)}`;
}

function attemptPath(worker: WorkerIdentity, { task_id: taskId }: Schemas['RunningAttempt']): string {
  return `${workerPath(worker)}/tasks/${encodeURIComponent(taskId)}`;
}

function sessionHeader(worker: WorkerIdentity): Record<string, string> {
  return { 'worker-session': worker.session };
}

function attemptHeaders(worker: WorkerIdentity, { attempt }: Schemas['RunningAttempt']): Record<string, string> {
  return { ...sessionHeader(worker), 'task-attempt': String(attempt) };
}
