/** The worker protocol call by call, every call noted in the history; how it is used is for others to say. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './call.js';
import { ask, Client } from './client.js';
import type { Claim, Logs, Register, Report } from './history.js';

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

export class RawWorker extends Client {
  /** Under `workerId`, or one that the API assigns; null where it was not to be had. */
  async register(workerId: string | null, problems: readonly string[]): Promise<RawSession | null> {
    let made: RawSession | null = null;
    await ask<Register>(this, { verb: 'register', workerId, session: null }, {
      method: 'POST', path: '/api/v1/workers/register',
      body: { ...(workerId === null ? {} : { worker_id: workerId }), backend_type: 'kind', capabilities: { max_parallel_tasks: 1, supported_problems: problems } },
    }, (noted, { body }) => {
      const { id, session } = body as { id: string; session: string };
      Object.assign(noted, { workerId: id, session });
      made = { workerId: id, session };
    });
    return made;
  }

  /** One task; under one request id until there is an answer. Null: none, or the session is over. */
  async claim({ workerId, session }: RawSession, waitSeconds = CLAIM_WAIT_SECONDS): Promise<Held | null> {
    const requestId = randomUUID();
    const request = {
      method: 'POST', path: `/api/v1/workers/${workerId}/claim`, headers: { 'worker-session': session }, body: { wait_seconds: waitSeconds, request_id: requestId },
    } as const;
    let held: Held | null = null;
    for (let tries = 1; tries <= TRIES; tries++) {
      const { result } = await ask<Claim>(this, { verb: 'claim', session, requestId, claimed: null }, request, (noted, { body }) => {
        const task = body as { id: string; attempt: number; parameters: { marker: string } } | null;
        if (task === null) return;
        noted.claimed = { taskId: task.id, attempt: task.attempt };
        held = { workerId, session, taskId: task.id, attempt: task.attempt, marker: task.parameters.marker };
      });
      if (result !== 'unknown') return held;
      await sleep(AGAIN_MS);
      if (this.world.isOver) return null;
    }
    return null;
  }

  /** Reports once. */
  report(held: Held, how: Report['how'], body: Record<string, unknown>): Promise<Answer> {
    const { workerId, session, taskId, attempt } = held;
    return ask<Report>(this, { verb: 'report', how, session, taskId, attempt, body }, {
      method: 'POST', path: `/api/v1/workers/${workerId}/tasks/${taskId}/${VERBS[how]}`, headers: headersOf(held), body,
    });
  }

  /** Reports until there is an answer. */
  async deliver(held: Held, how: Report['how'], body: Record<string, unknown>): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      if ((await this.report(held, how, body)).result !== 'unknown') return;
      await sleep(AGAIN_MS);
    }
  }

  logs(held: Held, offset: number, messages: readonly string[]): Promise<Answer> {
    const { workerId, session, taskId, attempt } = held;
    return ask<Logs>(this, { verb: 'logs', session, taskId, attempt, offset, messages }, {
      method: 'POST', path: `/api/v1/workers/${workerId}/tasks/${taskId}/logs`, headers: headersOf(held), body: { offset, entries: messages.map((message) => ({ message })) },
    });
  }
}

function headersOf({ session, attempt }: Held): Record<string, string> {
  return { 'worker-session': session, 'task-attempt': String(attempt) };
}
