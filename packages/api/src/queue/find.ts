/** Reading one task. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

/** The task, or null where there is none. */
export async function findTask(db: Database, taskId: string): Promise<TaskRow | null> {
  const { rows } = await sql<TaskRow>`select ${TASK_COLUMNS} from ${TASK_JOINS} where t.id = ${taskId}::uuid`.execute(db);
  return rows[0] ?? null;
}
