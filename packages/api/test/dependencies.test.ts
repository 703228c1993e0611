/** Dependencies between tasks: results delivered, failures passed on, and no wake-up lost, however the calls fall together. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, readTask, submitTask, taskIn, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('dependencies', () => {
  let api: TestApi;
  let worker: TestWorker;
  before(async () => {
    // The sweeper must not be what makes these tests pass.
    api = await startTestApi({ SWEEP_INTERVAL_MS: '60000', LEASE_SECONDS: '600', HEARTBEAT_INTERVAL_SECONDS: '5' });
    worker = await TestWorker.register(api, { parallel: 1000 });
  });
  after(() => api.stop());

  async function claimTask(id: string): Promise<Record<string, unknown>> {
    const answer = await worker.claim();
    expect(answer.status, 'there is a task').to.equal(200);
    expect(answer.body.id).to.equal(id);
    return answer.body as Record<string, unknown>;
  }
  const finish = async (id: string, result: unknown = {}): Promise<void> => {
    expect((await worker.report('complete', id, result)).status).to.equal(200);
  };
  const cancel = (id: string): Promise<Answer> => api.call('POST', `/api/v1/tasks/${id}/cancel`);
  const nothingOpen = async (): Promise<void> => {
    const { rows } = await sql`select task_id from ended_parents union all select task_id from open_dependencies`.execute(api.db);
    expect(rows).to.deep.equal([]);
  };

  it('holds a task back until all it depends on have completed, and delivers their results', async () => {
    const [one, two] = [await submitTask(api), await submitTask(api)];
    const child = await submitTask(api, { depends_on: [one, two, one] });
    expect(await readTask(api, child)).to.include({ status: 'pending', reason: 'blocked' });
    await claimTask(one);
    await claimTask(two);
    expect((await worker.claim()).status).to.equal(204);
    await finish(one, { n: 1 });
    expect((await readTask(api, child)).reason).to.equal('blocked');
    await finish(two, { n: 2 });
    expect((await readTask(api, child)).reason).to.equal('ready');
    const claimed = await worker.claim({ request_id: 'deps-1' });
    expect(claimed.body).to.include({ id: child, status: 'running' });
    expect(claimed.body.dependencies).to.deep.equal({ [one]: { n: 1 }, [two]: { n: 2 } });
    expect(claimed.body).to.not.have.property('dependencies_truncated');
    expect((await worker.claim({ request_id: 'deps-1' })).body.dependencies).to.deep.equal(claimed.body.dependencies);
    await finish(child);
    await nothingOpen();
  });

  it('delivers the results of parents that had completed before', async () => {
    const parent = await submitTask(api);
    await claimTask(parent);
    await finish(parent, { done: true });
    const child = await submitTask(api, { depends_on: [parent.toUpperCase()] });
    expect((await readTask(api, child)).reason).to.equal('ready');
    expect((await claimTask(child)).dependencies).to.deep.equal({ [parent]: { done: true } });
    await finish(child);
  });

  it('leaves out results that are too large together, and says which', async () => {
    const parents = await Promise.all(Array.from({ length: 6 }, () => submitTask(api)));
    for (let n = 0; n < parents.length; n++) {
      const { body } = await worker.claim();
      await finish(body.id as string, { text: 'x'.repeat(900_000) });
    }
    const child = await submitTask(api, { depends_on: parents });
    const claimed = await claimTask(child);
    const results = claimed.dependencies as Record<string, unknown>;
    const missing = claimed.dependencies_truncated as string[];
    expect(Object.keys(results).sort()).to.deep.equal([...parents].sort());
    expect(Object.keys(results).filter((name) => results[name] === null).sort()).to.deep.equal([...missing].sort());
    expect(missing).to.have.length(2);
    expect(claimed.dependency_task_ids).to.deep.equal(Object.fromEntries(missing.map((id) => [id, id])));
    await finish(child);
  });

  it('says by which id a result that was left out is read, where its name is another', async () => {
    const text = 'x'.repeat(900_000);
    const { body: workflow } = await api.call('POST', '/api/v1/workflows', {
      tasks: [
        ...Array.from({ length: 5 }, (_none, n) => ({ name: `part-${n}`, problem_id: 'test-part' })),
        { name: 'whole', problem_id: 'test-whole', depends_on: Array.from({ length: 5 }, (_none, n) => `part-${n}`) },
      ],
    });
    const idOf = (name: string): string => (workflow.tasks as { name: string; task_id: string }[]).find((task) => task.name === name)!.task_id;
    for (let n = 0; n < 5; n++) await finish((await worker.claim()).body.id as string, { text });
    const claimed = await claimTask(idOf('whole'));
    expect(claimed.dependencies_truncated).to.deep.equal(['part-4']);
    expect(claimed.dependency_task_ids).to.deep.equal({ 'part-4': idOf('part-4') });
    expect((await readTask(api, idOf('part-4'))).result).to.deep.equal({ text });
    await finish(idOf('whole'));
  });

  it('gives the tasks of a claim no more than its bound of results together, the first ones first', async () => {
    const text = 'x'.repeat(1_000_000);
    const parents: string[] = [];
    for (let n = 0; n < 4; n++) {
      const parent = await submitTask(api);
      await claimTask(parent);
      await finish(parent, { text });
      parents.push(parent);
    }
    const children: string[] = [];
    for (let n = 0; n < 6; n++) children.push(await submitTask(api, { depends_on: parents }));
    for (const claims of [1, 2]) {
      const { body } = await api.call('POST', `/api/v1/workers/${worker.id}/claim-batch`, { max_tasks: 6, request_id: 'large-results' }, { 'worker-session': worker.session });
      const tasks = body.tasks as { id: string; dependencies: Record<string, unknown>; dependencies_truncated?: string[] }[];
      expect(tasks.map(({ id }) => id), `claim ${claims}`).to.deep.equal(children);
      const given = tasks.map(({ dependencies }) => Object.values(dependencies).filter((result) => result !== null).length);
      expect(given).to.deep.equal([4, 4, 4, 4, 0, 0]);
      for (const task of tasks) expect(Object.keys(task.dependencies)).to.have.members(parents);
      expect(tasks.map(({ dependencies_truncated: missing = [] }) => missing.length)).to.deep.equal([0, 0, 0, 0, 4, 4]);
    }
    for (const child of children) await finish(child);
  });

  /** A claim for which the statement that reads the results of parents is broken off. */
  async function claimWithoutResults(body?: Record<string, unknown>): Promise<Answer> {
    const { answer } = await api.db.transaction().execute(async (holder) => {
      // The claim itself reads no outcomes.
      await sql`lock table outcomes in access exclusive mode`.execute(holder);
      const answer = worker.claim(body);
      await eventually(async () => (await sql`
        select pg_cancel_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
         where not l.granted and l.relation = 'outcomes'::regclass`.execute(api.db)).rows.length > 0);
      return { answer };
    });
    return answer;
  }

  it('gives a task back whose results could not be read, where its claim has no id by which it will be repeated', async () => {
    const parent = await submitTask(api);
    await claimTask(parent);
    await finish(parent, { n: 1 });
    const child = await submitTask(api, { depends_on: [parent] });
    expect((await claimWithoutResults()).body.code).to.equal('database_unavailable');
    expect(await readTask(api, child)).to.include({ status: 'pending', reason: 'ready' });
    const { body } = await api.call('GET', `/api/v1/tasks/${child}/attempts`);
    expect(body.attempts.map((one: { outcome: string }) => one.outcome)).to.deep.equal(['released']);
    const request_id = 'deps-failed';
    expect((await claimWithoutResults({ request_id })).body.code).to.equal('database_unavailable');
    expect(await readTask(api, child)).to.include({ status: 'running', attempt: 2 });
    expect((await worker.claim({ request_id })).body).to.deep.include({ id: child, attempt: 2, dependencies: { [parent]: { n: 1 } } });
    await finish(child);
  });

  for (const [how, end] of [
    ['fails', (id: string) => worker.report('fail', id, { error: 'x' })],
    ['is cancelled', (id: string) => api.call('POST', `/api/v1/tasks/${id}/cancel`)],
  ] as const) {
    it(`cancels the whole line of descendants when a parent ${how}, but for those that run anyway`, async () => {
      const parent = await submitTask(api);
      const child = await submitTask(api, { depends_on: [parent] });
      const grandchild = await submitTask(api, { depends_on: [child] });
      const hardy = await submitTask(api, { depends_on: [grandchild], on_dependency_failure: 'run_anyway' });
      await claimTask(parent);
      await end(parent);
      expect(await readTask(api, child)).to.include({ status: 'cancelled', reason: 'dependency_failed', attempt: 0, worker_id: null });
      expect((await readTask(api, child)).error_details).to.contain(parent);
      expect((await readTask(api, grandchild)).error_details).to.contain(child);
      expect((await claimTask(hardy)).dependencies).to.deep.equal({ [grandchild]: null });
      await finish(hardy);
      // A child of what has already ended badly is told at once.
      const late = await api.call('POST', '/api/v1/tasks', { problem_id: 'test-a', depends_on: [parent] });
      expect(late.status).to.equal(201);
      expect(await readTask(api, late.body.id as string)).to.include({ status: 'cancelled', reason: 'dependency_failed' });
      const anyway = await submitTask(api, { depends_on: [parent], on_dependency_failure: 'run_anyway' });
      expect((await claimTask(anyway)).dependencies).to.deep.equal({ [parent]: null });
      await finish(anyway);
      await nothingOpen();
    });
  }

  it('runs anyway only when every parent has ended', async () => {
    const [bad, good] = [await submitTask(api), await submitTask(api)];
    const child = await submitTask(api, { depends_on: [bad, good], on_dependency_failure: 'run_anyway' });
    await cancel(bad);
    expect((await readTask(api, child)).reason).to.equal('blocked');
    await claimTask(good);
    await finish(good, { ok: 1 });
    expect((await claimTask(child)).dependencies).to.deep.equal({ [bad]: null, [good]: { ok: 1 } });
    await finish(child);
  });

  it('waits for its time, too, once its parents are done', async () => {
    const parent = await submitTask(api);
    const child = await submitTask(api, { depends_on: [parent], delay_seconds: 3600 });
    expect((await readTask(api, child)).reason).to.equal('blocked');
    await claimTask(parent);
    await finish(parent);
    expect((await readTask(api, child)).reason).to.equal('scheduled');
    await api.call('PATCH', `/api/v1/tasks/${child}`, { run_at: '2020-01-01T00:00:00Z' });
    await claimTask(child);
    await finish(child);
  });

  it('does not let an adjustment past the parents', async () => {
    const parent = await submitTask(api);
    const child = await submitTask(api, { depends_on: [parent], delay_seconds: 3600 });
    const adjusted = await api.call('PATCH', `/api/v1/tasks/${child}`, { run_at: '2020-01-01T00:00:00Z', priority: 10 });
    expect(adjusted.body).to.include({ reason: 'blocked', priority: 10 });
    await claimTask(parent);
    await finish(parent);
    await claimTask(child);
    await finish(child);
  });

  it('cancels and retries tasks that wait for others', async () => {
    const parent = await submitTask(api);
    const child = await submitTask(api, { depends_on: [parent] });
    await cancel(child);
    expect((await readTask(api, child)).reason).to.equal('cancel_requested');
    const again = (await api.call('POST', `/api/v1/tasks/${child}/retry`)).body;
    expect(again).to.include({ status: 'pending', reason: 'blocked', retry_of: child });
    await claimTask(parent);
    await finish(parent, { x: 1 });
    expect((await claimTask(again.id as string)).dependencies).to.deep.equal({ [parent]: { x: 1 } });
    await finish(again.id as string);
    await nothingOpen();
  });

  it('refuses parents that are not there', async () => {
    const before = (await api.call('GET', '/api/v1/tasks')).body.total as number;
    const missing = await api.call('POST', '/api/v1/tasks', { problem_id: 'test-a', depends_on: [UNKNOWN] });
    expect(missing.status).to.equal(422);
    expect(missing.body.detail).to.contain(UNKNOWN);
    expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', depends_on: ['nonsense'] })).status).to.equal(422);
    expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', depends_on: [], on_dependency_failure: 'ignore' })).status).to.equal(422);
    expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', depends_on: Array.from({ length: 1001 }, () => UNKNOWN) })).status).to.equal(422);
    expect((await api.call('GET', '/api/v1/tasks')).body.total).to.equal(before);
  });

  it('frees a thousand children at once, and one child of a thousand parents', async () => {
    const root = await submitTask(api);
    const fanned = await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 1000 }, (_one, n) => ({ problem_id: `fan-${n % 7}`, depends_on: [root] })) });
    expect(fanned.status).to.equal(201);
    const children = fanned.body.tasks.map(({ id }: { id: string }) => id) as string[];
    const last = await submitTask(api, { depends_on: children, problem_id: 'fan-in' });
    await claimTask(root);
    await finish(root);
    const { rows: ready } = await sql`select task_id from queue where state = 'pending'`.execute(api.db);
    expect(ready).to.have.length(1000);
    const claimed: string[] = [];
    await Promise.all(Array.from({ length: 12 }, async () => {
      const own = await TestWorker.register(api, { parallel: 1000 });
      for (let answer = await own.claim(); answer.status === 200; answer = await own.claim()) {
        claimed.push(answer.body.id as string);
        expect((await own.report('complete', answer.body.id as string, { n: 1 })).status).to.equal(200);
      }
      await own.leave();
    }));
    // The last was set free by whoever came last, and may have been taken by any of them.
    const rest = await worker.claim();
    if (rest.status === 200) {
      claimed.push(rest.body.id as string);
      expect(Object.keys(rest.body.dependencies as object)).to.have.length(1000);
      await finish(rest.body.id as string);
    }
    expect(claimed.sort()).to.deep.equal([...children, last].sort());
    expect((await readTask(api, last)).status).to.equal('completed');
    await nothingOpen();
  }).timeout(300_000);

  it('loses no child that is added while its parent ends, however it ends', async () => {
    const stranded = async (ids: string[]): Promise<string[]> => {
      const { rows } = await sql<{ id: string }>`
        select task_id as id from queue where task_id = any (${ids}::uuid[]) and state = 'waiting'`.execute(api.db);
      return rows.map(({ id }) => id);
    };
    for (let round = 0; round < 25; round++) {
      const parent = await submitTask(api, { problem_id: 'race' });
      const first = await submitTask(api, { problem_id: 'race', depends_on: [parent] });
      await claimTask(parent);
      const add = async (): Promise<string> => submitTask(api, { problem_id: 'race', depends_on: [parent] });
      const fails = round % 2 === 1;
      const [, ...added] = await Promise.all([
        fails ? worker.report('fail', parent, { error: 'x' }) : worker.report('complete', parent, {}),
        ...Array.from({ length: 8 }, add),
      ]);
      const children = [first, ...added];
      expect(await stranded(children), `round ${round}`).to.deep.equal([]);
      for (const id of children) {
        if (fails) expect((await readTask(api, id)).reason).to.equal('dependency_failed');
        else await cancel(id);
      }
    }
    await nothingOpen();
  }).timeout(120_000);

  it('loses no child of a failed parent whose earlier note is being acted on', async () => {
    const parent = await submitTask(api, { problem_id: 'race' });
    await cancel(parent);
    const ids: string[] = [];
    for (let round = 0; round < 15; round++) {
      // Each of these leaves a note about the same parent while the others act on theirs.
      ids.push(...await Promise.all(Array.from({ length: 8 }, () => submitTask(api, { problem_id: 'race', depends_on: [parent] }))));
    }
    for (const id of ids) expect(await readTask(api, id)).to.include({ status: 'cancelled', reason: 'dependency_failed' });
    await nothingOpen();
  }).timeout(120_000);

  it('answers what is stored though what follows from it fails, and leaves that to the sweep', async () => {
    const parent = await submitTask(api, { problem_id: 'aftermath' });
    await cancel(parent);
    const [other, { body: workflow }] = [await submitTask(api, { problem_id: 'aftermath' }), await api.call('POST', '/api/v1/workflows', {
      tasks: [{ name: 'a', problem_id: 'aftermath' }, { name: 'b', problem_id: 'aftermath', depends_on: ['a'] }],
    })];
    const child = await submitTask(api, { problem_id: 'aftermath', depends_on: [other] });
    await sql`
      create function give_up() returns trigger language plpgsql as $$
      begin
        raise exception using errcode = 'lock_not_available';
      end
      $$`.execute(api.db);
    await sql`create trigger give_up before delete on open_dependencies for each row execute function give_up()`.execute(api.db);
    const late = await api.call('POST', '/api/v1/tasks', { problem_id: 'aftermath', depends_on: [parent] });
    const cancelled = await cancel(other);
    const ended = await api.call('POST', `/api/v1/workflows/${workflow.id}/cancel`);
    await sql`drop function give_up cascade`.execute(api.db);
    expect([late.status, cancelled.status, ended.status]).to.deep.equal([201, 200, 200]);
    expect((await readTask(api, child)).reason).to.equal('blocked');
    await api.replica({ SWEEP_INTERVAL_MS: '50' });
    for (const id of [child, late.body.id as string]) expect(await taskIn(api, id, 'cancelled')).to.include({ reason: 'dependency_failed' });
    await eventually(async () => (await sql`select from ended_parents`.execute(api.db)).rows.length === 0);
  });

  it('is found by the next sweep where whoever ended the parent went away before telling', async () => {
    const parent = await submitTask(api, { problem_id: 'crash' });
    const child = await submitTask(api, { problem_id: 'crash', depends_on: [parent] });
    // What a replica leaves that stops between the end of a task and what follows from it.
    await sql`
      with gone as (delete from queue where task_id = ${parent}::uuid returning *),
           ended as (insert into outcomes (task_id, status, reason, attempt, ended_at, error)
                     select task_id, 'cancelled', 'cancel_requested', 0, now(), 'x' from gone)
      insert into ended_parents (task_id) select task_id from gone`.execute(api.db);
    expect((await readTask(api, child)).reason).to.equal('blocked');
    await api.replica({ SWEEP_INTERVAL_MS: '50' });
    expect(await taskIn(api, child, 'cancelled')).to.include({ reason: 'dependency_failed' });
    await eventually(async () => (await sql`select from ended_parents`.execute(api.db)).rows.length === 0);
  });
});
