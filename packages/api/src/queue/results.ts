/** The results of the tasks that a task depends on, for the worker that runs it. */
import { sql } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import type { Database } from '../db/database.js';

export interface ParentResults {
  /** By the name of the dependency; null where the parent did not complete, or where `truncated` says so. */
  readonly results: Record<string, Record<string, unknown> | null>;
  /** Names whose result was left out because all together were larger than LIMITS.maxDependencyBytes. */
  readonly truncated: string[];
}

export async function readParentResults(db: Database, taskId: string): Promise<ParentResults> {
  const { rows } = await sql<{ name: string; result: Record<string, unknown> | null; left_out: boolean }>`
    with parents as materialized (
      select d.name, o.result, sum(coalesce(octet_length(o.result::text), 0)) over (order by d.name, d.parent_id) as bytes
        from dependencies d left join outcomes o on o.task_id = d.parent_id
       where d.task_id = ${taskId}::uuid and d.kind = 'needs'
    )
    select name, case when bytes <= ${LIMITS.maxDependencyBytes} then result end as result,
           result is not null and bytes > ${LIMITS.maxDependencyBytes} as left_out
      from parents order by name`.execute(db);
  return {
    results: Object.fromEntries(rows.map(({ name, result }) => [name, result])),
    truncated: rows.filter((row) => row.left_out).map(({ name }) => name),
  };
}
