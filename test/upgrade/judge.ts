/** What is found in the database, and at the API of today, when all has come to its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { breaches, INVARIANTS, SETTLED } from '../../packages/api/test/support/invariants.js';
import { call, type Load } from './load.js';

/** Longer than a lease: what a worker left behind that has registered anew waits for its end. */
const END_MS = 120_000;

export interface Findings {
  readonly tasks: number;
  /** Acknowledged, and not in the database. */
  readonly lost: number;
  /** Still in the queue two minutes after the load. */
  readonly unfinished: number;
  /** Ended otherwise than they had to. */
  readonly wrong: number;
  readonly broken: readonly string[];
  /** Acknowledged tasks that the API does not show, with their attempts and logs. */
  readonly unreadable: number;
  /** What the worker of the earlier version completed at an API of today. */
  readonly byOldWorker: number;
}

/**
 * `since`: by the database's clock, when no earlier API served any more. The earlier worker is known by not being `newWorker`: where the
 * change took longer than its lease, it has another id now.
 */
export async function judge({ databaseUrl, url, load, newWorker, since }: {
  databaseUrl: string; url: string; load: Load; newWorker: string | null; since: Date;
}): Promise<Findings> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const left = async (): Promise<number> => (await client.query<{ n: number }>('select count(*)::int as n from queue')).rows[0]?.n ?? 0;
    for (const until = Date.now() + END_MS; await left() > 0 && Date.now() < until;) await sleep(100);
    const ids = [...load.accepted];
    const { rows } = await client.query<{ id: string; status: string | null; fail: boolean; worker_id: string | null; ended_at: Date | null }>(
      `select t.id, o.status, (t.parameters ->> 'fail')::boolean as fail, o.worker_id, o.ended_at
         from tasks t left join outcomes o on o.task_id = t.id where t.id = any ($1)`, [ids]);
    const fits = ({ id, status, fail }: (typeof rows)[number]): boolean =>
      status === null || (status === 'cancelled' && load.perhaps.has(id)) || (load.cancelled.has(id) ? status === 'cancelled' : status === (fail ? 'failed' : 'completed'));
    return {
      tasks: ids.length,
      lost: ids.length - rows.length,
      unfinished: await left(),
      wrong: rows.filter((row) => !fits(row)).length,
      broken: await breaches((text) => client.query(text), { ...INVARIANTS, ...SETTLED }),
      unreadable: await unreadable(url, ids),
      byOldWorker: rows.filter((row) => row.worker_id !== null && row.worker_id !== newWorker && row.ended_at !== null && row.ended_at > since).length,
    };
  } finally {
    await client.end();
  }
}

async function unreadable(url: string, ids: readonly string[]): Promise<number> {
  let bad = 0;
  const left = [...ids];
  const read = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      for (const path of ['', '/attempts', '/logs']) if ((await call(url, 'GET', `/api/v1/tasks/${id}${path}`)).status !== 200) bad += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, read));
  return bad;
}
