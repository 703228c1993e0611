/** Reading workers. */
import { sql } from 'kysely';
import type { WorkerStatus } from '@task-executor/shared';
import type { Database } from '../db/database.js';
import { isLive, runsOn } from './look-up.js';
import { WORKER_COLUMNS, workerJoins, type WorkerRow } from './worker.js';

/** The workers, in the order of `ids`; null where an id was never registered. */
export async function findWorkers(db: Database, ids: readonly string[]): Promise<(WorkerRow | null)[]> {
  const { rows } = await sql<WorkerRow>`
    with page as materialized (select * from workers where id = any (${ids}::text[]))
    select ${WORKER_COLUMNS} from page w ${workerJoins(sql`page`)}`.execute(db);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** The worker, or null where the id was never registered. */
export async function findWorker(db: Database, workerId: string): Promise<WorkerRow | null> {
  const [row] = await findWorkers(db, [workerId]);
  return row ?? null;
}

export interface WorkerFilter {
  readonly status: WorkerStatus | null;
  readonly backendType: string | null;
}

// In a subquery without the totals, so that counting workers never reads what they did.
const matching = (filter: WorkerFilter) => sql`
  (${filter.backendType}::text is null or w.backend_type = ${filter.backendType})
  and (${filter.status}::text is null or ${filter.status} = case
         when not ${isLive()} then 'offline'
         when exists (select from queue q where ${runsOn('w')}) then 'busy'
         else 'idle' end)`;

/** Up to `limit` workers after id `after`, by id. */
export async function listWorkers(
  db: Database,
  filter: WorkerFilter,
  { after, limit }: { after: string; limit: number },
): Promise<WorkerRow[]> {
  const { rows } = await sql<WorkerRow>`
    with page as materialized (select * from workers w where w.id > ${after} and ${matching(filter)} order by w.id limit ${limit})
    select ${WORKER_COLUMNS} from page w ${workerJoins(sql`page`)}
     order by w.id`.execute(db);
  return rows;
}

export async function countWorkers(db: Database, filter: WorkerFilter): Promise<number> {
  const { rows } = await sql<{ total: number }>`select count(*) as total from workers w where ${matching(filter)}`.execute(db);
  return rows[0]?.total ?? 0;
}

export interface FleetCounts {
  total: number;
  idle: number;
  busy: number;
  offline: number;
}

export async function countFleet(db: Database): Promise<FleetCounts> {
  const { rows } = await sql<FleetCounts>`
    with busy as (select distinct session_id from queue where state = 'running')
    select count(*) as total, count(*) filter (where not ${isLive()}) as offline,
           count(*) filter (where ${isLive()} and busy.session_id is not null) as busy,
           count(*) filter (where ${isLive()} and busy.session_id is null) as idle
      from workers w left join busy on busy.session_id = w.session_id`.execute(db);
  return rows[0] ?? { total: 0, idle: 0, busy: 0, offline: 0 };
}
