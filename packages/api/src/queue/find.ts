/** Reading tasks by their ids. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { TASK_COLUMNS, TASK_JOINS, type TaskRow } from './task.js';

/** The tasks, in the order of `ids`; null where there is none. */
export async function findTasks(db: Database, ids: readonly string[]): Promise<(TaskRow | null)[]> {
  const { rows } = await sql<TaskRow>`select ${TASK_COLUMNS} from ${TASK_JOINS} where t.id = any (${ids}::uuid[])`.execute(db);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
}

/** The task, or null where there is none. */
export async function findTask(db: Database, taskId: string): Promise<TaskRow | null> {
  const [row] = await findTasks(db, [taskId]);
  return row ?? null;
}
