/**
 * The claim of nearly all: nothing is limited or paused, and there is something at the front of the queue that fits. It does what
 * queue/claim does with fewer questions, for a statement costs by its parts; what it cannot answer (`elsewhere`) is asked there.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { askingSessions, claimRows, pickFrom, startPicked, type ClaimRequest, type ClaimRow } from './claim-parts.js';
import { fits, IN_ORDER, isPlacedAt, NOT_EXPIRED } from './eligible.js';

/** Fewer than in queue/claim: nearly all find what they want among the first, and each row is a fiftieth of what the rest costs. */
const FRONT_ROWS = 40;
const NEAR_ROWS = 20;
const LEAST_RANK = '-9223372036854775808';

export type PlainRow = ClaimRow & {
  /** See queue/front; `dead_rows` is null where the front was not looked at. */
  readonly first_rank: number | null;
  readonly dead_rows: number | null;
  /** Whether there may be more that fits after what was looked at. */
  readonly is_cut_off: boolean;
};

/** Looks at pending tasks from rank `from` on (null: from the first), beyond FRONT_ROWS at `reach` for each wanted task. */
export async function claimPlain(
  db: Database, requests: readonly ClaimRequest[], supportedProblems: readonly string[] | null, from: number | null, reach: number,
): Promise<PlainRow[]> {
  const isCutOff = sql<boolean>`(select count(*) from front) = ${FRONT_ROWS} + (select ${reach}::int * tasks from wanted)`;
  const { rows } = await sql<PlainRow>`
    with ${askingSessions(requests, supportedProblems)}, wanted as materialized (
      select count(*) as tasks, not exists (select from pauses) and not exists (select from limits) as is_plain from slots
    ), front as materialized (
      select q.ctid as place, q.problem_id, q.backend_type, q.rank, q.task_id, q.attempt, q.expires_at
        from queue q
       where ${IN_ORDER} and q.rank >= ${from ?? LEAST_RANK}::bigint and (select tasks > 0 and is_plain from wanted)
       order by q.rank, q.task_id
       limit ${FRONT_ROWS} + (select ${reach}::int * tasks from wanted)
    ), near as materialized (
      select q.place, q.rank, q.task_id
        from front q join appetite s on ${fits('q')} and ${NOT_EXPIRED}
       order by q.rank, q.task_id
       limit ${NEAR_ROWS} + (select 2 * tasks from wanted)
    ), locked as materialized (
      -- By the row's place: a row that was changed meanwhile has moved, and is left for the next claim.
      select q.ctid as place, q.task_id, q.rank, q.parameter_bytes, q.updated_at
        from near join queue q on ${isPlacedAt('near')}
       order by near.rank, near.task_id
       limit (select tasks from wanted)
         for update of q skip locked
    ), ${pickFrom(sql`locked`)}, ${startPicked(sql`true`)}
    ${claimRows(sql`case
      when exists (select from pick) then 'nothing'
      when not (select is_plain from wanted) then 'elsewhere'
      when ${isCutOff} then 'elsewhere'
      when (select count(*) from near) = ${NEAR_ROWS} + (select 2 * tasks from wanted) then 'elsewhere'
      when ${from}::bigint is not null then 'behind'
      else 'dry' end`, sql`,
      (select min(rank) from front) as first_rank, ${isCutOff} as is_cut_off,
      (select pg_stat_get_dead_tuples('queue'::regclass) from wanted where tasks > 0 and is_plain) as dead_rows`)}`.execute(db);
  return rows;
}
