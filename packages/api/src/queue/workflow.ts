/** Workflows: tasks submitted together that depend on each other by name. What a workflow is in follows from its tasks. */
import { sql } from 'kysely';
import type { TaskReason, TaskStatus, components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { taskStatus } from './status.js';

export interface NewWorkflow {
  readonly id: string;
  readonly name: string | null;
  readonly labels: Record<string, string>;
  readonly retryOf: string | null;
}

export async function storeWorkflow(db: Database, workflow: NewWorkflow): Promise<void> {
  await sql`
    insert into workflows (id, name, labels, retry_of, created_at)
    values (${workflow.id}::uuid, ${workflow.name}, ${JSON.stringify(workflow.labels)}::json, ${workflow.retryOf}::uuid,
            date_trunc('milliseconds', clock_timestamp()))`.execute(db);
}

/** A circle among named tasks, as the names along it with the first repeated at the end; null where there is none. */
export function findCycle(parentsOf: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  for (const start of parentsOf.keys()) {
    // Depth first, with the way kept: a graph of 2,000 in a row must not exhaust the stack.
    const way: { name: string; next: number }[] = done.has(start) ? [] : [{ name: start, next: 0 }];
    const onWay = new Set(way.map(({ name }) => name));
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const parent = parentsOf.get(top.name)?.[top.next++];
      if (parent === undefined) {
        done.add(top.name);
        onWay.delete(top.name);
        way.pop();
      } else if (onWay.has(parent)) {
        const names = way.map(({ name }) => name);
        // The way leads from child to parent; a reader follows the work.
        return [...names.slice(names.indexOf(parent)), parent].reverse();
      } else if (!done.has(parent)) {
        way.push({ name: parent, next: 0 });
        onWay.add(parent);
      }
    }
  }
  return null;
}

export interface WorkflowTaskRow {
  id: string;
  name: string;
  problem_id: string;
  status: TaskStatus;
  reason: TaskReason | null;
  retry_of: string | null;
  ended_at: Date | null;
  parents: { parent_id: string; name: string }[];
}

export interface WorkflowRow {
  id: string;
  name: string | null;
  labels: Record<string, string>;
  retry_of: string | null;
  created_at: Date;
}

export async function findWorkflow(db: Database, id: string): Promise<WorkflowRow | null> {
  const { rows } = await sql<WorkflowRow>`
    select id, name, labels, retry_of, created_at from workflows where id = ${id}::uuid`.execute(db);
  return rows[0] ?? null;
}

/** The tasks of a workflow, in the order of their submission. */
export async function workflowTasks(db: Database, id: string): Promise<WorkflowTaskRow[]> {
  const { rows } = await sql<WorkflowTaskRow>`
    select t.id, t.name, t.problem_id, t.retry_of,
           ${taskStatus()} as status, coalesce(o.reason, q.wait_reason) as reason, o.ended_at,
           coalesce((select json_agg(json_build_object('parent_id', d.parent_id, 'name', d.name) order by d.name)
                       from dependencies d where d.task_id = t.id and d.kind = 'needs'), '[]') as parents
      from tasks t left join queue q on q.task_id = t.id left join outcomes o on o.task_id = t.id
     where t.workflow_id = ${id}::uuid
     order by t.id`.execute(db);
  return rows;
}

/** How many of `tasks` are in which status. */
export function countByStatus(tasks: readonly Pick<WorkflowTaskRow, 'status'>[]): Record<TaskStatus, number> {
  const counts = { pending: 0, running: 0, completed: 0, failed: 0, timeout: 0, cancelled: 0 };
  for (const { status } of tasks) counts[status] += 1;
  return counts;
}

/** The status that follows from the tasks: running until all have ended; then the worst of what they ended as. */
export function statusOf(counts: Record<TaskStatus, number>): components['schemas']['WorkflowStatus'] {
  if (counts.pending + counts.running > 0) return 'running';
  if (counts.failed + counts.timeout > 0) return 'failed';
  return counts.cancelled > 0 ? 'cancelled' : 'completed';
}
