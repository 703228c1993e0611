/**
 * Which tasks are meant: the filters of lists, exports and bulk operations, as conditions on `tasks t`, `queue q` and
 * `outcomes o`. Times of submission are bounds on the id, which sorts by them.
 */
import { sql, type RawBuilder } from 'kysely';
import { TERMINAL_STATUSES, type TaskStatus } from '@task-executor/shared';
import { PLANNED_FOR_VALUES } from '../db/prepared.js';
import { likePattern } from '../fleet/register.js';

export interface TaskFilter {
  /** Any of these; none means all. */
  readonly statuses: readonly TaskStatus[];
  readonly problemId: string | null;
  /** A glob over problem ids. */
  readonly problemGlob: string | null;
  readonly workerId: string | null;
  readonly workflowId: string | null;
  readonly scheduleId: string | null;
  /** `key=value`, all of them. */
  readonly labels: readonly string[];
  /** ISO 8601; from (inclusive) and before (exclusive). */
  readonly createdFrom: string | null;
  readonly createdBefore: string | null;
  readonly completedFrom: string | null;
  readonly completedBefore: string | null;
}

export const NO_FILTER: TaskFilter = {
  statuses: [], problemId: null, problemGlob: null, workerId: null, workflowId: null, scheduleId: null, labels: [],
  createdFrom: null, createdBefore: null, completedFrom: null, completedBefore: null,
};

const TERMINAL: readonly string[] = TERMINAL_STATUSES;

/**
 * The first whole millisecond at `moment` or later, of the epoch. What is submitted or ends does so in whole milliseconds, while a moment
 * may have digits after them, which Date.parse cuts off.
 */
export function msFrom(moment: string): number {
  return Date.parse(moment) + (/\.\d{3}\d*[1-9]/.test(moment) ? 1 : 0);
}

/** The least id of a task submitted at `moment` or later: ids begin with the milliseconds. */
export function leastIdAt(moment: string): string {
  const hex = Math.max(0, msFrom(moment)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

/** `where` and all of `conditions`, or nothing. */
export function whereAll(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`` : sql`${PLANNED_FOR_VALUES} where ${sql.join(conditions, sql` and `)}`;
}

/** Conditions on the submission, over `t` (see readsSubmission). `id` is the column that holds the task's id. */
function onSubmission(filter: TaskFilter, id: RawBuilder<unknown>): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (filter.createdFrom !== null) conditions.push(sql`${id} >= ${leastIdAt(filter.createdFrom)}::uuid`);
  if (filter.createdBefore !== null) conditions.push(sql`${id} < ${leastIdAt(filter.createdBefore)}::uuid`);
  if (filter.problemId !== null) conditions.push(sql`t.problem_id = ${filter.problemId}`);
  if (filter.problemGlob !== null) conditions.push(sql`t.problem_id like ${likePattern(filter.problemGlob)}`);
  if (filter.workflowId !== null) conditions.push(sql`t.workflow_id = ${filter.workflowId}::uuid`);
  if (filter.scheduleId !== null) conditions.push(sql`t.schedule_id = ${filter.scheduleId}::uuid`);
  for (const label of filter.labels) {
    conditions.push(sql`exists (select from task_labels l where l.label = ${label} and l.task_id = ${id})`);
  }
  return conditions;
}

/** Whether `onSubmission` of this filter reads `t`. */
function readsSubmission({ problemId, problemGlob, workflowId, scheduleId }: TaskFilter): boolean {
  return [problemId, problemGlob, workflowId, scheduleId].some((given) => given !== null);
}

/** Rows with an id and a sort key that is never null, or always. */
export interface Source {
  readonly from: RawBuilder<unknown>;
  readonly id: RawBuilder<unknown>;
  readonly key: RawBuilder<unknown> | null;
  readonly where: RawBuilder<unknown>[];
}

/** Tasks that have not ended, as rows of the queue; none where the filter asks for ended ones. */
export function queuedSources(filter: TaskFilter, key: RawBuilder<unknown> | null, given: readonly RawBuilder<unknown>[] = []): Source[] {
  const { statuses, workerId } = filter;
  const id = sql`q.task_id`;
  const where = [...given];
  if (filter.completedFrom !== null || filter.completedBefore !== null) return [];
  if (statuses.length > 0) {
    if (!statuses.includes('pending') && !statuses.includes('running')) return [];
    if (!statuses.includes('pending')) where.push(sql`q.state = 'running'`);
    if (!statuses.includes('running')) where.push(sql`q.state in ('waiting', 'pending')`);
  }
  if (workerId !== null) where.push(sql`q.worker_id = ${workerId}`);
  where.push(...onSubmission(filter, id));
  return [{ from: readsSubmission(filter) ? sql`queue q join tasks t on t.id = q.task_id` : sql`queue q`, id, key, where }];
}

/**
 * Tasks that have ended, as outcomes: a source for each status, so that each is read in order through an index. Nothing ends before
 * it was submitted, so a bound on the end is one on the id.
 */
export function endedSources(filter: TaskFilter, key: RawBuilder<unknown> | null, given: readonly RawBuilder<unknown>[] = []): Source[] {
  const { workerId, completedFrom, completedBefore } = filter;
  const any = workerId !== null && key === null ? TERMINAL : [null];
  const statuses = filter.statuses.length === 0 ? any : filter.statuses.filter((status) => TERMINAL.includes(status));
  return statuses.map((status) => {
    const id = sql`o.task_id`;
    const where = [...given];
    if (status !== null) where.push(sql`o.status = ${status}`);
    if (workerId !== null) where.push(sql`o.worker_id = ${workerId}`);
    if (completedFrom !== null) where.push(sql`o.ended_at >= ${completedFrom}::timestamptz`);
    if (completedBefore !== null) where.push(sql`o.ended_at < ${completedBefore}::timestamptz`, sql`${id} < ${leastIdAt(completedBefore)}::uuid`);
    where.push(...onSubmission(filter, id));
    return { from: readsSubmission(filter) ? sql`outcomes o join tasks t on t.id = o.task_id` : sql`outcomes o`, id, key, where };
  });
}

/** Where tasks are found by nothing but their submission: by their first label, or in tasks, through an index or in the order of ids. */
function submittedSource(filter: TaskFilter): Source {
  const [label, ...others] = filter.labels;
  if (label === undefined) return { from: sql`tasks t`, id: sql`t.id`, key: null, where: onSubmission(filter, sql`t.id`) };
  const id = sql`l0.task_id`;
  const from = readsSubmission(filter) ? sql`task_labels l0 join tasks t on t.id = l0.task_id` : sql`task_labels l0`;
  return { from, id, key: null, where: [sql`l0.label = ${label}`, ...onSubmission({ ...filter, labels: others }, id)] };
}

/**
 * Sources that together have each task that fits once. Which index leads to them, the planner knows best: of a status, a worker, an
 * hour, a problem and a label it is the one that has least.
 */
function sourcesOf(filter: TaskFilter): Source[] {
  const { statuses, workerId, completedFrom, completedBefore } = filter;
  const asksForState = statuses.length > 0 || workerId !== null || completedFrom !== null || completedBefore !== null;
  return asksForState ? [...queuedSources(filter, null), ...endedSources(filter, null)] : [submittedSource(filter)];
}

const NO_IDS = sql<{ id: string }>`select null::uuid as id where false`;

/** The ids of up to `limit` tasks that fit, beyond id `after`, in order, as a query with one column `id`. */
export function idsOf(
  filter: TaskFilter,
  { after, descending, limit }: { after: string | null; descending: boolean; limit: number },
): RawBuilder<{ id: string }> {
  const inOrder = (id: RawBuilder<unknown>): RawBuilder<unknown> => sql`order by ${id} ${descending ? sql`desc` : sql`asc`} limit ${limit}`;
  const parts = sourcesOf(filter).map(({ from, id, where }) => {
    const beyond = after === null ? [] : [sql`${id} ${descending ? sql`<` : sql`>`} ${after}::uuid`];
    return sql`(select ${id} as id from ${from} ${whereAll([...where, ...beyond])} ${inOrder(id)})`;
  });
  return parts.length === 0 ? NO_IDS : sql`select id from (${sql.join(parts, sql` union all `)}) as merged ${inOrder(sql`id`)}`;
}

/** A row for each task that fits, up to `limit`, in no order: for counting. */
export function matching(filter: TaskFilter, limit: number): RawBuilder<unknown> {
  const parts = sourcesOf(filter).map(({ from, where }) => sql`(select from ${from} ${whereAll(where)} limit ${limit})`);
  return parts.length === 0 ? NO_IDS : sql`select from (${sql.join(parts, sql` union all `)}) as merged limit ${limit}`;
}
