/** Who reports about which attempt, and why a report was refused. */
import type { Request } from 'express';
import type { Database } from '../db/database.js';
import { explainRefusal, type Reporter } from '../queue/fence.js';
import { Problem } from './problem.js';
import { finite, pathText } from './request.js';

export function sessionOf(req: Request): string | null {
  return req.get('Worker-Session') ?? null;
}

export function reporterOf(req: Request, leaseSeconds: number): Reporter {
  const attempt = req.get('Task-Attempt');
  return {
    workerId: pathText(req, 'worker_id'),
    sessionId: sessionOf(req),
    taskId: pathText(req, 'task_id'),
    attempt: attempt === undefined ? null : finite('/headers/task-attempt', attempt),
    leaseSeconds,
  };
}

/** Why nothing was changed, as a problem. */
export async function refusal(db: Database, reporter: Reporter): Promise<Problem> {
  const refused = await explainRefusal(db, reporter);
  if (refused.kind !== 'not_held') return new Problem(refused.kind);
  const { status, attempt } = refused;
  const detail = status === 'running' ? `The task is running as attempt ${attempt}.` : `The task is ${status}.`;
  return new Problem('attempt_not_held', detail, { task_status: status, current_attempt: attempt });
}
