/** What a statement reads, as PostgreSQL counts it for a transaction. */
import { sql } from 'kysely';
import type { Database } from '../../src/db/database.js';

async function readSoFar(db: Database): Promise<number> {
  const { rows: [found] } = await sql<{ rows: number }>`
    select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_user_tables`.execute(db);
  return found!.rows;
}

/** The rows that the statements of `work` read. The counters may still hold those of earlier transactions. */
export async function rowsRead<T>(db: Database, work: (on: Database) => Promise<T>): Promise<{ rows: number; result: T }> {
  return db.transaction().execute(async (on) => {
    const before = await readSoFar(on);
    const result = await work(on);
    return { rows: (await readSoFar(on)) - before, result };
  });
}
