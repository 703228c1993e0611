/** The results of the tasks that tasks depend on, for the worker that runs them. */
import { sql } from 'kysely';
import { LIMITS } from '@task-executor/shared';
import type { Database } from '../db/database.js';

export interface ParentResults {
  /** By the name of the dependency; null where the parent did not complete, or where `truncated` has it. */
  readonly results: Record<string, Record<string, unknown> | null>;
  /** The parents whose results were left out, by the name of the dependency. */
  readonly truncated: Record<string, string>;
}

interface ParentRow {
  task_id: string;
  name: string;
  parent_id: string;
  result: Record<string, unknown> | null;
  left_out: boolean;
}

/**
 * What each of `taskIds` is to be given with one answer. The results for a task have LIMITS.maxDependencyBytes at most, those for all tasks
 * together LIMITS.maxClaimedDependencyBytes, and the first tasks come first. A task that depends on none is left out.
 */
export async function readParentResults(db: Database, taskIds: readonly string[]): Promise<ReadonlyMap<string, ParentResults>> {
  const { maxDependencyBytes: ofTask, maxClaimedDependencyBytes: ofAll } = LIMITS;
  const { rows } = await sql<ParentRow>`
    with parents as materialized (
      -- As text a result is hardly shorter than it is stored: of those that cannot fit, the text is not even read.
      select t.id as task_id, t.place, d.name, d.parent_id, o.result, sum(coalesce(pg_column_size(o.result), 0)) over nth as stored
        from unnest(${taskIds}::uuid[]) with ordinality as t (id, place)
       cross join lateral (select name, parent_id from dependencies where task_id = t.id and kind = 'needs' offset 0) as d
        left join lateral (select result from outcomes where task_id = d.parent_id offset 0) as o on true
      window nth as (partition by t.place order by d.name, d.parent_id)
    ), likely as materialized (
      select p.*, sum(pg_column_size(result)) filter (where stored <= ${ofTask}) over (order by place, name, parent_id) as stored_before
        from parents p
    ), sized as materialized (
      select l.*, case when stored <= ${ofTask} and coalesce(stored_before, 0) <= ${ofAll}
                       then coalesce(octet_length(result::text), 0) end as bytes
        from likely l
    ), summed as materialized (
      select s.*, sum(bytes) over (partition by place order by name, parent_id) as sum_of_task from sized s
    ), fitting as (
      select s.*, bytes is not null and sum_of_task <= ${ofTask}
                  and sum(bytes) filter (where sum_of_task <= ${ofTask}) over (order by place, name, parent_id) <= ${ofAll} as fits
        from summed s
    )
    select task_id, name, parent_id, case when fits then result end as result, result is not null and not fits as left_out
      from fitting order by place, name`.execute(db);
  const byTask = new Map<string, ParentRow[]>();
  for (const row of rows) {
    const of = byTask.get(row.task_id);
    if (of === undefined) byTask.set(row.task_id, [row]);
    else of.push(row);
  }
  return new Map([...byTask].map(([task, of]) => [task, {
    results: Object.fromEntries(of.map(({ name, result }) => [name, result])),
    truncated: Object.fromEntries(of.filter((row) => row.left_out).map(({ name, parent_id: parent }) => [name, parent])),
  }]));
}
