/**
 * Submission: one task or many, with what they depend on, in one statement: their permanent rows, their queue rows, their
 * counts. All are stored or none is.
 *
 * A task that depends on others locks the queue rows of those that have not ended, so that none of them ends unseen (see
 * queue/dependents). Where a parent ended between this statement's snapshot and its lock all the same, as without a transaction, nothing is
 * stored and the submission is tried again; so it is where another submission took the same dedupe_key in between.
 *
 * A task that asks for `reuse` waits with those that wait for an equal one, also where that has just ended without a result and none of
 * them stands in yet: else it would run beside the one that will.
 *
 * To depend on others and to ask for `reuse` never meet in one task. Tasks that others of the same submission depend on are those
 * of workflows, which know neither `reuse` nor a dedupe_key: they are always stored, and never take a result.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isDeadlock, isUniqueViolation } from '../db/errors.js';
import { asksForReuse, FIRST_UNENDED, LAST_RESULT, lockFingerprints, SPANS } from './reuse.js';
import { labelLaneOf, rankOf, STORED_COLUMNS, submissions, type Edge, type Submission } from './submission.js';
import { isPlain, submitPlain } from './submit-plain.js';
import { expireTwins, hasExpiredTwins, type Swept } from './sweep.js';
import { SUBMITTED_COLUMNS, type TaskRow } from './task.js';

export interface Submitted {
  /** The tasks, in the order of the submission. */
  readonly rows: TaskRow[];
  /** False at n: rows[n] is an earlier task with the same dedupe_key. */
  readonly created: boolean[];
  /** Whether queue/dependents has something to do: a parent has already ended, and not as completed. */
  readonly parentsEnded: boolean;
  /** Earlier tasks with the same dedupe_key that had expired, and were ended for that. */
  readonly expired?: readonly Swept[];
}

/** Thrown where a parent is not there; nothing was stored. */
export class MissingParent extends Error {}

/** Thrown where the end of a parent or another submission of the same dedupe_key came in between; nothing was stored. */
class SubmissionRaced extends Error {}

/** How often a submission that lost a race is tried again. */
const MAX_RACES = 20;

/** Runs `work`, which submits, again while it loses races; `lost` is how many it has lost. */
export async function withRaces<T>(work: (lost: number) => Promise<T>): Promise<T> {
  for (let race = 1; ; race++) {
    try {
      return await work(race - 1);
    } catch (error) {
      const raced = error instanceof SubmissionRaced || isUniqueViolation(error) || isDeadlock(error);
      if (!raced || race === MAX_RACES) throw error;
    }
  }
}

/** Stores `tasks`; within `withRaces`. Where `db` is no transaction, they are durable when this resolves. @throws MissingParent */
export async function submit(
  db: Database,
  ageingMs: number,
  tasks: readonly Submission[],
  edges: readonly Edge[] = [],
): Promise<Submitted> {
  if (edges.length === 0 && tasks.every(isPlain)) {
    return { rows: await submitPlain(db, ageingMs, tasks), created: tasks.map(() => true), parentsEnded: false };
  }
  checkEdges(tasks, edges);
  if (asksForReuse(tasks)) await lockFingerprints(db, tasks);
  const expired = await freeKeys(db, tasks, edges);
  if (db.isTransaction) await lockParents(db, edges);
  const submitted = await submitOnce(db, ageingMs, tasks, edges);
  if (submitted !== null) return { ...submitted, expired };
  await checkParents(db, edges);
  throw new SubmissionRaced('a submission lost a race');
}

/** @throws Error where tasks need each other in a way that the statement has no answer to */
function checkEdges(tasks: readonly Submission[], edges: readonly Edge[]): void {
  for (const { child, parent } of edges) {
    if (tasks[child]?.reuseSeconds !== null) throw new Error(`task ${child} of a submission both depends on others and asks for reuse`);
    if (typeof parent !== 'number') continue;
    const needed = tasks[parent];
    if (needed?.reuseSeconds !== null || needed.dedupeKey !== null) {
      throw new Error(`task ${parent} of a submission, on which others depend, may not be stored or not run`);
    }
  }
}

function outsideParents(edges: readonly Edge[]): string[] {
  return edges.map(({ parent }) => parent).filter((parent) => typeof parent === 'string');
}

/**
 * In a transaction none of them ends between the snapshot of the submission and its own locks. With a thousand parents that run, one nearly
 * always would, and the submission lose each race. In order, so that none waits for another's second.
 */
async function lockParents(db: Database, edges: readonly Edge[]): Promise<void> {
  const ids = outsideParents(edges);
  if (ids.length === 0) return;
  await sql`select from queue where task_id = any (${ids}::uuid[]) order by task_id for update`.execute(db);
}

/** Ends the earlier tasks with the same dedupe_keys that have expired. @throws MissingParent, and then none is ended */
async function freeKeys(db: Database, tasks: readonly Submission[], edges: readonly Edge[]): Promise<Swept[]> {
  const keys = tasks.map(({ dedupeKey }) => dedupeKey).filter((key) => key !== null);
  if (!(await hasExpiredTwins(db, keys))) return [];
  await checkParents(db, edges);
  return expireTwins(db, keys);
}

async function checkParents(db: Database, edges: readonly Edge[]): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select p.id from unnest(${outsideParents(edges)}::uuid[]) as p (id) where not exists (select from tasks where id = p.id) limit 1`.execute(db);
  const [missing] = rows;
  if (missing !== undefined) throw new MissingParent(`there is no task ${missing.id}`);
}

type SubmittedRow = TaskRow & { created: boolean; parents_ended: boolean };

/** Null: a race was lost, and nothing was stored. */
async function submitOnce(db: Database, ageingMs: number, tasks: readonly Submission[], edges: readonly Edge[]): Promise<Submitted | null> {
  const wanted = edges.map(({ child, parent, name }) => ({
    child, inside: typeof parent === 'number' ? parent : null, outside: typeof parent === 'string' ? parent : null, name,
  }));
  const { rows } = await sql<SubmittedRow>`
    with recursive submitted as materialized (
      ${submissions(tasks)}
    ), ${SPANS}, offered as materialized (
      select s.*, (select q.task_id from queue q where q.dedupe_key = s.dedupe_key) as twin_id,
             min(s.n) over (partition by s.dedupe_key) as first_n
        from submitted s
    ), given as materialized (
      -- In coalesce, whose outcome the planner takes for even: else it expects one row, and joins a thousand by nested loops.
      select * from offered where coalesce(twin_id is null and (dedupe_key is null or n = first_n), false)
    ), needed as materialized (
      select child.n, child.id as task_id, child.run_anyway, coalesce(parent.id, e.outside) as parent_id,
             parent.id is not null as within, e.name
        from json_to_recordset(${JSON.stringify(wanted)}::json) as e (child int, inside int, outside uuid, name text)
        join given child on child.n = e.child
        left join given parent on parent.n = e.inside
    ), results as materialized (
      select g.fingerprint, g.reuse_seconds, source.*
        from (select fingerprint, reuse_seconds, max(created_at) as created_at
                from given where reuse_seconds is not null group by 1, 2) as g
       cross join lateral (
         ${LAST_RESULT}) as source
    ), sources as materialized (
      select g.n, r.source_id, r.result from given g join results r on r.fingerprint = g.fingerprint and r.reuse_seconds = g.reuse_seconds
    ), runs as materialized (
      -- One that takes a result does not run, and another may not take a result so old.
      select n, id, fingerprint, reuse_seconds is not null as reuses from given where n not in (select n from sources)
    ), unended as materialized (
      select g.fingerprint, equal.runner_id, equal.awaited_id
        from (select distinct fingerprint from runs where reuses) as g
       cross join lateral (
         ${FIRST_UNENDED}) as equal
    ), equals as materialized (
      select r.n, r.id as task_id, coalesce(u.awaited_id, twin.id) as parent_id, u.awaited_id is null as within, u.runner_id,
             u.awaited_id is not null and u.runner_id is null as in_vain
        from runs r
        left join unended u on u.fingerprint = r.fingerprint
        left join (select distinct on (fingerprint) fingerprint, n, id from runs order by fingerprint, n) as twin
          on twin.fingerprint = r.fingerprint and twin.n < r.n
       where r.reuses and coalesce(u.awaited_id, twin.id) is not null
    ), locked as materialized (
      select q.task_id, q.has_dependents
        from queue q
       where q.task_id in (select parent_id from needed where not within union all select runner_id from equals where runner_id is not null)
       order by q.task_id
         for update
    ), over as materialized (
      select o.task_id, o.status from outcomes o where o.task_id in (select parent_id from needed where not within)
    ), accepted as materialized (
      -- Not where a parent is neither: it ended a moment ago, or there is none.
      select not exists (
        select from (select parent_id from needed where not within union all select runner_id from equals where runner_id is not null) as p
         where p.parent_id not in (select task_id from locked) and p.parent_id not in (select task_id from over)) as yes
    ), watched as (
      update queue q set has_dependents = true
        from locked l where q.task_id = l.task_id and not l.has_dependents and (select yes from accepted)
    ), edges as materialized (
      select n, task_id, parent_id, name, 'needs' as kind,
             within or parent_id in (select task_id from locked)
               or (parent_id in (select task_id from over where status <> 'completed') and not run_anyway) as open
        from needed
      union all
      select n, task_id, parent_id, 'equal task', 'reuse', true from equals
    ), stored as (
      insert into tasks (${STORED_COLUMNS}, fingerprint, run_at)
      select ${STORED_COLUMNS}, case when n not in (select n from sources union all select n from equals) then fingerprint end, starts_at
        from given where (select yes from accepted)
       order by n
      returning *
    ), labelled as (
      insert into task_labels (label, task_id) select l.key || '=' || l.value, s.id from stored s, json_each_text(s.labels) as l
    ), depended as (
      insert into dependencies (task_id, parent_id, name, kind)
      select e.task_id, e.parent_id, e.name, e.kind from edges e join stored s on s.id = e.task_id
    ), opened as (
      insert into open_dependencies (parent_id, task_id, kind)
      select e.parent_id, e.task_id, e.kind from edges e join stored s on s.id = e.task_id where e.open
    ), passed as (
      -- Parents that had ended before anybody depended on them.
      insert into ended_parents (task_id)
      select distinct e.parent_id from edges e join over on over.task_id = e.parent_id
       where e.open and (select yes from accepted)
      union
      select parent_id from equals where in_vain and (select yes from accepted)
      returning task_id
    ), blocked as materialized (
      select n, count(*)::int as blockers, min(kind) as kind from edges where open group by n
    ), queued as (
      insert into queue (task_id, problem_id, backend_type, priority, rank, state, wait_reason, available_at, expires_at,
                         blockers, has_dependents, run_anyway, timeout_seconds, max_attempts, max_lost, backoff, dedupe_key,
                         labels, lane, parameter_bytes, updated_at)
      select g.id, g.problem_id, coalesce(g.backend_type, ''), g.priority,
             ${rankOf(sql`greatest(g.created_at, g.starts_at)`, sql`g.priority`, ageingMs)},
             case when b.n is not null or g.waits then 'waiting' else 'pending' end,
             case when b.kind = 'reuse' then 'reusing' when b.n is not null then 'blocked' when g.waits then 'scheduled' end,
             g.starts_at, g.expires_at, coalesce(b.blockers, 0),
             g.id in (select parent_id from needed where within union all select parent_id from equals where within),
             g.run_anyway, g.timeout_seconds, g.max_attempts, g.max_lost, g.backoff, g.dedupe_key,
             nullif(g.labels::jsonb, '{}'), ${labelLaneOf(sql`g.labels::jsonb`)}, octet_length(g.parameters::text), g.created_at
        from given g
        left join blocked b on b.n = g.n
       where (select yes from accepted) and not exists (select from sources s where s.n = g.n)
       order by g.n
    ), reused as (
      insert into outcomes (task_id, status, reason, attempt, ended_at, result, reused_from, priority)
      select g.id, 'completed', 'reused', 0, g.created_at, s.result, s.source_id, g.priority
        from given g join sources s on s.n = g.n where (select yes from accepted)
    ), counted as (
      insert into counter_deltas (problem_id, worker_id, kind, tasks, milliseconds)
      select problem_id, '', 'submitted', count(*), 0 from stored group by problem_id
      union all
      select g.problem_id, '', 'completed', count(*), 0
        from given g join sources s on s.n = g.n where (select yes from accepted) group by g.problem_id
    )
    select ${SUBMITTED_COLUMNS}, t.priority, t.run_at, o.n, own.n is not null as created,
           coalesce(o.twin_id, first.id) as twin_id,
           case when r.n is null then 'pending' else 'completed' end as status,
           case when r.n is not null then 'reused' when b.kind = 'reuse' then 'reusing' when b.n is not null then 'blocked'
                when o.waits then 'scheduled' end as reason,
           0 as attempt, null as worker_id, null as started_at, case when r.n is not null then t.created_at end as completed_at,
           t.created_at as updated_at, null as progress, r.result, null as error, r.source_id as reused_from,
           exists (select from passed) as parents_ended
      from offered o
      left join given own on own.n = o.n
      left join given first on first.n = o.first_n
      left join stored t on t.id = own.id
      left join sources r on r.n = o.n
      left join blocked b on b.n = o.n
     where (select yes from accepted)
     order by o.n`.execute(db);
  if (rows.length !== tasks.length) return null;
  const twins = rows as (SubmittedRow & { twin_id: string | null })[];
  return {
    rows: twins.map((row) => (row.created ? row : { ...row, id: row.twin_id ?? '' })),
    created: rows.map((row) => row.created),
    parentsEnded: rows.some((row) => row.parents_ended),
  };
}
