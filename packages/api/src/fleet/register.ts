/**
 * Registration: a new session for a worker id. It replaces whatever session the id had, which fences the old one; the
 * tasks of that one are taken back by queue/sweep, which the caller runs for this worker at once. Where the client made the session's id,
 * a copy of a registration is told from a new one.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { likePattern } from '../db/like.js';
import { isLive } from './look-up.js';

export interface Registration {
  /** Null: the lowest id whose last session has ended, or that never had one. */
  readonly workerId: string | null;
  readonly backendType: string;
  readonly maxParallelTasks: number;
  readonly supportedProblems: readonly string[];
  readonly metadata: Record<string, unknown>;
  readonly leaseSeconds: number;
}

/** Two replicas may pick the same free id; the loser picks again. */
const MAX_RACES = 20;

export interface Registered {
  readonly workerId: string;
  readonly sessionId: string;
}

/**
 * Registers under `sessionId`, a UUID in lower case that the client made, the same for all tries of this registration; where that session is
 * live, it has been registered by an earlier one. Null: every id is taken.
 */
export async function registerOnce(db: Database, request: Registration, sessionId: string): Promise<Registered | 'session_over' | null> {
  return db.transaction().execute(async (transaction) => {
    // Of two copies that come at once, one has to see the other.
    await sql`select pg_advisory_xact_lock(hashtextextended('task_executor.session ' || ${sessionId}, 0))`.execute(transaction);
    return (await repeat(transaction, request, sessionId)) ?? register(transaction, request, sessionId);
  });
}

/**
 * Renews the lease of a session that is there already, since its client counts it from the last try; unless it has ended, or is of another
 * id than the request's. Null: it is new.
 */
async function repeat(
  db: Database, { workerId, leaseSeconds }: Registration, sessionId: string,
): Promise<Registered | 'session_over' | null> {
  const { rows } = await sql<{ id: string; renewed: boolean }>`
    with known as materialized (
      select w.id from workers w where w.session_id = ${sessionId}::uuid
    ), renewed as (
      update workers w
         set last_seen_at = now(), lease_until = greatest(w.lease_until, now() + make_interval(secs => ${leaseSeconds}::float8))
        from known
       where w.id = known.id and w.session_id = ${sessionId}::uuid and ${isLive()} and w.id = coalesce(${workerId}, w.id)
      returning w.id
    )
    select known.id, renewed.id is not null as renewed from known left join renewed on renewed.id = known.id`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  return row.renewed ? { workerId: row.id, sessionId } : 'session_over';
}

/** The id and session of the registered worker, or null when every id is taken. */
export async function register(db: Database, request: Registration, sessionId: string = randomUUID()): Promise<Registered | null> {
  for (let race = 0; race < MAX_RACES; race++) {
    const workerId = request.workerId ?? (await lowestFreeId(db));
    if (workerId === null) return null;
    const { rows } = await sql`
      insert into workers as w (id, session_id, backend_type, max_parallel_tasks, supported_problems, problem_patterns,
                                metadata, registered_at, last_seen_at, lease_until)
      values (${workerId}, ${sessionId}::uuid, ${request.backendType}, ${request.maxParallelTasks},
              ${request.supportedProblems}::text[], ${request.supportedProblems.map(likePattern)}::text[],
              ${JSON.stringify(request.metadata)}::json, now(), now(), now() + make_interval(secs => ${request.leaseSeconds}::float8))
      on conflict (id) do update
         set session_id = excluded.session_id, backend_type = excluded.backend_type,
             max_parallel_tasks = excluded.max_parallel_tasks, supported_problems = excluded.supported_problems,
             problem_patterns = excluded.problem_patterns, metadata = excluded.metadata,
             registered_at = excluded.registered_at, last_seen_at = excluded.last_seen_at,
             lease_until = excluded.lease_until, ended_at = null, end_reason = null, draining_at = null, fitness_at = null
       where ${request.workerId !== null} or w.ended_at is not null
      returning w.id`.execute(db);
    if (rows.length === 1) return { workerId, sessionId };
  }
  return null;
}

async function lowestFreeId(db: Database): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    with live as (
      -- Also where the lease has lapsed: whether that ends the session is for the sweep to say, and a report may be on its way.
      select substring(w.id from '[0-9]+')::int as n from workers w where w.ended_at is null
    ), free as (
      -- The lowest free number is 1 or follows a taken one.
      select min(n) as n
        from (select 1 as n union all select n + 1 from live) as next
       where not exists (select from live where live.n = next.n)
    )
    select 'worker-' || lpad(n::text, greatest(3, length(n::text)), '0') || '-kind' as id
      from free where n <= 999999`.execute(db);
  return rows[0]?.id ?? null;
}
