/** The attempts of a task, ended and running. */
import { sql } from 'kysely';
import type { AttemptOutcome, components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { jsonBytes, readPiece, type Piece, type PieceSize } from './piece.js';
import { PROGRESS_JSON, toProgress } from './progress.js';

interface AttemptRow {
  attempt: number;
  worker_id: string;
  started_at: Date;
  ended_at: Date | null;
  outcome: AttemptOutcome | null;
  error: string | null;
  progress: components['schemas']['TaskProgress'];
  late_at: Date | null;
  late_outcome: 'completed' | 'failed' | null;
  late_result: Record<string, unknown> | null;
  late_error: string | null;
}

const PROGRESS = sql`case when p.attempt is not null then ${PROGRESS_JSON} end`;

const ATTEMPT_BYTES = sql<number>`
  coalesce(octet_length(error), 0) + coalesce(octet_length(late_error), 0) + ${jsonBytes(sql`late_result`)}`;

/** A piece of the attempts after number `after`, in order, the running one last. */
export function readAttempts(db: Database, taskId: string, { after, ...size }: { after: number } & PieceSize): Promise<Piece<AttemptRow>> {
  return readPiece<AttemptRow>(db, sql`
    select a.attempt, a.worker_id, a.started_at, a.ended_at, a.outcome, a.error, ${PROGRESS} as progress,
           l.reported_at as late_at, l.outcome as late_outcome, l.result as late_result, l.error as late_error
      from attempts a
      left join attempt_progress p on p.task_id = a.task_id and p.attempt = a.attempt
      left join late_reports l on l.task_id = a.task_id and l.attempt = a.attempt
     where a.task_id = ${taskId}::uuid and a.attempt > ${after}
    union all
    select q.attempt, q.worker_id, q.started_at, null, null, null, ${PROGRESS}, null, null, null, null
      from queue q
      left join attempt_progress p on p.task_id = q.task_id and p.attempt = q.attempt
     where q.task_id = ${taskId}::uuid and q.state = 'running' and q.attempt > ${after}
     order by attempt
     limit ${size.limit + 1}`, ATTEMPT_BYTES, sql`attempt`, size);
}

/** The contract's attempt of a row. */
export function toAttempt(row: AttemptRow): components['schemas']['AttemptRecord'] {
  return {
    attempt: row.attempt,
    worker_id: row.worker_id,
    started_at: row.started_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
    outcome: row.outcome,
    error_details: row.error,
    progress: toProgress(row.progress),
    late: row.late_at === null || row.late_outcome === null ? null : {
      outcome: row.late_outcome, reported_at: row.late_at.toISOString(), result: row.late_result, error_details: row.late_error,
    },
  };
}
