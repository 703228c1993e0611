/** Two statements at once, stepped by PostgreSQL's own locks: no sleeps, and no luck. */
import { sql } from 'kysely';
import type { Database, Databases } from '../../src/db/database.js';

export interface Together<A, B> {
  readonly first: A;
  readonly second: B;
  /** Whether the second had to wait for the first to commit. */
  readonly waited: boolean;
}

/** Resolves when `acting` is through (false), or waits for `pid`, `waiters` statements in all (true). */
async function isHeld(databases: Databases, acting: Promise<unknown>, pid: number, waiters: number): Promise<boolean> {
  let isThrough = false;
  const note = (): void => {
    isThrough = true;
  };
  acting.then(note, note);
  for (;;) {
    const { rows } = await sql<{ held: number; waiting: number }>`
      select count(*) filter (where ${pid}::int = any (pg_blocking_pids(pid))) as held, count(*) filter (where wait_event_type = 'Lock') as waiting
        from pg_stat_activity where datname = current_database()`.execute(databases.lease);
    if (isThrough) return false;
    if (rows[0]!.held > 0 && rows[0]!.waiting >= waiters) return true;
  }
}

/** `first` has run and not committed when `second` comes; once that is through, or `waiters` statements of it wait, `first` commits. */
export async function together<A, B>(
  databases: Databases,
  first: (transaction: Database) => Promise<A>,
  second: (db: Database) => Promise<B>,
  waiters = 1,
): Promise<Together<A, B>> {
  const transaction = await databases.general.startTransaction().execute();
  try {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
    const one = await first(transaction);
    const acting = second(databases.general);
    const waited = await isHeld(databases, acting, rows[0]!.pid, waiters);
    await transaction.commit().execute();
    return { first: one, second: await acting, waited };
  } finally {
    if (!transaction.isCommitted) await transaction.rollback().execute();
  }
}
