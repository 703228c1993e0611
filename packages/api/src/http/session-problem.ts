/** Why a call under a worker's session was refused. */
import { findWorker } from '../fleet/find.js';
import type { Database } from '../db/database.js';
import { Problem } from './problem.js';

/** The problem of a session (null: the current one) that is not live. */
export async function sessionProblem(db: Database, workerId: string, sessionId: string | null): Promise<Problem> {
  const worker = await findWorker(db, workerId);
  if (worker === null) return new Problem('worker_not_found');
  if (sessionId !== null && worker.session_id !== sessionId) return new Problem('session_superseded');
  return new Problem('session_ended', worker.end_reason === 'deregistered' ? 'The worker had deregistered.' : 'The lease had lapsed.');
}
