/**
 * The delivery of what attempts have to say. Here, and nowhere else, a report becomes a call of the API, or a part of one, which
 * the API answers the same way however often it is repeated.
 */
import type { ApiClient, ArtifactUpload, WorkerIdentity, components } from '@task-executor/shared';
import { gatherMsOf, Pace } from '../calls/pace.js';
import type { Report } from './report.js';
import { ReportLine, type SendOne } from './report-line.js';

type Schemas = components['schemas'];

/** What outboxes need of the API. */
export interface Courier {
  /** @throws ApiError, ApiUnreachable */
  report(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], report: Report): Promise<void>;
  /** Appends to the attempt's log, and resolves with the number of its lines. @throws ApiError, ApiUnreachable */
  logs(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], batch: Schemas['LogBatch']): Promise<number>;
  /** Stores one file of the attempt. @throws ApiError, ApiUnreachable */
  artifact(worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], upload: ArtifactUpload, signal: AbortSignal): Promise<unknown>;
}

/** A courier for a worker that runs `concurrency` tasks at a time: reports go together where there is more than one. */
export function courierOf(client: ApiClient, concurrency: number): Courier {
  const lines = new Map<string, ReportLine>();
  let isSingle = concurrency === 1;
  const sendOne: SendOne = async (worker, attempt, { verb, body }) => {
    if (verb === 'complete') await client.complete(worker, attempt, body);
    else if (verb === 'fail') await client.fail(worker, attempt, body);
    else await client.release(worker, attempt, body);
  };
  const lineOf = (worker: WorkerIdentity): ReportLine => {
    const known = lines.get(worker.session);
    if (known !== undefined) return known;
    // Lines with nothing under way are mostly of sessions that are over.
    for (const [session, line] of lines) if (line.isIdle) lines.delete(session);
    const line = new ReportLine(client, worker, sendOne, new Pace(gatherMsOf(concurrency)), () => {
      isSingle = true;
    });
    lines.set(worker.session, line);
    return line;
  };
  return {
    report: (worker, attempt, report) => (isSingle ? sendOne(worker, attempt, report) : lineOf(worker).send(attempt, report)),
    logs: async (worker, attempt, batch) => (await client.appendLogs(worker, attempt, batch)).next_offset,
    artifact: (worker, attempt, upload, signal) => client.putArtifact(worker, attempt, upload, signal),
  };
}
