/** The database owns the clock, and the test owns the database: a moment comes when it is moved into the past. */
import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../../src/db/database.js';

/** `fire` makes a schedule due just now, `miss` longer ago than it may be late. */
export type Move = 'lapse' | 'overdue' | 'arrive' | 'expire' | 'fire' | 'miss';

const MOVES: Record<Move, (id: string) => RawBuilder<unknown>> = {
  lapse: (id) => sql`update workers set lease_until = now() - interval '1 second' where id = ${id}`,
  overdue: (id) => sql`update queue set deadline_at = now() - interval '1 second' where task_id = ${id}::uuid and state = 'running'`,
  arrive: (id) => sql`update queue set available_at = now() - interval '1 second' where task_id = ${id}::uuid and available_at is not null`,
  fire: (id) => sql`update schedules set next_at = now() - interval '1 second' where id = ${id}::uuid`,
  miss: (id) => sql`update schedules set next_at = now() - interval '2 hours' where id = ${id}::uuid`,
  expire: (id) => sql`update queue set expires_at = now() - interval '1 second' where task_id = ${id}::uuid and expires_at is not null`,
};

/** `id`: of the worker whose lease is over, of the schedule, or of the task. */
export async function moveTime(db: Database, move: Move, id: string): Promise<void> {
  const { numAffectedRows } = await MOVES[move](id).execute(db);
  if (numAffectedRows !== 1n) throw new Error(`nothing was moved: ${move} ${id}`);
}
