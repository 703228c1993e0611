/**
 * Which tasks are meant: the filters of lists, exports and bulk operations, as conditions on `tasks t`, `queue q` and
 * `outcomes o`. Times of submission are bounds on the id, which sorts by them.
 */
import { sql, type RawBuilder } from 'kysely';
import { TERMINAL_STATUSES, type TaskStatus } from '@task-executor/shared';
import { likePattern } from '../db/like.js';
import { PLANNED_FOR_VALUES } from '../db/prepared.js';
import { anyOfGlob, firstOfGlob } from './glob.js';

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

const TERMINAL: readonly string[] = TERMINAL_STATUSES;

/**
 * The first whole millisecond of the epoch at `moment` or later. What is submitted or ends does so in whole milliseconds, while a moment
 * may have digits after them, which Date.parse cuts off.
 */
export function msFrom(moment: string): number {
  return Date.parse(moment) + (/\.\d{3}\d*[1-9]/.test(moment) ? 1 : 0);
}

/** The least id of a task submitted at `moment` or later: ids begin with the milliseconds. */
function leastIdAt(moment: string): string {
  const hex = Math.max(0, msFrom(moment)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

/** The clause `where` with all of `conditions`, or nothing. */
export function whereAll(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`` : sql`${PLANNED_FOR_VALUES} where ${sql.join(conditions, sql` and `)}`;
}

/** The columns in which a source has what was submitted. */
interface Columns {
  readonly id: RawBuilder<unknown>;
  /** The problem, also where `tasks t` is not joined. */
  readonly problem: RawBuilder<unknown>;
}

/** Conditions on the submission. Where `readsSubmission` says so, they are about `tasks t`. */
function onSubmission(filter: TaskFilter, { id, problem }: Columns): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (filter.createdFrom !== null) conditions.push(sql`${id} >= ${leastIdAt(filter.createdFrom)}::uuid`);
  if (filter.createdBefore !== null) conditions.push(sql`${id} < ${leastIdAt(filter.createdBefore)}::uuid`);
  if (filter.problemId !== null) conditions.push(sql`${problem} = ${filter.problemId}`);
  if (filter.problemGlob !== null) conditions.push(sql`${problem} like ${likePattern(filter.problemGlob)}`);
  if (filter.workflowId !== null) conditions.push(sql`t.workflow_id = ${filter.workflowId}::uuid`);
  if (filter.scheduleId !== null) conditions.push(sql`t.schedule_id = ${filter.scheduleId}::uuid`);
  for (const label of filter.labels) {
    conditions.push(sql`exists (select from task_labels l where l.label = ${label} and l.task_id = ${id})`);
  }
  return conditions;
}

/** Whether the conditions of `onSubmission` read `tasks t`. */
function readsSubmission({ workflowId, scheduleId }: TaskFilter): boolean {
  return workflowId !== null || scheduleId !== null;
}

/** Whether those conditions read `tasks t` in a source that has the problem nowhere else. */
function readsTasks(filter: TaskFilter): boolean {
  return readsSubmission(filter) || filter.problemId !== null || filter.problemGlob !== null;
}

/** A source of rows with an id and a sort key that is never null, or always. */
export interface Source {
  readonly from: RawBuilder<unknown>;
  readonly id: RawBuilder<unknown>;
  readonly key: RawBuilder<unknown> | null;
  readonly where: RawBuilder<unknown>[];
}

/** Tasks that run, always found by their own index: they are as many as the fleet holds, and lie at the end of the order by id. */
const RUNNING = sql`(select * from queue where state = 'running' offset 0) as q`;
const PENDING_STATES = ['pending', 'waiting'] as const;

/** Where rows of the queue with the wanted states are sought, whatever else has to be true of them. */
function queueParts({ statuses, workerId, problemId }: TaskFilter): Pick<Source, 'from' | 'where'>[] {
  const wants = (status: TaskStatus): boolean => statuses.length === 0 || statuses.includes(status);
  const running = wants('running') ? [{ from: RUNNING, where: [] }] : [];
  // What nobody runs has no worker.
  if (workerId !== null || !wants('pending')) return running;
  // Each of these states has an index that leads to the tasks of a problem.
  if (problemId !== null) {
    return [...running, ...PENDING_STATES.map((state) => ({ from: sql`queue q`, where: [sql`q.state = ${state}`] }))];
  }
  return [{ from: sql`queue q`, where: wants('running') ? [] : [sql`q.state in ('waiting', 'pending')`] }];
}

/** Tasks that have not ended, as rows of the queue; none where the filter asks for ended ones. */
export function queuedSources(filter: TaskFilter, key: RawBuilder<unknown> | null, given: readonly RawBuilder<unknown>[] = []): Source[] {
  if (filter.completedFrom !== null || filter.completedBefore !== null) return [];
  const id = sql`q.task_id`;
  return queueParts(filter).map(({ from, where }) => ({
    from: readsSubmission(filter) ? sql`${from} join tasks t on t.id = q.task_id` : from, id, key,
    where: [
      ...given, ...where, ...(filter.workerId === null ? [] : [sql`q.worker_id = ${filter.workerId}`]),
      ...onSubmission(filter, { id, problem: sql`q.problem_id` }),
    ],
  }));
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
    if (completedBefore !== null) {
      where.push(sql`o.ended_at < ${completedBefore}::timestamptz`, sql`${id} < ${leastIdAt(completedBefore)}::uuid`);
    }
    where.push(...onSubmission(filter, { id, problem: sql`t.problem_id` }));
    return { from: readsTasks(filter) ? sql`outcomes o join tasks t on t.id = o.task_id` : sql`outcomes o`, id, key, where };
  });
}

/** Where tasks are found by nothing but their submission: by their first label, or in tasks, through an index or in the order of ids. */
function submittedSource(filter: TaskFilter): Source {
  const [label, ...others] = filter.labels;
  const problem = sql`t.problem_id`;
  if (label === undefined) {
    const id = sql`t.id`;
    return { from: sql`tasks t`, id, key: null, where: onSubmission(filter, { id, problem }) };
  }
  const id = sql`l0.task_id`;
  const from = readsTasks(filter) ? sql`task_labels l0 join tasks t on t.id = l0.task_id` : sql`task_labels l0`;
  return { from, id, key: null, where: [sql`l0.label = ${label}`, ...onSubmission({ ...filter, labels: others }, { id, problem })] };
}

/**
 * Sources that together have each task that fits once. Which index leads to the tasks the planner knows best: the one of a status, a
 * worker, an hour, a problem or a label that has fewest.
 */
function sourcesOf(filter: TaskFilter): Source[] {
  const { statuses, workerId, completedFrom, completedBefore } = filter;
  const asksForState = statuses.length > 0 || workerId !== null || completedFrom !== null || completedBefore !== null;
  return asksForState ? [...queuedSources(filter, null), ...endedSources(filter, null)] : [submittedSource(filter)];
}

/** The glob of a filter whose tasks are found by nothing but that, and the bounds of their submission. */
function soleGlob(filter: TaskFilter): string | null {
  const { problemId, workerId, workflowId, scheduleId, completedFrom, completedBefore } = filter;
  const isSole = [problemId, workerId, workflowId, scheduleId, completedFrom, completedBefore].every((given) => given === null);
  return isSole && filter.statuses.length === 0 && filter.labels.length === 0 ? filter.problemGlob : null;
}

const NO_IDS = sql<{ id: string }>`select null::uuid as id where false`;

/** The ids of up to `limit` tasks that fit, beyond id `after`, in order, as a query with one column `id`. */
export function idsOf(
  filter: TaskFilter,
  { after, descending, limit }: { after: string | null; descending: boolean; limit: number },
): RawBuilder<{ id: string }> {
  const beyond = (id: RawBuilder<unknown>): RawBuilder<unknown>[] =>
    (after === null ? [] : [sql`${id} ${descending ? sql`<` : sql`>`} ${after}::uuid`]);
  const glob = soleGlob(filter);
  if (glob !== null) {
    const { where, id } = submittedSource({ ...filter, problemGlob: null });
    return firstOfGlob(glob, [...where, ...beyond(id)], { descending, limit });
  }
  const inOrder = (id: RawBuilder<unknown>): RawBuilder<unknown> => sql`order by ${id} ${descending ? sql`desc` : sql`asc`} limit ${limit}`;
  const parts = sourcesOf(filter).map(({ from, id, where }) =>
    sql`(select ${id} as id from ${from} ${whereAll([...where, ...beyond(id)])} ${inOrder(id)})`);
  return parts.length === 0 ? NO_IDS : sql`select id from (${sql.join(parts, sql` union all `)}) as merged ${inOrder(sql`id`)}`;
}

/** A row for each task that fits, up to `limit`, in no order: for counting. */
export function matching(filter: TaskFilter, limit: number): RawBuilder<unknown> {
  const glob = soleGlob(filter);
  if (glob !== null) return anyOfGlob(glob, submittedSource({ ...filter, problemGlob: null }).where, limit);
  const parts = sourcesOf(filter).map(({ from, where }) => sql`(select from ${from} ${whereAll(where)} limit ${limit})`);
  return parts.length === 0 ? NO_IDS : sql`select from (${sql.join(parts, sql` union all `)}) as merged limit ${limit}`;
}
