/**
 * Claims while a snapshot is held, behind which nothing that died in the queue can be cleaned up: they read about as little as
 * ever, and leave nothing out for long.
 */
import { expect } from 'chai';
import { sql } from 'kysely';
import pg from 'pg';
import type { Database } from '../src/db/database.js';
import { findWorkers } from '../src/fleet/find.js';
import { renewLeases } from '../src/fleet/heartbeat.js';
import { claim, claimMemory, type ClaimMemory, type ClaimResult } from '../src/queue/claim.js';
import { directivesFor } from '../src/queue/directives.js';
import { Front, MANY_DEAD_ROWS } from '../src/queue/front.js';
import { LEASE_SECONDS } from './races/scene.js';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { expectInvariants } from './support/invariants.js';
import { NO_SWEEPS, testSweeper } from './support/sweeper.js';

const FEW_BLOCKS = 400;
/** After a look that took so long, the next one is as far off as it can be. */
const LONG_MS = 1e9;

describe('the front of the queue', () => {
  const many = { firstRank: 7, deadRows: MANY_DEAD_ROWS };

  it('is the first place while few rows are dead', () => {
    const front = new Front();
    expect(front.begin()).to.equal(null);
    front.saw({ firstRank: 7, deadRows: MANY_DEAD_ROWS - 1 }, null, LONG_MS);
    expect(front.begin()).to.equal(null);
  });

  it('is where the last claim found the first task, while many are', () => {
    const front = new Front();
    front.saw(many, null, LONG_MS);
    expect(front.begin()).to.equal(7);
    front.saw({ ...many, firstRank: 9 }, 7, 1);
    expect(front.begin()).to.equal(9);
    for (const [firstRank, from] of [[null, 9], [12, 7]] as const) {
      front.saw({ ...many, firstRank }, from, 1);
      expect(front.begin()).to.equal(9);
    }
    front.saw({ firstRank: 9, deadRows: 0 }, 9, 1);
    expect(front.begin()).to.equal(null);
  });

  it('is the first place again after some times what that took', () => {
    const front = new Front();
    front.saw(many, null, 0);
    expect(front.begin()).to.equal(null);
    front.saw(many, null, LONG_MS);
    expect(front.wholeInMs).to.be.greaterThan(0);
    expect(front.begin()).to.equal(7);
  });
});

describe('claims while a snapshot is held', function () {
  this.timeout(120_000);
  let api: TestApi;
  let worker: TestWorker;
  let holder: pg.Client;
  before(async () => {
    api = await startTestApi({ LEASE_SECONDS: String(LEASE_SECONDS) }, NO_SWEEPS);
    worker = await TestWorker.register(api, { parallel: 3 });
    holder = new pg.Client({ connectionString: api.databaseUrl });
    await holder.connect();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select from queue');
    // Was due, would have expired, was pending before all that follows, was run by the worker before all that it will run, and is no more.
    await sql`
      insert into queue (task_id, problem_id, backend_type, lane, priority, rank, state, wait_reason, available_at, expires_at,
                         timeout_seconds, max_attempts, max_lost, updated_at)
      select gen_random_uuid(), 'dead', '', '', 5, n, 'waiting', 'scheduled', now() - interval '1 day', now() - interval '1 day', 1, 1, 1, now()
        from generate_series(1, ${MANY_DEAD_ROWS}::int) as n`.execute(api.db);
    await sql`update queue set state = 'pending', wait_reason = null`.execute(api.db);
    await sql`
      update queue set state = 'running', attempt = 1, worker_id = ${worker.id}, session_id = ${worker.session}::uuid, started_at = now() - interval '1 day',
                       deadline_at = now()`.execute(api.db);
    await sql`delete from queue`.execute(api.db);
    await eventually(async () => {
      await sql`select pg_stat_force_next_flush()`.execute(api.db);
      const { rows: [found] } = await sql<{ dead: number }>`select pg_stat_get_dead_tuples('queue'::regclass) as dead`.execute(api.db);
      return found!.dead >= MANY_DEAD_ROWS;
    });
  });
  afterEach(() => expectInvariants(api.db, { settled: false }));
  after(async () => {
    await holder.end();
    await api.stop();
  });

  const ask = async (on: Database, memory: ClaimMemory, wanted = 1, requestId: string | null = null): Promise<ClaimResult & { kind: 'claimed' }> => {
    const [result] = await claim(on, [{ workerId: worker.id, sessionId: worker.session, requestId, wanted, leaseSeconds: LEASE_SECONDS }], null, memory);
    if (result?.kind !== 'claimed') throw new Error('the session is not live');
    return result;
  };
  const remembering = (): ClaimMemory => claimMemory(new Front());
  const complete = async (id: string): Promise<void> => {
    expect((await worker.report('complete', id, {})).status).to.equal(200);
  };

  /** The blocks of the queue and its indexes that `work` read. */
  async function blocksRead<T>(work: (on: Database) => Promise<T>): Promise<{ blocks: number; result: T }> {
    return api.db.connection().execute(async (on) => {
      const readSoFar = async (): Promise<number> => {
        await sql`select pg_stat_force_next_flush()`.execute(on);
        const { rows: [found] } = await sql<{ blocks: number }>`
          select heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit as blocks from pg_statio_user_tables where relname = 'queue'`.execute(on);
        return found!.blocks;
      };
      const before = await readSoFar();
      const result = await work(on);
      return { blocks: (await readSoFar()) - before, result };
    });
  }

  it('walk past what is dead once, then begin behind it', async () => {
    const ids = [await submitTask(api), await submitTask(api)];
    const memory = remembering();
    const whole = await blocksRead((on) => ask(on, memory));
    expect(whole.result.tasks.map(({ id }) => id)).to.deep.equal([ids[0]]);
    expect(whole.blocks).to.be.greaterThan(FEW_BLOCKS);
    memory.front.saw({ firstRank: Date.now() - 86_400_000 * 5 - 600_000, deadRows: MANY_DEAD_ROWS }, null, LONG_MS);
    const next = await blocksRead((on) => ask(on, memory));
    expect(next.result.tasks.map(({ id }) => id)).to.deep.equal([ids[1]]);
    expect(next.blocks).to.be.below(FEW_BLOCKS);
    for (const id of ids) await complete(id);
  });

  it('do not say that there is nothing before they have looked at the very front', async () => {
    const urgent = await submitTask(api, { priority: 10 });
    const memory = remembering();
    memory.front.saw({ firstRank: Date.now() - 86_400_000 * 5 - 600_000, deadRows: MANY_DEAD_ROWS }, null, LONG_MS);
    const behind = await ask(api.db, memory);
    expect(behind).to.include({ isDry: false });
    expect(behind.tasks).to.deep.equal([]);
    expect(behind.againMs).to.be.greaterThan(0);
    memory.front.saw({ firstRank: null, deadRows: MANY_DEAD_ROWS }, null, 0);
    expect((await ask(api.db, memory)).tasks.map(({ id }) => id)).to.deep.equal([urgent]);
    await complete(urgent);
    expect(await ask(api.db, remembering())).to.include({ isDry: true });
  });

  it('that wait find what came before the place where they began', async () => {
    // The API has found these, and begins there from then on.
    const ids = [await submitTask(api), await submitTask(api)];
    for (const id of ids) expect((await worker.claim()).body.id).to.equal(id);
    for (const id of ids) await complete(id);
    for (let n = 0; n < 5; n++) {
      const waiting = worker.claim({ wait_seconds: 30 });
      const urgent = await submitTask(api, { priority: 10 - n });
      expect((await waiting).body.id).to.equal(urgent);
      await complete(urgent);
    }
  });

  it('leave heartbeats as cheap as they are', async () => {
    const id = await submitTask(api);
    await ask(api.db, remembering());
    const { workerId, sessionId } = { workerId: worker.id, sessionId: worker.session };
    const beat = await blocksRead((on) => renewLeases(on, LEASE_SECONDS, [{ workerId, sessionId, requestId: 'unknown' }]));
    expect([beat.result[0]?.claimed, beat.blocks < FEW_BLOCKS]).to.deep.equal([false, true]);
    const told = await blocksRead((on) => directivesFor(on, [{ workerId, sessionId, named: [], isAll: true }]));
    expect([told.result[0]?.unnamed.map((one) => one.task_id), told.blocks < FEW_BLOCKS]).to.deep.equal([[id], true]);
    const shown = await blocksRead((on) => findWorkers(on, [workerId]));
    expect([shown.result[0]?.running_tasks, shown.blocks < FEW_BLOCKS]).to.deep.equal([1, true]);
    await complete(id);
  });

  it('count what the session still runs, and give it again, whatever it has ended since', async () => {
    const ids = [await submitTask(api), await submitTask(api), await submitTask(api), await submitTask(api), await submitTask(api)];
    const [first] = (await ask(api.db, remembering(), 1, 'first')).tasks;
    await ask(api.db, remembering(), 1);
    const third = (await ask(api.db, remembering(), 5)).tasks;
    expect(third.map(({ id }) => id)).to.deep.equal([ids[2]]);
    await complete(ids[1]!);
    await complete(ids[2]!);
    expect((await ask(api.db, remembering(), 5)).tasks.map(({ id }) => id)).to.deep.equal([ids[3], ids[4]]);
    expect((await ask(api.db, remembering(), 5)).tasks).to.deep.equal([]);
    expect((await ask(api.db, remembering(), 5, 'first')).tasks.map(({ id }) => id)).to.deep.equal([first!.id]);
    for (const id of [ids[0]!, ids[3]!, ids[4]!]) await complete(id);
  });

  it('count what began by a clock that was ahead', async () => {
    const ids = [await submitTask(api), await submitTask(api), await submitTask(api), await submitTask(api)];
    await ask(api.db, remembering(), 1);
    await sql`
      update queue
         set started_at = now() + interval '1 hour', updated_at = now() + interval '1 hour', deadline_at = now() + interval '2 hours'
       where task_id = ${ids[0]!}::uuid`.execute(api.db);
    await ask(api.db, remembering(), 1);
    await ask(api.db, remembering(), 1, 'third');
    expect((await ask(api.db, remembering(), 1)).tasks).to.deep.equal([]);
    expect((await ask(api.db, remembering(), 1, 'third')).tasks.map(({ id }) => id)).to.deep.equal([ids[2]]);
    for (const id of ids.slice(0, 3)) await complete(id);
    expect((await ask(api.db, remembering())).tasks.map(({ id }) => id)).to.deep.equal([ids[3]]);
    await complete(ids[3]!);
  });

  it('let a round of the sweeper walk past what is dead no more often where there is something to do', async () => {
    const round = () => blocksRead((on) => testSweeper(on, api.databaseUrl)());
    const other = await TestWorker.register(api);
    const ids = [await submitTask(api), await submitTask(api)];
    expect((await worker.claim()).body.id).to.equal(ids[0]);
    expect((await other.claim()).body.id).to.equal(ids[1]);
    ids.push(await submitTask(api, { expires_at: '2100-01-01T00:00:00Z' }), await submitTask(api, { run_at: '2100-01-01T00:00:00Z' }));
    // The first one folds the counters of what was submitted.
    await round();
    const idle = await round();
    await sql`update queue set deadline_at = now() where task_id = ${ids[0]!}::uuid`.execute(api.db);
    await sql`update workers set ended_at = now(), end_reason = 'lapsed' where id = ${other.id}`.execute(api.db);
    await sql`update queue set expires_at = now() where task_id = ${ids[2]!}::uuid`.execute(api.db);
    await sql`update queue set available_at = now() where task_id = ${ids[3]!}::uuid`.execute(api.db);
    const busy = await round();
    const found = await Promise.all(ids.map(async (id) => (await readTask(api, id)).reason));
    expect(found).to.deep.equal(['timed_out', 'ready', 'expired', 'ready']);
    expect(idle.blocks).to.be.greaterThan(FEW_BLOCKS);
    expect(busy.blocks - idle.blocks).to.be.below(FEW_BLOCKS);
    for (const id of [ids[1]!, ids[3]!]) expect((await api.call('POST', `/api/v1/tasks/${id}/cancel`)).status).to.equal(200);
  });
});
