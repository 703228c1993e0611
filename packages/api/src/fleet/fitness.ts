/** Whether a worker is fit, as it says while its session goes on: kept in its metadata, where its registration says it too. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { isLive } from './look-up.js';

/** Notes why a live session claims nothing (null: nothing keeps it from that). Whether it was live. */
export async function changeFitness(db: Database, workerId: string, sessionId: string, unfit: string | null): Promise<boolean> {
  const { rows } = await sql`
    update workers w
       set fitness_at = now(), metadata = (
             select coalesce(json_object_agg(said.key, said.value order by said.n), '{}')
               from (select m.key, m.value, m.n from json_each(w.metadata) with ordinality as m (key, value, n) where m.key <> 'unfit'
                     union all
                     select 'unfit', to_json(${unfit}::text), null where ${unfit}::text is not null) as said)
     where w.id = ${workerId} and w.session_id = ${sessionId}::uuid and ${isLive()}
    returning w.id`.execute(db);
  return rows.length === 1;
}
