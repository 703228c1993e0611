/**
 * Reports that go together. One call of a session is under way at a time: what ends meanwhile, or shortly after it was made (see
 * Pace), goes with the next. Each report gets an answer of its own, as if it had been sent alone. Where a call is refused as a whole, or
 * its answer settles nothing though the API is not away, its reports are sent one by one: one of them may be the reason.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  ApiError, ApiUnreachable, isProblemCode, LIMITS, PROBLEMS, type ApiClient, type WorkerIdentity, type components,
} from '@task-executor/shared';
import { isDefinite, isMissingCall, isStuck } from '../calls/answer.js';
import type { Pace } from '../calls/pace.js';
import type { Report } from './report.js';

type Schemas = components['schemas'];
type OneOfMany = Schemas['ReportBatch']['reports'][number];

/** How long the reports of one call may be as JSON; a character has at most three bytes. */
const MAX_CALL_CHARS = LIMITS.maxBulkBodyBytes / 4;

/** Sends one report by itself. @throws ApiError, ApiUnreachable */
export type SendOne = (worker: WorkerIdentity, attempt: Schemas['RunningAttempt'], report: Report) => Promise<void>;

interface Waiting {
  readonly attempt: Schemas['RunningAttempt'];
  readonly report: Report;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The reports of one session. */
export class ReportLine {
  readonly #client: ApiClient;
  readonly #worker: WorkerIdentity;
  readonly #sendOne: SendOne;
  readonly #pace: Pace;
  readonly #onMissing: () => void;
  readonly #waiting: Waiting[] = [];
  #running = false;
  /** Whether the API does not know the call for many. */
  #isMissing = false;

  /** `onMissing`: told where the API does not know the call. */
  constructor(client: ApiClient, worker: WorkerIdentity, sendOne: SendOne, pace: Pace, onMissing: () => void) {
    this.#client = client;
    this.#worker = worker;
    this.#sendOne = sendOne;
    this.#pace = pace;
    this.#onMissing = onMissing;
  }

  get isIdle(): boolean {
    return !this.#running;
  }

  /** Resolves when the report was taken. @throws ApiError, ApiUnreachable */
  send(attempt: Schemas['RunningAttempt'], report: Report): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ attempt, report, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // What ends in the same moment goes together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      await this.#pace.turn();
      await this.#call(this.#next());
    }
    this.#running = false;
  }

  /** Takes as many reports as one call may hold; at least one. */
  #next(): { reports: Waiting[]; bodies: OneOfMany[] } {
    const bodies: OneOfMany[] = [];
    let chars = 0;
    for (const { attempt, report } of this.#waiting) {
      const body = oneOfMany(attempt, report);
      chars += JSON.stringify(body).length;
      if (bodies.length > 0 && (bodies.length === LIMITS.maxReports || chars > MAX_CALL_CHARS)) break;
      bodies.push(body);
    }
    return { reports: this.#waiting.splice(0, bodies.length), bodies };
  }

  /** Never rejects: each of the reports is told. */
  async #call({ reports, bodies }: { reports: readonly Waiting[]; bodies: OneOfMany[] }): Promise<void> {
    if (this.#isMissing) {
      await this.#sendSingly(reports);
      return;
    }
    try {
      const receipts = await this.#client.reportMany(this.#worker, bodies);
      for (const [n, one] of reports.entries()) conclude(one, receipts[n]);
    } catch (error) {
      if (isMissingCall(error)) {
        this.#isMissing = true;
        this.#onMissing();
      }
      if (isDefinite(error) || isStuck(error)) await this.#sendSingly(reports);
      else for (const { reject } of reports) reject(error);
    }
  }

  async #sendSingly(reports: readonly Waiting[]): Promise<void> {
    await Promise.all(reports.map(({ attempt, report, resolve, reject }) =>
      this.#sendOne(this.#worker, attempt, report).then(resolve, reject)));
  }
}

/** Tells of one report what its receipt says. */
function conclude({ attempt, resolve, reject }: Waiting, receipt: Schemas['ReportReceipt'] | undefined): void {
  if (receipt?.task_id !== attempt.task_id || receipt.attempt !== attempt.attempt) {
    reject(new ApiUnreachable('the answer does not name the report'));
  } else if (receipt.accepted) resolve();
  else reject(refusalOf(receipt));
}

/** What the single call would have been answered with. */
function refusalOf({ problem: code, task_status, current_attempt }: Schemas['ReportReceipt']): ApiError {
  return new ApiError(isProblemCode(code) ? PROBLEMS[code].status : 409, {
    ...(code !== undefined && { code: code as Schemas['Problem']['code'] }),
    ...(task_status !== undefined && { task_status }), ...(current_attempt !== undefined && { current_attempt }),
  }, null);
}

function oneOfMany({ task_id, attempt }: Schemas['RunningAttempt'], { verb, body }: Report): OneOfMany {
  if (verb === 'complete') return { task_id, attempt, outcome: 'completed', result: body };
  return verb === 'fail' ? { task_id, attempt, outcome: 'failed', ...body } : { task_id, attempt, outcome: 'released', ...body };
}
