/**
 * The claim: a statement that gives sessions of equal appetite (backend and globs) the next tasks that fit them. It is this one, or
 * where nothing is out of the ordinary the shorter one of queue/claim-plain, which is asked first.
 * Invariants: no task goes to two workers (its queue row is locked and still pending when it is taken); a session never holds
 * more than max_parallel_tasks (claims of one session pass one at a time: each must find claim_seq as its snapshot saw it); no
 * limit is exceeded (while there are limits a statement takes one task, and claims under one value of a limit pass one at a
 * time, in the same way); a repeated request_id finds what the first one took.
 *
 * Order: by rank, which is priority and age (see the migration). The statement first looks at the front of the whole
 * order; only when nothing there fits does it look at the first of each lane (a problem, a backend and values of limited labels
 * that have pending tasks) and into the best lanes that fit, so a worker that fits little is served fast behind a million tasks
 * that it does not fit. Where a limit holds for each value of a key, values that use less of it come first, whatever the rank.
 */
import { sql } from 'kysely';
import type { Settle } from '../db/coalesce.js';
import type { Database } from '../db/database.js';
import { claimPlain } from './claim-plain.js';
import {
  askingSessions, claimRows, pickFrom, startPicked, type ClaimedRow, type ClaimRequest, type ClaimRow, type Found,
} from './claim-parts.js';
import { fits, IN_ORDER, isPlacedAt, LIMIT_USE, limitedValue, NOT_EXPIRED, NOT_PAUSED, withinLimits } from './eligible.js';
import { Front } from './front.js';

/** How many rows of the whole order are looked at before the lanes are, beyond four for each wanted task. */
const FRONT_ROWS = 200;
/** How many of those that fit are then looked at, beyond two for each wanted task: others may be locking the first. */
const NEAR_ROWS = 100;
/** Candidates per lane, and of all lanes, beyond the wanted ones: others may be locking the first. */
const LANE_ROWS = 65;
/** Lanes that are looked into, beyond one for each wanted task: in some the first tasks may be locked, or have expired. */
const BEST_LANES = 64;
const MOST_RANK = '9223372036854775807';
/** How long the shorter statement is not asked after it could not answer, in milliseconds. */
const PLAIN_AGAIN_MS = 1_000;
const LEAST_REACH = 4;
const MOST_REACH = 64;
/** Statements in a row that answer no request. Each was overtaken by another claim of the same session, or under the same limit. */
const MAX_RACES = 30;

/** The answers after which a request is asked again. */
const ASKED_AGAIN: readonly (Found | undefined)[] = ['raced', 'limited', 'elsewhere'];

/** The tasks of a live session's claim: as many as there are and the worker has room for; maybe none. */
export interface FoundTasks {
  readonly kind: 'claimed';
  readonly tasks: readonly ClaimedRow[];
  /** There was no room, or no more than for these. */
  readonly isFull: boolean;
  /** There was room, and nothing that fits. */
  readonly isDry: boolean;
  /** The lease was renewed. Another claim of the session may have done so instead, of the same id or one that overtook this. */
  readonly isRenewed: boolean;
  /** Given where there may be tasks that were not looked at: a claim in so many milliseconds will look at them. */
  readonly againMs?: number;
}

/** `no_session`: the session is not live (any more), or supports other problems than the caller knows. */
export type ClaimResult = FoundTasks | { readonly kind: 'no_session' };

/** What claims of one appetite remember from one to the next. */
export interface ClaimMemory {
  /** When the shorter statement is to be asked again; by performance.now. */
  plainAt: number;
  /** How many rows of the order the shorter statement looks at for each wanted task: more where others' tasks lie between. */
  reach: number;
  /** One for all appetites. */
  readonly front: Front;
}

export function claimMemory(front: Front): ClaimMemory {
  return { plainAt: 0, reach: LEAST_REACH, front };
}

/**
 * Claims tasks for sessions of equal appetite, each named once, and renews their leases. The results, in their order. Sessions
 * that do not support exactly `supportedProblems` claim nothing; null: whatever they support. Each statement is a commit of its own:
 * whom one has answered is told so by `settle` before the next begins.
 */
export async function claim(
  db: Database,
  requests: readonly ClaimRequest[],
  supportedProblems: readonly string[] | null = null,
  memory: ClaimMemory = claimMemory(new Front()),
  settle: Settle<ClaimResult> = () => undefined,
): Promise<ClaimResult[]> {
  const results = requests.map((): ClaimResult => ({ kind: 'no_session' }));
  let open = requests.map((request, n) => ({ request, n }));
  let isLimited = false;
  for (let races = 0; races < MAX_RACES && open.length > 0;) {
    // With limits a statement takes one task: whoever else is in it would have their leases renewed over and over.
    const asking = isLimited ? open.slice(0, 1) : open;
    const rows = await claimOnce(db, asking.map(({ request }) => request), supportedProblems, memory);
    const byRequest = asking.map((): ClaimRow[] => []);
    for (const row of rows) byRequest[row.n]?.push(row);
    const answered = new Set<number>();
    for (const [k, { n, request }] of asking.entries()) {
      const found = byRequest[k] ?? [];
      results[n] = resultOf(request, found, memory);
      if (ASKED_AGAIN.includes(found[0]?.found)) continue;
      answered.add(n);
      settle(n, results[n]);
    }
    races = answered.size > 0 ? 0 : races + 1;
    isLimited = rows.some(({ found }) => found === 'limited') || (isLimited && !rows.some(({ found }) => found === 'dry'));
    open = open.filter(({ n }) => !answered.has(n));
  }
  return results;
}

/** What the statement found for a request. */
function resultOf({ wanted }: ClaimRequest, found: readonly ClaimRow[], memory: ClaimMemory): ClaimResult {
  const [first] = found;
  if (first === undefined) return { kind: 'no_session' };
  const tasks = found.filter((row) => row.found === 'again' || row.found === 'new');
  if (tasks.length > wanted && first.found === 'new') throw new Error(`a claim of ${wanted} tasks took ${tasks.length}`);
  const isRepeated = first.found === 'again';
  return {
    kind: 'claimed',
    tasks,
    isFull: !isRepeated && tasks.length >= (first.room ?? Infinity),
    isDry: first.found === 'dry',
    isRenewed: !isRepeated && first.found !== 'raced',
    ...(first.found === 'behind' ? { againMs: memory.front.wholeInMs } : {}),
  };
}

/** One statement, and what it tells for the next. */
async function claimOnce(
  db: Database, requests: readonly ClaimRequest[], supportedProblems: readonly string[] | null, memory: ClaimMemory,
): Promise<ClaimRow[]> {
  const asked = performance.now();
  if (asked < memory.plainAt) return claimAny(db, requests, supportedProblems);
  const from = memory.front.begin();
  const rows = await claimPlain(db, requests, supportedProblems, from, memory.reach);
  const [first] = rows;
  if (first !== undefined && first.dead_rows !== null) {
    memory.front.saw({ firstRank: first.first_rank, deadRows: first.dead_rows }, from, performance.now() - asked);
  }
  const taken = rows.filter(({ found }) => found === 'new').length;
  const isShort = taken > 0 && rows.some((row) => row.is_cut_off) && taken < requests.reduce((sum, { wanted }) => sum + wanted, 0);
  memory.reach = isShort ? Math.min(MOST_REACH, memory.reach * 4) : Math.max(LEAST_REACH, memory.reach / 2);
  if (rows.some(({ found }) => found === 'elsewhere')) memory.plainAt = performance.now() + PLAIN_AGAIN_MS;
  return rows;
}

/** True of a pending row `q` that fits the appetite `s` where nothing else holds it back. */
const NOT_HELD_BACK = sql`${NOT_EXPIRED} and ${NOT_PAUSED} and ${withinLimits(sql`s.backend_type`)}`;

async function claimAny(db: Database, requests: readonly ClaimRequest[], supportedProblems: readonly string[] | null): Promise<ClaimRow[]> {
  const { rows } = await sql<ClaimRow>`
    with recursive ${askingSessions(requests, supportedProblems)}, wanted as materialized (
      select case when exists (select from pauses where problem_id = '') then 0
                  when exists (select from limits) then least(count(*), 1) else count(*) end as tasks
        from slots
    ), ${LIMIT_USE}, front as materialized (
      select q.ctid as place, q.problem_id, q.backend_type, q.rank, q.task_id, q.attempt, q.expires_at,
             case when exists (select from limits) then q.labels end as labels
        from queue q
       where ${IN_ORDER} and (select tasks from wanted) > 0 and not exists (select from limits where value is null)
       order by q.rank, q.task_id
       limit ${FRONT_ROWS} + (select 4 * tasks from wanted)
    ), near as materialized (
      select q.place, q.rank, q.task_id
        from front q join appetite s on ${fits('q')} and ${NOT_HELD_BACK}
       order by q.rank, q.task_id
       limit ${NEAR_ROWS} + (select 2 * tasks from wanted)
    ), front_pick as materialized (
      -- By the row's place: a row that was changed meanwhile has moved, and is left for the next claim.
      select q.ctid as place, q.task_id, q.problem_id, q.labels, q.rank, q.parameter_bytes, q.updated_at, 0::float8 as share
        from near join queue q on ${isPlacedAt('near')}
       order by near.rank, near.task_id
       limit (select tasks from wanted)
         for update of q skip locked
    ), lanes as (
      -- Each with its first task.
      (select q.problem_id, q.backend_type, q.lane, q.rank, q.task_id
         from queue q
        where q.state = 'pending' and (select tasks from wanted) > 0 and not exists (select from front_pick)
          and ((select count(*) from front) = ${FRONT_ROWS} + (select 4 * tasks from wanted)
               or (select count(*) from near) = ${NEAR_ROWS} + (select 2 * tasks from wanted)
               or exists (select from limits where value is null))
        order by q.problem_id, q.backend_type, q.lane, q.rank, q.task_id
        limit 1)
      union all
      select next.*
        from lanes l
       cross join lateral (
         select q.problem_id, q.backend_type, q.lane, q.rank, q.task_id
           from queue q
          where q.state = 'pending' and (q.problem_id, q.backend_type, q.lane) > (l.problem_id, l.backend_type, l.lane)
          order by q.problem_id, q.backend_type, q.lane, q.rank, q.task_id
          limit 1) as next
    ), best_lanes as materialized (
      -- The first tasks of the order are in the lanes whose own first ones are. A limit goes before rank: with limits every lane counts.
      select q.*
        from lanes q join appetite s on ${fits('q')} and ${NOT_PAUSED}
       order by q.rank, q.task_id
       limit case when exists (select from limits) then null else ${BEST_LANES} + (select tasks from wanted) end
    ), cutoff as materialized (
      -- Nothing after the first task of the last of so many lanes is needed; null: there are not so many.
      select case when count(*) = ${BEST_LANES} + (select tasks from wanted) and not exists (select from limits) then max(rank) end as rank
        from best_lanes
    ), candidates as materialized (
      select q.place, q.task_id, q.rank,
             coalesce((select max(l.running::float8 / l.max_running) from limit_use l
                        where l.each and l.value = ${limitedValue(sql`s.backend_type`)}), 0) as share
        from best_lanes l
       cross join appetite s
       cross join lateral (
         select b.ctid as place, b.*
           from queue b
          where b.state = 'pending' and b.problem_id = l.problem_id and b.backend_type = l.backend_type and b.lane = l.lane
            and b.rank <= coalesce((select rank from cutoff), ${MOST_RANK}::bigint)
          order by b.rank, b.task_id
          limit ${LANE_ROWS} + (select tasks from wanted)) as q
       where ${NOT_HELD_BACK}
    ), lane_pick as materialized (
      select q.ctid as place, q.task_id, q.problem_id, q.labels, q.rank, q.parameter_bytes, q.updated_at, c.share
        from (select * from candidates order by share, rank, task_id limit ${LANE_ROWS} + (select tasks from wanted)) as c
        join queue q on ${isPlacedAt('c')}
       order by c.share, c.rank, c.task_id
       limit (select tasks from wanted)
         for update of q skip locked
    ), ${pickFrom(sql`(select * from front_pick union all select * from lane_pick)`, sql`l.share,`)}, under as materialized (
      -- The limits that the picked task falls under, and how many claims each had seen.
      select l.id as limit_id, v.value, coalesce(c.claim_seq, 0) as claim_seq
        from pick q
       cross join appetite s
       cross join limits l
       cross join lateral (select ${limitedValue(sql`s.backend_type`)} as value) as v
        left join limit_claims c on c.limit_id = l.id and c.value = v.value
       where v.value is not null and v.value = coalesce(l.value, v.value)
    ), passed as (
      insert into limit_claims as c (limit_id, value, claim_seq)
      select limit_id, value, claim_seq + 1 from under order by limit_id, value
      on conflict (limit_id, value) do update set claim_seq = excluded.claim_seq where c.claim_seq = excluded.claim_seq - 1
      returning c.limit_id
    ), ${startPicked(sql`(select count(*) from passed) = (select count(*) from under)`)}
    ${claimRows(sql`case
      -- What is after the cutoff was not looked at; what is before it others may be locking, or has expired.
      when not exists (select from pick) and (select rank from cutoff) is null then 'dry'
      when not exists (select from pick) then 'nothing'
      -- Others of this statement got the picked tasks; with limits each takes its turn.
      when not exists (select from limits) then 'nothing'
      else 'limited' end`)}`.execute(db);
  return rows;
}
