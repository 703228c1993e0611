/**
 * A typed client of the API for workers, and for whoever submits. Every call has a bound in time. What goes wrong is one
 * of two things: ApiError, an answer that is no success, or ApiUnreachable, where nobody knows whether the call was carried
 * out; every call here may be repeated.
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { areClaimed, areReceipts, isArtifact, isClaimed, isHeartbeatOf, isLogReceipt, isRegistered, isTask, type IsAnswer } from './answers.js';
import { backoffMs } from './backoff.js';
import { bounded } from './bounded.js';
import { ApiError, ApiUnreachable, CALL_TIMEOUT_MS, Connection, jsonOf } from './connection.js';
import type { components } from './contract.gen.js';
import { parseEvents, type TaskEvent } from './events.js';

type Schemas = components['schemas'];

/** An upload has this long, and a second more for each of these bytes. */
const UPLOAD_BYTES_PER_SECOND = 256 * 1024;
/** Three times as long as a stream of events, or a download, is ever silent. */
const SILENCE_MS = 45_000;
const RECONNECT = { initialMs: 250, maxMs: 5_000 };
const MAX_RECONNECTS = 20;

/** Who calls: a worker under its session. */
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
  /** Whether lines of the log are sent, and of which level alone. */
  readonly logs?: boolean;
  readonly level?: Schemas['LogLevel'];
  /** The `id` of the last event that was read, to go on after it. */
  readonly lastEventId?: string;
  readonly signal?: AbortSignal;
}

export class ApiClient {
  readonly #api: Connection;

  constructor(apiUrl: string) {
    this.#api = new Connection(apiUrl);
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  submitTask(submission: Schemas['TaskSubmission']): Promise<Schemas['Task']> {
    return this.#api.call('POST', '/api/v1/tasks', { body: submission });
  }

  /** The task; with `waitSeconds` when it has ended, or after that time as it is then. */
  getTask(taskId: string, { waitSeconds = 0, signal }: { waitSeconds?: number; signal?: AbortSignal } = {}): Promise<Schemas['Task']> {
    const query = waitSeconds > 0 ? `?wait_seconds=${waitSeconds}` : '';
    return this.#api.call('GET', `/api/v1/tasks/${taskId}${query}`, {
      timeoutMs: waitSeconds * 1000 + CALL_TIMEOUT_MS, signal, isAnswer: isTask(taskId),
    });
  }

  /**
   * The events of a task, up to and with its terminal status. Comes back by itself where the stream ends before, without
   * losing or repeating a line. @throws ApiUnreachable after MAX_RECONNECTS failures in a row
   */
  async* followTask(taskId: string, { logs = false, level, lastEventId = '', signal }: FollowOptions = {}): AsyncGenerator<TaskEvent, void, undefined> {
    const query = new URLSearchParams({ ...(logs ? { logs: 'true' } : {}), ...(level === undefined ? {} : { level }) }).toString();
    let last = lastEventId;
    for (let failures = 0; ;) {
      try {
        const { statusCode, body } = await this.#api.send('GET', `/api/v1/tasks/${taskId}/events${query === '' ? '' : `?${query}`}`, {
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

  listArtifacts(taskId: string, page: { attempt?: number; limit?: number; cursor?: string } = {}): Promise<Schemas['ArtifactList']> {
    const query = new URLSearchParams(Object.entries(page).map(([name, value]): [string, string] => [name, String(value)])).toString();
    return this.#api.call('GET', `/api/v1/tasks/${taskId}/artifacts${query === '' ? '' : `?${query}`}`);
  }

  /** A file from byte `from` on. */
  async downloadArtifact(taskId: string, artifactId: string, { from = 0, signal }: { from?: number; signal?: AbortSignal } = {}): Promise<ArtifactDownload> {
    const { headers, body } = await this.#api.send('GET', `/api/v1/tasks/${taskId}/artifacts/${artifactId}`, {
      headers: { accept: '*/*', ...(from > 0 ? { range: `bytes=${from}-` } : {}) }, signal, bodyTimeout: SILENCE_MS,
    });
    return { stream: body, bytes: Number(headers['content-length']), sha256: (headers.etag as string).replaceAll('"', '') };
  }

  /** The workers in `status` after `cursor`, the `next_cursor` of the page before; or from the first on. */
  listWorkers(status: Schemas['WorkerStatus'], cursor: string | null = null): Promise<Schemas['WorkerList']> {
    const query = new URLSearchParams({ status, ...(cursor === null ? {} : { cursor }) }).toString();
    return this.#api.call('GET', `/api/v1/workers?${query}`);
  }

  register(registration: Schemas['WorkerRegistration'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    return this.#api.call('POST', '/api/v1/workers/register', { body: registration, signal, isAnswer: isRegistered });
  }

  deregister(worker: WorkerIdentity): Promise<void> {
    return this.#api.call('DELETE', `/api/v1/workers/${worker.workerId}`, { headers: sessionHeader(worker) });
  }

  /** Says that the worker takes nothing more. */
  drain(worker: WorkerIdentity, signal?: AbortSignal): Promise<Schemas['Worker']> {
    return this.#api.call('POST', `/api/v1/workers/${worker.workerId}/drain`, { headers: sessionHeader(worker), signal });
  }

  heartbeat(worker: WorkerIdentity, heartbeat: Schemas['Heartbeat'], signal?: AbortSignal): Promise<Schemas['WorkerSession']> {
    const timeoutMs = (heartbeat.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    return this.#api.call('POST', `/api/v1/workers/${worker.workerId}/heartbeat`, {
      body: heartbeat, headers: sessionHeader(worker), timeoutMs, signal, isAnswer: isHeartbeatOf(worker),
    });
  }

  /** The claimed task, or null where there was none within `wait_seconds`. */
  async claim(worker: WorkerIdentity, claim: Schemas['Claim'], signal?: AbortSignal): Promise<Schemas['Task'] | null> {
    const timeoutMs = (claim.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    const task = await this.#api.call<Schemas['Task'] | undefined>('POST', `/api/v1/workers/${worker.workerId}/claim`, {
      body: claim, headers: sessionHeader(worker), timeoutMs, signal, isAnswer: isClaimed,
    });
    return task ?? null;
  }

  /** Up to `max_tasks` claimed tasks: those that are there, or the first that comes within `wait_seconds`; maybe none. */
  claimMany(worker: WorkerIdentity, claim: Schemas['BatchClaim'], signal?: AbortSignal): Promise<Schemas['ClaimedTasks']> {
    const timeoutMs = (claim.wait_seconds ?? 0) * 1000 + CALL_TIMEOUT_MS;
    return this.#api.call<Schemas['ClaimedTasks']>('POST', `/api/v1/workers/${worker.workerId}/claim-batch`, {
      body: claim, headers: sessionHeader(worker), timeoutMs, signal, isAnswer: areClaimed,
    });
  }

  /** What complete, fail and release say, of many attempts at once. What became of each, in their order. */
  async reportMany(worker: WorkerIdentity, reports: Schemas['ReportBatch']['reports']): Promise<readonly Schemas['ReportReceipt'][]> {
    const answer = await this.#api.call<Schemas['ReportReceipts']>('POST', `/api/v1/workers/${worker.workerId}/report`, {
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

  /** Takes the place of what the attempt said before. */
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
    const query = new URLSearchParams({ name, ...(contentType === undefined ? {} : { content_type: contentType }) }).toString();
    const timeoutMs = CALL_TIMEOUT_MS + Math.ceil(bytes / UPLOAD_BYTES_PER_SECOND) * 1000;
    try {
      return await bounded({ signals: [signal], timeoutMs }, async (bound) => {
        const response = await this.#api.send('PUT', `/api/v1/workers/${worker.workerId}/tasks/${attempt.task_id}/artifacts?${query}`, {
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
    return this.#api.call('POST', `/api/v1/workers/${worker.workerId}/tasks/${attempt.task_id}/${verb}`, {
      body, headers: attemptHeaders(worker, attempt), isAnswer,
    });
  }
}

function sessionHeader(worker: WorkerIdentity): Record<string, string> {
  return { 'worker-session': worker.session };
}

function attemptHeaders(worker: WorkerIdentity, { attempt }: Schemas['RunningAttempt']): Record<string, string> {
  return { ...sessionHeader(worker), 'task-attempt': String(attempt) };
}
