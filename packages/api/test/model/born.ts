/** The tasks that a sweep brought into being: fires of schedules, and retries of bulk operations. */
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';
import type { Given } from './submissions.js';

/** A task that has not been asked for by a client, by where it came from: null where there is none. */
export interface Born {
  ofSchedule(scheduleId: string): Given | null;
  retryOf(taskId: string): Given | null;
}

/** The tasks that are not among `known`. */
export async function bornBeside(known: readonly string[], db: Database): Promise<Born> {
  const { rows } = await sql<{ id: string; created_at: Date; retry_of: string | null; schedule_id: string | null }>`
    select id, created_at, retry_of, schedule_id from tasks where not (id = any (${known}::uuid[]))`.execute(db);
  const given = (row: (typeof rows)[number] | undefined): Given | null =>
    (row === undefined ? null : { id: row.id, createdAtMs: row.created_at.getTime(), runAtMs: null });
  return {
    ofSchedule: (id) => given(rows.find((row) => row.schedule_id === id)),
    retryOf: (id) => given(rows.find((row) => row.retry_of === id)),
  };
}
