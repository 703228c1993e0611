/** The worker protocol call by call, every call noted in the history; how it is used is for others to say. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Answer } from './call.js';
import type { Claim, History, Logs, Register, Report } from './history.js';

/** An attempt, and the session under which it was claimed. */
export interface Held {
  readonly workerId: string;
  readonly session: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly marker: string;
}

export interface RawSession {
  readonly workerId: string;
  readonly session: string;
}

const VERBS = { completed: 'complete', failed: 'fail', released: 'release' } as const;
const CLAIM_WAIT_SECONDS = 2;
const TRIES = 40;
const AGAIN_MS = 250;

export class RawWorker {
  readonly #name: string;
  readonly #url: string;
  readonly #history: History;
  readonly #stop: AbortSignal;

  constructor(parts: { name: string; url: string; history: History; stop: AbortSignal }) {
    this.#name = parts.name;
    this.#url = parts.url;
    this.#history = parts.history;
    this.#stop = parts.stop;
  }

  /** Under `workerId`, or one that the API assigns; null where it was not to be had. */
  async register(workerId: string | null, problems: readonly string[]): Promise<RawSession | null> {
    const noted = this.#history.begin<Register>(this.#name, { verb: 'register', workerId, session: null });
    const answer = await call(this.#url, {
      method: 'POST', path: '/api/v1/workers/register',
      body: { ...(workerId === null ? {} : { worker_id: workerId }), backend_type: 'kind', capabilities: { max_parallel_tasks: 1, supported_problems: problems } },
    });
    if (answer.result === 'ok') ({ id: noted.workerId, session: noted.session } = answer.body as { id: string; session: string });
    this.#history.end(noted, answer.result, codeOf(answer));
    return noted.workerId === null || noted.session === null ? null : { workerId: noted.workerId, session: noted.session };
  }

  /** One task; under one request id until there is an answer. Null: none, or the session is over. */
  async claim({ workerId, session }: RawSession, waitSeconds = CLAIM_WAIT_SECONDS): Promise<Held | null> {
    const requestId = randomUUID();
    for (let tries = 1; tries <= TRIES; tries++) {
      const noted = this.#history.begin<Claim>(this.#name, { verb: 'claim', session, requestId, claimed: null });
      const answer = await call(this.#url, {
        method: 'POST', path: `/api/v1/workers/${workerId}/claim`, headers: { 'worker-session': session }, body: { wait_seconds: waitSeconds, request_id: requestId },
      });
      const task = answer.result === 'ok' ? (answer.body as { id: string; attempt: number; parameters: { marker: string } } | null) : null;
      if (task !== null) noted.claimed = { taskId: task.id, attempt: task.attempt };
      this.#history.end(noted, answer.result, codeOf(answer));
      if (task !== null) return { workerId, session, taskId: task.id, attempt: task.attempt, marker: task.parameters.marker };
      if (answer.result !== 'unknown') return null;
      await sleep(AGAIN_MS);
      if (this.#stop.aborted) return null;
    }
    return null;
  }

  /** Reports once. */
  async report(held: Held, how: Report['how'], body: Record<string, unknown>): Promise<Answer> {
    const { workerId, session, taskId, attempt } = held;
    const noted = this.#history.begin<Report>(this.#name, { verb: 'report', how, session, taskId, attempt, body });
    const answer = await call(this.#url, { method: 'POST', path: `/api/v1/workers/${workerId}/tasks/${taskId}/${VERBS[how]}`, headers: headersOf(held), body });
    this.#history.end(noted, answer.result, codeOf(answer));
    return answer;
  }

  /** Reports until there is an answer. */
  async deliver(held: Held, how: Report['how'], body: Record<string, unknown>): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      if ((await this.report(held, how, body)).result !== 'unknown') return;
      await sleep(AGAIN_MS);
    }
  }

  async logs(held: Held, offset: number, messages: readonly string[]): Promise<Answer> {
    const { workerId, session, taskId, attempt } = held;
    const noted = this.#history.begin<Logs>(this.#name, { verb: 'logs', session, taskId, attempt, offset, messages });
    const answer = await call(this.#url, {
      method: 'POST', path: `/api/v1/workers/${workerId}/tasks/${taskId}/logs`, headers: headersOf(held), body: { offset, entries: messages.map((message) => ({ message })) },
    });
    this.#history.end(noted, answer.result, codeOf(answer));
    return answer;
  }
}

function codeOf(answer: Answer): string | null {
  return answer.result === 'fail' ? answer.code : null;
}

function headersOf({ session, attempt }: Held): Record<string, string> {
  return { 'worker-session': session, 'task-attempt': String(attempt) };
}
