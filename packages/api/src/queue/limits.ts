/**
 * Limits: at most so many tasks run at a time for a value of a key. The key is `problem_id`, `backend_type` or `label:NAME`; a
 * limit is about one value of it, or about each. They are enforced in queue/claim; what runs when one is made goes on.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { LIMITS, type components } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { NIL_ID } from './cursor.js';
import { LIMIT_USE } from './eligible.js';
import { readHorizon } from './horizon.js';
import { LABEL_PREFIX } from './limited-labels.js';
import { labelLaneOf } from './submission.js';

export interface LimitRow {
  id: string;
  key: string;
  value: string | null;
  max_running: number;
  created_at: Date;
  updated_at: Date;
  /** The values of the key with most tasks running. */
  in_use: { value: string; running: number }[];
}

/** How many tasks one round of `regroup` looks at. */
const REGROUP_ROWS = 5_000;
/** How long `regrouping` waits at most for transactions that are under way: no submission takes so long, but a dump does. */
const MOST_WAIT_MS = 60_000;

/** Whether there are limits to sort tasks for. */
export const ANY_TO_REGROUP = sql<boolean>`exists (select from limits where lanes_after is not null)`;

const LIMIT_COLUMNS = sql`
  l.id, l.key, l.value, l.max_running, l.created_at, l.updated_at,
  coalesce((select json_agg(u) from (
    select value, running from limit_use u where u.limit_id = l.id
     order by running desc, value limit ${LIMITS.maxLimitValues}) as u), '[]') as in_use`;

/** The new limit, or null where there is one for this key and value, or are too many. */
export async function createLimit(
  db: Database,
  { key, value, maxRunning }: { key: string; value: string | null; maxRunning: number },
): Promise<string | null> {
  const id = randomUUID();
  const { rows } = await sql`
    insert into limits (id, key, value, max_running, lanes_after, created_at, updated_at)
    select ${id}::uuid, ${key}, ${value}, ${maxRunning}, ${key.startsWith(LABEL_PREFIX) ? NIL_ID : null}::uuid, now(), now()
     where (select count(*) from limits) < ${LIMITS.maxLimits}
    on conflict do nothing
    returning id`.execute(db);
  return rows.length === 1 ? id : null;
}

/** Changes how many may run. Whether there is such a limit. */
export async function changeLimit(db: Database, id: string, maxRunning: number): Promise<boolean> {
  const { rows } = await sql`
    update limits set max_running = ${maxRunning}, updated_at = now() where id = ${id}::uuid returning id`.execute(db);
  return rows.length === 1;
}

/** Deletes the limit. Whether there was one. */
export async function deleteLimit(db: Database, id: string): Promise<boolean> {
  const { rows } = await sql`
    with gone as (delete from limits where id = ${id}::uuid returning id),
         claims as (delete from limit_claims using gone where limit_id = gone.id)
    select id from gone`.execute(db);
  return rows.length === 1;
}

/** All limits with their use, or the one of `id`. */
export async function listLimits(db: Database, id: string | null = null): Promise<LimitRow[]> {
  const { rows } = await sql<LimitRow>`
    with ${LIMIT_USE}
    select ${LIMIT_COLUMNS} from limits l where ${id}::uuid is null or l.id = ${id}::uuid
     order by l.key, l.value nulls first`.execute(db);
  return rows;
}

/** The contract's limit of a row. */
export function toLimit(row: LimitRow): components['schemas']['Limit'] {
  return {
    id: row.id,
    key: row.key,
    value: row.value,
    max_running: row.max_running,
    in_use: row.in_use,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/**
 * What a sweeper does in each round about new limits on labels. A submission that does not see such a limit may still commit, and what
 * commits after the sorting has come by its id would never be sorted. So the sorting begins when all transactions have ended that were
 * under way when the limit was first seen here.
 */
export function regrouping(): (db: Database) => Promise<void> {
  let seen = new Map<string, Date>();
  return async (db) => {
    // Not now(), which may be before a limit was made that is seen.
    const { rows } = await sql<{ id: string; at: Date }>`
      select id, clock_timestamp() as at from limits where lanes_after is not null`.execute(db);
    seen = new Map(rows.map(({ id, at }) => [id, seen.get(id) ?? at]));
    const horizon = Date.parse(await readHorizon(db));
    const ripe = rows.filter(({ id, at }) => {
      const since = (seen.get(id) ?? at).getTime();
      return since < horizon || at.getTime() - since > MOST_WAIT_MS;
    });
    if (ripe.length > 0) await regroup(db, ripe.map(({ id }) => id));
  };
}

/**
 * Sorts the tasks that were in the queue before a limit on a label was made into lanes by its values: one piece of them, for one of
 * `limitIds`. What runs is sorted too: it may come back. Until all is sorted a claim may look at fewer tasks than it could; it never
 * exceeds the limit.
 */
async function regroup(db: Database, limitIds: readonly string[]): Promise<void> {
  await sql`
    with wanting as materialized (
      select id, lanes_after from limits
       where lanes_after is not null and id = any (${limitIds}::uuid[])
       order by created_at limit 1 for update skip locked
    ), piece as materialized (
      -- Locked in the order in which everybody locks several tasks.
      select q.task_id from queue q, wanting
       where q.task_id > wanting.lanes_after
       order by q.task_id limit ${REGROUP_ROWS}
         for update of q
    ), moved as (
      update queue q set lane = ${labelLaneOf(sql`q.labels`)}
        from piece where q.task_id = piece.task_id and q.lane <> ${labelLaneOf(sql`q.labels`)}
    )
    update limits l
       set lanes_after = case when (select count(*) from piece) = ${REGROUP_ROWS}
                                then (select task_id from piece order by task_id desc limit 1) end
      from wanting where l.id = wanting.id`.execute(db);
}
