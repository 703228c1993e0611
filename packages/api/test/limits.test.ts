/** Limits and pauses: never exceeded, fair between values, and whoever waits is woken when there is room. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabases } from '../src/db/database.js';
import type { ClaimRequest } from '../src/queue/claim-parts.js';
import { claim } from '../src/queue/claim.js';
import { submit } from '../src/queue/submit.js';
import { submission } from './races/scene.js';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type Caller, type TestApi } from './support/api.js';

/** More claims at once than statements may lose a race. */
const MANY = 60;
/** More tasks than a claim looks at in one lane. */
const MORE_THAN_A_LOOK = 70;
const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('limits and pauses', () => {
  let api: TestApi;
  let replica: Caller;
  let worker: TestWorker;
  const workers: TestWorker[] = [];
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    replica = await api.replica({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
  });
  after(() => api.stop());
  const register = async (options: Parameters<typeof TestWorker.register>[1] = {}): Promise<TestWorker> => {
    const registered = await TestWorker.register(api, options);
    workers.push(registered);
    return registered;
  };
  beforeEach(async () => {
    worker = await register({ parallel: 1000 });
  });
  afterEach(async () => {
    for (const { id } of (await api.call('GET', '/api/v1/limits')).body.limits as { id: string }[]) await api.call('DELETE', `/api/v1/limits/${id}`);
    for (const { problem_id } of (await api.call('GET', '/api/v1/queue/pauses')).body.pauses as { problem_id: string | null }[]) {
      await api.call('POST', '/api/v1/queue/resume', problem_id === null ? {} : { problem_id });
    }
    for (const one of workers.splice(0)) await one.leave();
    await api.call('POST', '/api/v1/bulk-operations', { action: 'cancel', filter: {} });
    await eventually(async () => (await sql`select from queue`.execute(api.db)).rows.length === 0);
  });

  const limit = async (key: string, most: number, value?: string): Promise<string> => {
    const { status, body } = await api.call('POST', '/api/v1/limits', { key, max_running: most, ...(value === undefined ? {} : { value }) });
    expect(status).to.equal(201);
    // While one on a label goes through the queue, claims leave out what is being sorted.
    await eventually(async () => (await sql`select from limits where lanes_after is not null`.execute(api.db)).rows.length === 0);
    return body.id as string;
  };
  const batch = async (...tasks: Record<string, unknown>[]): Promise<string[]> =>
    (await api.call('POST', '/api/v1/tasks/batch', { tasks: tasks.map((task) => ({ problem_id: 'test-a', ...task })) })).body.tasks.map(({ id }: { id: string }) => id) as string[];
  const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
  /** Claims until there is nothing more. */
  async function claimAll(by: TestWorker = worker): Promise<Answer['body'][]> {
    const claimed: Answer['body'][] = [];
    for (let answer = await by.claim(); answer.status === 200; answer = await by.claim()) claimed.push(answer.body);
    return claimed;
  }
  /** A claim that has found nothing and hangs; in an object, so that it is not awaited yet. */
  async function waitingClaim(by: TestWorker): Promise<{ answer: Promise<Answer> }> {
    const claims = async (): Promise<number> => {
      const { rows: [row] } = await sql<{ claim_seq: number }>`select claim_seq from workers where id = ${by.id}`.execute(api.db);
      return row?.claim_seq ?? 0;
    };
    const before = await claims();
    const answer = by.claim({ wait_seconds: 30 });
    await eventually(async () => (await claims()) > before);
    return { answer };
  }
  const running = async (of: string): Promise<number> => {
    const { rows: [row] } = await sql<{ n: number }>`select count(*)::int as n from queue where state = 'running' and problem_id like ${of}`.execute(api.db);
    return row?.n ?? 0;
  };

  const askOf = ({ id, session }: TestWorker): ClaimRequest => ({ workerId: id, sessionId: session, requestId: null, wanted: 1, leaseSeconds: 600 });

  it('give as many claims of one batch a task each as there are tasks', async () => {
    await limit('label:account', 1);
    const ids = await batch(...times(MANY, { labels: { account: '' } }).map((task, n) => ({ ...task, labels: { account: `a-${n}` } })));
    const fleet: TestWorker[] = [];
    for (let n = 0; n < MANY; n++) fleet.push(await register());
    const results = await claim(api.db, fleet.map(askOf));
    expect(results.flatMap((one) => (one.kind === 'claimed' ? one.tasks.map(({ id }) => id) : [])).sort()).to.deep.equal([...ids].sort());
  });

  it('answer each claim once it has its task, and keep that where the next statement fails', async () => {
    await limit('label:account', 1);
    await batch({ labels: { account: 'a' } }, { labels: { account: 'b' } });
    const sessions = [await register(), await register()];
    const databases = openDatabases(api.databaseUrl, { lease: 1, general: 1 }, pino({ level: 'silent' }));
    const settled: { n: number; tasks: number }[] = [];
    const closed: Promise<unknown>[] = [];
    const claimed = claim(databases.lease, sessions.map(askOf), null, undefined, (n, result) => {
      settled.push({ n, tasks: result.kind === 'claimed' ? result.tasks.length : 0 });
      closed.push(databases.close());
    });
    expect(await claimed.then(() => 'all', () => 'failed')).to.equal('failed');
    await Promise.all(closed);
    expect(settled).to.deep.equal([{ n: 0, tasks: 1 }]);
    expect(await running('%')).to.equal(1);
  });

  it('are made, listed with their use, changed and removed', async () => {
    const created = await api.call('POST', '/api/v1/limits', { key: 'label:team', max_running: 2 });
    expect(created.headers.location).to.equal(`/api/v1/limits/${created.body.id}`);
    expect((await api.call('GET', created.headers.location as string)).body).to.deep.equal(created.body);
    expect(created.body).to.deep.include({ key: 'label:team', value: null, max_running: 2, in_use: [] });
    const one = await limit('label:team', 1, 'red');
    const empty = await limit('label:team', 1, '');
    for (const body of [{ key: 'label:team', max_running: 9 }, { key: 'label:team', value: 'red', max_running: 9 }, { key: 'label:team', value: '', max_running: 1 }]) {
      expect((await api.call('POST', '/api/v1/limits', body)).body.code).to.equal('limit_exists');
    }
    await batch({ labels: { team: 'red' } }, { labels: { team: 'red' } }, { labels: { team: 'blue' } }, {});
    expect(await claimAll()).to.have.length(3);
    const { limits } = (await api.call('GET', '/api/v1/limits')).body;
    const usesOf = (id: string): unknown => (limits as { id: string; in_use: unknown }[]).find((shown) => shown.id === id)?.in_use;
    expect(usesOf(created.body.id as string)).to.have.deep.members([{ value: 'red', running: 1 }, { value: 'blue', running: 1 }]);
    expect(usesOf(one)).to.deep.equal([{ value: 'red', running: 1 }]);
    expect(usesOf(empty)).to.deep.equal([]);
    expect((await api.call('PATCH', `/api/v1/limits/${one}`, { max_running: 2 })).body).to.deep.include({ max_running: 2, value: 'red' });
    expect(await claimAll()).to.have.length(1);
    for (const id of [one, empty]) expect((await api.call('DELETE', `/api/v1/limits/${id}`)).status).to.equal(204);
    expect((await api.call('DELETE', `/api/v1/limits/${one}`)).body.code).to.equal('limit_not_found');
    expect((await api.call('GET', `/api/v1/limits/${one}`)).body.code).to.equal('limit_not_found');
    expect((await api.call('PATCH', `/api/v1/limits/${UNKNOWN}`, { max_running: 1 })).body.code).to.equal('limit_not_found');
    for (const body of [{}, { key: 'worker', max_running: 1 }, { key: 'label:', max_running: 1 }, { key: 'problem_id', max_running: 0 }, { key: 'problem_id', max_running: 1.5 }]) {
      expect((await api.call('POST', '/api/v1/limits', body)).status, JSON.stringify(body)).to.equal(422);
    }
  });

  it('are refused for a value that nothing can have', async () => {
    const none = ['test-*', 'test-?', '', 'two words'];
    // The contract counts characters, and a label has bytes.
    const values = { problem_id: none, backend_type: [...none, '-gpu', 'x'.repeat(65)], [`label:${'k'.repeat(63)}`]: ['😀'.repeat(255)] };
    for (const [key, value] of Object.entries(values).flatMap(([of, all]) => all.map((one) => [of, one] as const))) {
      const { status, body } = await api.call('POST', '/api/v1/limits', { key, value, max_running: 1 });
      expect([status, body.code], `${key} ${value}`).to.deep.equal([422, 'validation_failed']);
    }
    const { body } = await api.call('POST', '/api/v1/limits', { key: 'problem_id', value: 'test-*', max_running: 1 });
    expect(body.errors[0].path).to.equal('/body/value');
    expect(body.errors[0].message).to.contain('globs are not taken').and.to.contain('leave value out');
    await limit('label:team', 1, 'r*d');
  });

  it('hold for one problem, and let the others by', async () => {
    await limit('problem_id', 2, 'tight');
    const tight = await batch(...times(300, { problem_id: 'tight', priority: 9 }));
    const loose = await batch(...times(3, { problem_id: 'loose' }));
    const claimed = await claimAll();
    expect(claimed.map(({ id }) => id as string)).to.deep.equal([...tight.slice(0, 2), ...loose]);
    expect(await readTask(api, tight[2] ?? '')).to.include({ reason: 'limited' });
    expect(await readTask(api, loose[0] ?? '')).to.include({ status: 'running' });
    await worker.report('complete', tight[0] ?? '', {});
    expect((await claimAll()).map(({ id }) => id as string)).to.deep.equal([tight[2]]);
    await worker.report('fail', tight[1] ?? '', { error: 'x' });
    await worker.report('release', tight[2] ?? '', undefined);
    expect(await claimAll()).to.have.length(2);
  });

  it('hold for the backend of the worker, whatever the task names', async () => {
    await limit('backend_type', 1, 'gpu');
    const gpu = await register({ backend: 'gpu', parallel: 10 });
    await batch({}, { backend_type: 'gpu' }, {});
    expect(await claimAll(gpu)).to.have.length(1);
    expect(await claimAll()).to.have.length(1);
    const { rows: [left] } = await sql<{ backend_type: string }>`select backend_type from queue where state = 'pending'`.execute(api.db);
    expect(left?.backend_type).to.equal('gpu');
  });

  it('share fairly between the values of a key, whatever the rank', async () => {
    await limit('label:tenant', 100);
    await batch(...times(60, { labels: { tenant: 'big' }, priority: 9 }), ...times(5, { labels: { tenant: 'small' }, priority: 1 }), ...times(5, { labels: { tenant: 'tiny' } }));
    const order: string[] = [];
    for (let n = 0; n < 15; n++) order.push((await worker.claim()).body.labels.tenant as string);
    const count = (tenant: string): number => order.filter((one) => one === tenant).length;
    expect([count('big'), count('small'), count('tiny')]).to.deep.equal([5, 5, 5]);
    expect((await worker.claim()).body.labels.tenant).to.equal('big');
  });

  it('reach what was submitted before them', async () => {
    await batch(...times(150, { labels: { group: 'a' }, priority: 9 }), ...times(2, { labels: { group: 'b' } }));
    await limit('label:group', 1, 'a');
    expect((await claimAll()).map(({ labels }) => labels.group as string)).to.deep.equal(['a', 'b', 'b']);
  });

  it('tell what ran when they were made apart when it comes back', async () => {
    const ids = await batch(...times(MORE_THAN_A_LOOK, { labels: { team: 'a' }, priority: 9 }), ...times(2, { labels: { team: 'b' } }));
    expect(await claimAll()).to.have.length(ids.length);
    await limit('label:team', 1);
    for (const id of ids) expect((await worker.report('release', id, undefined)).status).to.equal(200);
    expect((await claimAll()).map(({ labels }) => labels.team as string)).to.deep.equal(['a', 'b']);
  });

  it('tell apart what was being submitted when they were made', async () => {
    const submitting = await api.db.startTransaction().execute();
    try {
      await submit(submitting, 1, ['a', 'b'].map((team) => ({ ...submission('under-way'), labels: { team } })));
      const { status, body } = await api.call('POST', '/api/v1/limits', { key: 'label:team', max_running: 1 });
      expect(status).to.equal(201);
      // The sweep that expires the second one has been through all of the round before.
      for (let n = 0; n < 2; n++) await taskIn(api, await submitTask(api, { problem_id: 'expired', expires_at: '2020-01-01T00:00:00Z' }), 'timeout');
      await submitting.commit().execute();
      await eventually(async () => (await sql`select from limits where id = ${body.id}::uuid and lanes_after is null`.execute(api.db)).rows.length === 1);
    } finally {
      if (!submitting.isCommitted) await submitting.rollback().execute();
    }
    const { rows } = await sql<{ lane: string }>`select lane from queue where problem_id = 'under-way' order by task_id`.execute(api.db);
    expect(rows.map(({ lane }) => lane)).to.deep.equal(['{"team": "a"}', '{"team": "b"}']);
  });

  it('count together: the narrowest holds', async () => {
    await limit('problem_id', 3);
    await limit('label:user', 2);
    await limit('label:user', 1, 'eve');
    await batch(...['p', 'q'].flatMap((problem) => ['eve', 'eve', 'bob', 'bob', 'bob', 'amy'].map((user) => ({ problem_id: problem, labels: { user } }))));
    const claimed = await claimAll();
    const users = claimed.map(({ labels }) => labels.user as string).sort();
    expect(users).to.deep.equal(['amy', 'amy', 'bob', 'bob', 'eve']);
    for (const problem of ['p', 'q']) expect(claimed.filter(({ problem_id }) => problem_id === problem).length).to.be.at.most(3);
  });

  for (const [name, key, most, value, distinct] of [
    ['one value', 'problem_id', 3, 'stress-1', 1], ['each value', 'problem_id', 2, undefined, 4], ['a label', 'label:stress', 2, undefined, 4],
  ] as const) {
    it(`are never exceeded by many workers at two replicas: ${name}`, async () => {
      await limit(key, most, value);
      const total = 80;
      const ids = await batch(...Array.from({ length: total }, (_one, n) => ({
        problem_id: key === 'problem_id' ? `stress-${1 + n % distinct}` : 'stress-x', labels: { stress: `s${n % distinct}` },
      })));
      let over = 0;
      let completed = 0;
      let watching = true;
      const watch = (async () => {
        while (watching) {
          const { rows } = await sql<{ most: number }>`
            select coalesce(max(n), 0)::int as most from (
              select count(*) as n from queue where state = 'running' group by problem_id, labels ->> 'stress') as r`.execute(api.db);
          over = Math.max(over, rows[0]?.most ?? 0);
        }
      })();
      await Promise.all(Array.from({ length: 16 }, async (_one, n) => {
        const own = (await register({ parallel: 3, globs: ['stress-*'] })).at(n % 2 === 0 ? api : replica);
        while (completed < total) {
          const answer = await own.claim({ wait_seconds: 0.2 });
          if (answer.status === 204) continue;
          expect((await own.report('complete', answer.body.id as string, {})).status).to.equal(200);
          completed += 1;
        }
      }));
      watching = false;
      await watch;
      expect(over).to.be.within(1, most);
      for (const id of ids.slice(0, 3)) expect((await readTask(api, id)).status).to.equal('completed');
    }).timeout(180_000);
  }

  it('wake claims that wait when they are raised or removed, at every replica', async () => {
    const id = await limit('problem_id', 1, 'wake');
    await batch(...times(4, { problem_id: 'wake' }));
    expect(await claimAll()).to.have.length(1);
    const here = await waitingClaim(worker);
    await api.call('PATCH', `/api/v1/limits/${id}`, { max_running: 2 });
    expect((await here.answer).status).to.equal(200);
    const there = await waitingClaim(worker.at(replica));
    await api.call('DELETE', `/api/v1/limits/${id}`);
    expect((await there.answer).status).to.equal(200);
    expect(await running('wake')).to.equal(3);
  });

  it('wake a claim that waits when a task under a full limit ends', async () => {
    await limit('label:seat', 1);
    const [first, second] = await batch({ labels: { seat: 'x' } }, { labels: { seat: 'x' } });
    expect((await worker.claim()).body.id).to.equal(first);
    const waiting = await waitingClaim(worker);
    await worker.at(replica).report('complete', first ?? '', {});
    expect((await waiting.answer).body.id).to.equal(second);
    const third = (await batch({ labels: { seat: 'x' } }))[0] ?? '';
    const again = await waitingClaim(worker.at(replica));
    await api.call('POST', `/api/v1/tasks/${second}/cancel`);
    expect((await again.answer).body.id).to.equal(third);
  });

  it('leave what runs when they are made or lowered', async () => {
    const ids = await batch(...times(4, { problem_id: 'lowered' }));
    for (let n = 0; n < 3; n++) await worker.claim();
    await limit('problem_id', 1, 'lowered');
    expect((await worker.claim()).status).to.equal(204);
    expect(await running('lowered')).to.equal(3);
    for (const id of ids.slice(0, 3)) await worker.report('complete', id, {});
    expect((await worker.claim()).body.id).to.equal(ids[3]);
  });

  describe('pauses', () => {
    const pause = (body?: unknown): Promise<Answer> => api.call('POST', '/api/v1/queue/pause', body);
    const resume = (body?: unknown): Promise<Answer> => api.call('POST', '/api/v1/queue/resume', body);

    it('hold back a problem, and let what runs go on', async () => {
      const [first, second, other] = await batch({ problem_id: 'held' }, { problem_id: 'held' }, { problem_id: 'free' });
      expect((await worker.claim()).body.id).to.equal(first);
      const paused = await pause({ problem_id: 'held', reason: 'broken image' });
      expect(paused.body).to.deep.include({ problem_id: 'held', reason: 'broken image' });
      expect((await pause({ problem_id: 'held', reason: 'still broken' })).body).to.deep.equal({ ...paused.body, reason: 'still broken' });
      expect((await claimAll()).map(({ id }) => id as string)).to.deep.equal([other]);
      expect((await readTask(api, second ?? '')).reason).to.equal('paused');
      const submitted = await api.call('POST', '/api/v1/tasks', { problem_id: 'held' });
      expect(submitted.body.reason).to.equal('paused');
      expect(submitted.body.warnings[0]).to.match(/paused/);
      expect((await worker.report('complete', first ?? '', {})).status).to.equal(200);
      expect((await api.call('GET', '/api/v1/queue/pauses')).body.pauses).to.have.length(1);
      const waiting = await waitingClaim(worker.at(replica));
      expect((await resume({ problem_id: 'held' })).body).to.deep.equal({ resumed: true });
      expect((await waiting.answer).body.id).to.equal(second);
      expect((await resume({ problem_id: 'held' })).body).to.deep.equal({ resumed: false });
    });

    it('hold back the whole queue', async () => {
      const [id] = await batch({});
      expect((await pause()).body).to.deep.include({ problem_id: null, reason: null });
      expect((await worker.claim()).status).to.equal(204);
      expect((await readTask(api, id ?? '')).reason).to.equal('paused');
      expect((await resume({ problem_id: 'test-a' })).body.resumed).to.equal(false);
      const waiting = await waitingClaim(worker);
      expect((await resume()).body.resumed).to.equal(true);
      expect((await waiting.answer).body.id).to.equal(id);
    });

    it('do not keep what is scheduled from expiring, nor retries from waiting', async () => {
      await pause();
      const id = await submitTask(api, { expires_at: '2020-01-01T00:00:00Z' });
      expect((await taskIn(api, id, 'timeout')).reason).to.equal('expired');
    });

    it('refuse what they cannot hold', async () => {
      for (const body of [{ problem_id: '' }, { problem_id: 'a b' }, { reason: 'x'.repeat(1001) }, { problem_id: null }]) {
        expect((await pause(body)).status, JSON.stringify(body)).to.equal(422);
      }
    });
  });
});
