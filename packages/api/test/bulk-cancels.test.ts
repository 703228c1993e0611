/** Bulk cancels of tasks that depend on each other: each is cancelled in its own turn, and none runs because another was. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { NO_FILTER } from './support/filters.js';

/** More than a piece of a bulk operation, and than two. */
const MANY = 250;

describe('bulk cancels', () => {
  let api: TestApi;
  let worker: TestWorker;
  let problem: string;
  let tests = 0;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { globs: ['eager-*'] });
  });
  beforeEach(() => {
    problem = `dependents-${++tests}`;
  });
  after(() => api.stop());

  const batch = async (tasks: Record<string, unknown>[]): Promise<string[]> =>
    (await api.call('POST', '/api/v1/tasks/batch', { tasks })).body.tasks.map(({ id }: { id: string }) => id) as string[];
  const ended = (id: string): Promise<Answer['body']> => eventually(async () => {
    const { body } = await api.call('GET', `/api/v1/bulk-operations/${id}`);
    return body.state !== 'running' && body;
  });
  const cancel = async (filter: Record<string, unknown>): Promise<Answer['body']> =>
    ended((await api.call('POST', '/api/v1/bulk-operations', { action: 'cancel', filter })).body.id as string);
  const reasons = async (): Promise<unknown> => (await sql`
    select o.reason, count(*)::int as tasks from tasks t left join outcomes o on o.task_id = t.id
     where t.labels ->> 'of' = ${problem} group by o.reason`.execute(api.db)).rows;
  /** A claim of dependents that waits; to be told from what it gets later. In an object, so that it is not awaited yet. */
  const waitingClaim = (): { answer: Promise<Answer> } => ({ answer: worker.claim({ wait_seconds: 30 }) });
  async function expectNothingClaimed({ answer }: { answer: Promise<Answer> }): Promise<void> {
    const next = await submitTask(api, { problem_id: 'eager-next' });
    expect((await answer).body.id).to.equal(next);
    await worker.report('complete', next, {});
  }

  for (const policy of ['cancel', 'run_anyway']) {
    it(`come to dependents before what they depend on: ${policy}`, async () => {
      const labels = { of: problem };
      const parents = await batch(Array.from({ length: MANY }, () => ({ problem_id: problem, labels })));
      await batch(parents.map((parent) => ({ problem_id: `eager-${policy}`, labels, depends_on: [parent], on_dependency_failure: policy })));
      const claim = waitingClaim();
      expect(await cancel({ labels })).to.include({ examined: 2 * MANY, changed: 2 * MANY });
      expect(await reasons()).to.deep.equal([{ reason: 'cancel_requested', tasks: 2 * MANY }]);
      await expectNothingClaimed(claim);
    });
  }

  it('take a workflow that names its children first back to its start', async () => {
    const children = Array.from({ length: MANY }, (_one, n) => ({
      name: `c${n}`, problem_id: 'eager-child', depends_on: ['root'], on_dependency_failure: n % 2 === 0 ? 'run_anyway' : 'cancel',
    }));
    const { body } = await api.call('POST', '/api/v1/workflows', { labels: { of: problem }, tasks: [...children, { name: 'root', problem_id: problem }] });
    expect(body.progress.total).to.equal(MANY + 1);
    const claim = waitingClaim();
    expect(await cancel({ labels: { of: problem } })).to.include({ examined: MANY + 1, changed: MANY + 1 });
    expect(await reasons()).to.deep.equal([{ reason: 'cancel_requested', tasks: MANY + 1 }]);
    await expectNothingClaimed(claim);
  });

  it('do not look for a child before its parent outside of their workflow', async () => {
    const labels = { of: problem };
    const child = await submitTask(api, { problem_id: problem, labels });
    const rest = await batch(Array.from({ length: MANY }, () => ({ problem_id: problem, labels })));
    // As where the database's clock was set back between the two.
    await sql`
      with waiting as (update queue set state = 'waiting', wait_reason = 'blocked', blockers = 1 where task_id = ${child}::uuid),
           parent as (update queue set has_dependents = true where task_id = ${rest.at(-1)}::uuid)
      insert into open_dependencies (parent_id, task_id, kind) values (${rest.at(-1)}::uuid, ${child}::uuid, 'needs')`.execute(api.db);
    expect(await cancel({ labels })).to.include({ examined: MANY, changed: MANY });
    expect(await readTask(api, child)).to.include({ reason: 'dependency_failed' });
  });

  it('go on between the ends to which replicas of two versions have come', async () => {
    const ids = await batch(Array.from({ length: 8 }, () => ({ problem_id: problem, labels: { of: problem } })));
    const id = randomUUID();
    // One that goes upwards has looked at the first three, one that goes downwards at the last two.
    await sql`
      insert into bulk_operations (id, action, filter, state, place, until, examined, changed, created_at, updated_at)
      values (${id}::uuid, 'cancel', ${JSON.stringify({ ...NO_FILTER, problemId: problem })}::json, 'running', ${ids[2]}::uuid, ${ids[6]}::uuid, 5, 0, now(), now())`
      .execute(api.db);
    expect(await ended(id)).to.include({ state: 'done', examined: 8, changed: 3 });
    const { body } = await api.call('GET', `/api/v1/tasks?problem_id=${problem}&status=cancelled&sort=created_at`);
    expect((body.tasks as { id: string }[]).map((task) => task.id)).to.deep.equal(ids.slice(3, 6));
  });
});
