/** Heartbeat: renews a live session's lease. A session that has ended, or whose lease has lapsed, is not revived. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isLive, isWorkerOf, runsOn } from './look-up.js';

export interface Beat {
  readonly workerId: string;
  /** Null: the worker's current session. */
  readonly sessionId: string | null;
  /** The id of the claim that this stands for, or null. */
  readonly requestId: string | null;
}

export interface Renewed {
  readonly sessionId: string;
  /** Whether a claim of this id has taken tasks before. */
  readonly claimed: boolean;
  /** Whether the session holds attempts that other claims took; only of a beat that stands for a claim. */
  readonly holdsOthers: boolean;
  readonly draining: boolean;
}

/** Renews the leases of live sessions, and gives for each beat what was renewed, or null where no session is live. */
export async function renewLeases(db: Database, leaseSeconds: number, beats: readonly Beat[]): Promise<(Renewed | null)[]> {
  const { rows } = await sql<{ n: number; session_id: string; claimed: boolean; holds_others: boolean; draining: boolean }>`
    with given as materialized (
      select * from unnest(${beats.map((beat) => beat.workerId)}::text[], ${beats.map((beat) => beat.sessionId)}::uuid[],
                           ${beats.map((beat) => beat.requestId)}::text[]) with ordinality as g (worker_id, session_id, request_id, n)
    ), live as materialized (
      -- In the order of claims, so that no two statements wait for each other. A worker may be named with its session and without; it is
      -- renewed once.
      select w.id, w.session_id
        from (select distinct worker_id collate "C" as worker_id, session_id from given order by 1, 2) as g
       cross join lateral (
         select w.id, w.session_id from workers w
          where w.id = g.worker_id and w.session_id = coalesce(g.session_id, w.session_id) and ${isLive()}
            for no key update of w) as w
    ), renewed as (
      -- What a replica with a longer lease has promised is never taken back.
      update workers w
         set last_seen_at = now(), lease_until = greatest(w.lease_until, now() + make_interval(secs => ${leaseSeconds}::float8))
        from live where ${isWorkerOf('live')}
      returning w.id, w.session_id, w.running_since, w.draining_at
    )
    select g.n::int as n, renewed.session_id, renewed.draining_at is not null as draining,
           g.request_id is not null and (
             select true from queue q
              where ${runsOn('renewed')} and q.claim_request = g.request_id limit 1) is not null as claimed,
           g.request_id is not null and (
             select true from queue q
              where ${runsOn('renewed')} and q.claim_request is distinct from g.request_id limit 1) is not null as holds_others
      from given g
      join renewed on renewed.id = g.worker_id and renewed.session_id = coalesce(g.session_id, renewed.session_id)`.execute(db);
  const renewed = beats.map((): Renewed | null => null);
  for (const { n, session_id, claimed, holds_others, draining } of rows) {
    renewed[n - 1] = { sessionId: session_id, claimed, holdsOthers: holds_others, draining };
  }
  return renewed;
}
