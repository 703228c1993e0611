/** A round of the sweeper: what it costs where there is nothing to do, or much to look at. What each step of it does is tested with what it is about. */
import { expect } from 'chai';
import { sql, type RawBuilder } from 'kysely';
import { SWEEP_ROWS } from '../src/queue/sweep.js';
import type { Chore } from '../src/sweeping/sweeper.js';
import { eventually, submitTask } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { submitMany } from './support/exporter.js';
import { NO_SWEEPS, sweeperOf, testSweeper, type Sweep } from './support/sweeper.js';

describe('a round of the sweeper', () => {
  let api: TestApi;
  let sweep: Sweep;
  let statements = 0;
  before(async () => {
    api = await startTestApi({}, NO_SWEEPS);
    const counted = api.db.withPlugin({
      transformQuery: ({ node }) => {
        statements += 1;
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    sweep = testSweeper(counted, api.databaseUrl);
  });
  after(() => api.stop());

  it('is one statement where there is nothing to do', async () => {
    await submitTask(api, { problem_id: 'waits', run_at: '2100-01-01T00:00:00Z' });
    await submitTask(api, { problem_id: 'expires', expires_at: '2100-01-01T00:00:00Z' });
    // The first rounds fold what the submissions counted, and find that no question is dear.
    await eventually(async () => {
      statements = 0;
      await sweep();
      return statements === 1;
    });
  });

  it('sees to all that is due, in as many statements as it takes', async () => {
    const ids = await submitMany(api, 2 * SWEEP_ROWS + 1, { problem_id: 'due-at-once', run_at: '2100-01-01T00:00:00Z' });
    await sql`update queue set available_at = now() where task_id = any (${ids}::uuid[])`.execute(api.db);
    await sweep();
    const { rows } = await sql<{ state: string; tasks: number }>`
      select state, count(*) as tasks from queue where task_id = any (${ids}::uuid[]) group by state`.execute(api.db);
    expect(rows).to.deep.equal([{ state: 'pending', tasks: ids.length }]);
  });

  /** A step, and how often it was done. */
  function step(due: RawBuilder<boolean>): Chore & { readonly done: () => number } {
    let done = 0;
    return {
      due,
      done: () => done,
      run: () => {
        done += 1;
        return Promise.resolve();
      },
    };
  }
  /** Steps in rounds that follow each other at once, until the first of them has come often. */
  async function often(first: ReturnType<typeof step>, ...others: Chore[]): Promise<void> {
    const sweeper = sweeperOf(api.db, api.databaseUrl, [...others, first]);
    sweeper.start();
    try {
      await eventually(() => Promise.resolve(first.done() >= 20));
    } finally {
      await sweeper.stop();
    }
  }

  it('asks what is dear for a share of the time, and the rest as ever', async () => {
    // As a walk past what is dead would take; the next is due after ten seconds.
    const [cheap, dear] = [step(sql`true`), step(sql`(select pg_sleep(0.2)::text) is not null`)];
    await often(cheap, dear);
    expect(dear.done()).to.equal(1);
  });

  it('does the rest where a question gets no answer', async () => {
    const [cheap, failing] = [step(sql`true`), step(sql`(select 1 / count(*) from tasks where false) = 1`)];
    await often(cheap, failing);
    expect(failing.done()).to.equal(0);
  });

  it('asks again at once what got no answer for another reason than what it costs', async () => {
    await sql`create sequence asked`.execute(api.db);
    await sql`
      create function fails(state text) returns boolean language plpgsql as $$
      begin
        perform nextval('asked'), pg_sleep(0.1);
        raise exception 'no answer' using errcode = state;
      end $$`.execute(api.db);
    const asked = async (state: string): Promise<number> => {
      await sql`select setval('asked', 1, false)`.execute(api.db);
      await often(step(sql`true`), step(sql`fails(${state})`));
      const { rows } = await sql<{ next: number }>`select nextval('asked') as next`.execute(api.db);
      return rows[0]!.next - 1;
    };
    expect(await asked('55P03')).to.be.at.least(20);
    expect(await asked('57014')).to.equal(1);
  });

  it('goes on beside what takes long, which is begun once at a time and waited for at the stop', async () => {
    const cheap = step(sql`true`);
    const long = step(sql`true`);
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const sweeper = sweeperOf(api.db, api.databaseUrl, [{ due: long.due, run: (tasks) => long.run(tasks).then(() => ended) }, cheap]);
    sweeper.start();
    let isStopped = false;
    let stopped: Promise<void> = Promise.resolve();
    try {
      await eventually(() => Promise.resolve(cheap.done() >= 5));
      const due = await submitTask(api, { problem_id: 'due', run_at: '2100-01-01T00:00:00Z' });
      await sql`update queue set available_at = now() where task_id = ${due}::uuid`.execute(api.db);
      await eventually(async () => (await sql`select from queue where task_id = ${due}::uuid and state = 'pending'`.execute(api.db)).rows.length === 1);
      expect(long.done()).to.equal(1);
    } finally {
      stopped = sweeper.stop().then(() => {
        isStopped = true;
      });
      // A round that was under way has ended by now.
      await sql`select 1`.execute(api.db);
      await new Promise(setImmediate);
      expect(isStopped).to.equal(false);
      end();
      await stopped;
    }
  });
});
