/** Retries by hand of tasks that depend on others: on which tasks the new ones depend, alone and in bulk. */
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

/** More than a piece of a bulk operation looks at. */
const MORE_THAN_A_PIECE = 250;

describe('retries of dependents', () => {
  let api: TestApi;
  let worker: TestWorker;
  let problems = 0;
  let problem = '';
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
  });
  after(() => api.stop());
  beforeEach(async () => {
    problem = `line-${++problems}`;
    worker = await TestWorker.register(api, { parallel: 1000, globs: [problem] });
  });
  afterEach(() => worker.leave());

  const submit = (more: Record<string, unknown> = {}): Promise<string> => submitTask(api, { problem_id: problem, ...more });
  const retry = (id: string): Promise<Answer> => api.call('POST', `/api/v1/tasks/${id}/retry`);
  const retried = async (id: string): Promise<string> => {
    const { status, body } = await retry(id);
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.id as string;
  };
  async function end(id: string, how: 'complete' | 'fail', result: Record<string, unknown> = {}): Promise<void> {
    expect((await worker.claim()).body.id).to.equal(id);
    expect((await worker.report(how, id, how === 'fail' ? { error: 'x' } : result)).status).to.equal(200);
  }
  const parentsOf = async (id: string): Promise<string[]> => {
    const { rows } = await sql<{ parent_id: string }>`select parent_id from dependencies where task_id = ${id}::uuid order by parent_id`.execute(api.db);
    return rows.map(({ parent_id: parent }) => parent);
  };
  /** The retries of the tasks `ids`, in their order. */
  const againOf = async (ids: readonly string[]): Promise<(string | undefined)[]> => {
    const { rows } = await sql<{ id: string; retry_of: string }>`select id, retry_of from tasks where retry_of = any (${ids}::uuid[])`.execute(api.db);
    return ids.map((id) => rows.find((row) => row.retry_of === id)?.id);
  };
  async function bulk(filter: Record<string, unknown>): Promise<Answer['body']> {
    const { status, body } = await api.call('POST', '/api/v1/bulk-operations', { action: 'retry', filter: { problem_id: problem, ...filter } });
    expect(status).to.equal(202);
    return eventually(async () => {
      const { body: now } = await api.call('GET', `/api/v1/bulk-operations/${body.id}`);
      return now.state === 'done' && now;
    });
  }
  /** A parent that failed, and its child, which was cancelled for it. */
  async function failedPair(ofParent: Record<string, unknown> = {}, ofChild: Record<string, unknown> = {}): Promise<[string, string]> {
    const parent = await submit(ofParent);
    const child = await submit({ depends_on: [parent], ...ofChild });
    await end(parent, 'fail');
    expect((await readTask(api, child)).reason).to.equal('dependency_failed');
    return [parent, child];
  }

  it('are refused while no retry of the parent is of use, and name what to retry first', async () => {
    const [parent, child] = await failedPair();
    const refused = await retry(child.toUpperCase());
    expect([refused.status, refused.body.code]).to.deep.equal([409, 'dependency_failed']);
    expect(refused.body.detail).to.contain(parent).and.to.contain('failed');
    const first = await retried(parent);
    await end(first, 'fail');
    expect((await retry(child)).body.detail).to.contain(first).and.to.not.contain(parent);
    expect(await againOf([child])).to.deep.equal([undefined]);
  });

  it('depend on the newest retry of a parent, along all of them, and get its result as that of the parent', async () => {
    const [parent, child] = await failedPair();
    const first = await retried(parent);
    const waiting = await retried(child);
    expect(await readTask(api, waiting)).to.include({ reason: 'blocked', retry_of: child });
    await end(first, 'fail');
    expect((await readTask(api, waiting)).reason).to.equal('dependency_failed');
    const second = await retried(first);
    const again = await retried(child);
    const later = await retried(waiting);
    for (const id of [again, later]) expect(await parentsOf(id)).to.deep.equal([second]);
    await end(second, 'complete', { n: 2 });
    const claimed = (await worker.claim()).body;
    expect([claimed.id, claimed.dependencies]).to.deep.equal([again, { [parent]: { n: 2 } }]);
    expect((await worker.claim()).body.dependencies).to.deep.equal({ [parent]: { n: 2 } });
  });

  it('take a parent that was run again since, and keep one whose retry failed', async () => {
    const parent = await submit();
    await end(parent, 'complete', { n: 1 });
    const older = await retried(parent);
    await end(older, 'complete', { n: 2 });
    const child = await submit({ depends_on: [parent] });
    await end(child, 'fail');
    expect(await parentsOf(await retried(child)), 'the older retry could have been named').to.deep.equal([parent]);
    await worker.report('complete', (await worker.claim()).body.id as string, {});
    const failed = await retried(parent);
    await end(failed, 'fail');
    expect(await parentsOf(await retried(child))).to.deep.equal([parent]);
    await worker.report('complete', (await worker.claim()).body.id as string, {});
    const newest = await retried(failed);
    expect(await parentsOf(await retried(child))).to.deep.equal([newest]);
  });

  it('run anyway where the task does, and depend once on two parents of one lineage', async () => {
    const parent = await submit();
    await end(parent, 'fail');
    const hardy = await submit({ depends_on: [parent], on_dependency_failure: 'run_anyway' });
    await end(hardy, 'fail');
    const anyway = await retried(hardy);
    expect((await worker.claim()).body).to.deep.include({ id: anyway, dependencies: { [parent]: null } });
    const again = await retried(parent);
    const both = await submit({ depends_on: [parent, again], on_dependency_failure: 'run_anyway' });
    await api.call('POST', `/api/v1/tasks/${both}/cancel`);
    expect(await parentsOf(await retried(both))).to.deep.equal([again]);
  });

  it('in bulk depend on each other as the old tasks did, whatever lies between them', async () => {
    const [parent, child] = await failedPair();
    const fillers = Array.from({ length: MORE_THAN_A_PIECE }, () => ({ problem_id: problem, run_at: '2100-01-01T00:00:00Z' }));
    await api.call('POST', '/api/v1/tasks/batch', { tasks: fillers });
    const far = await submit({ depends_on: [child] });
    await api.call('POST', '/api/v1/bulk-operations', { action: 'cancel', filter: { problem_id: problem } });
    await eventually(async () => (await api.call('GET', `/api/v1/tasks?problem_id=${problem}&status=pending`)).body.total === 0);
    const count = MORE_THAN_A_PIECE + 3;
    expect(await bulk({})).to.include({ examined: count, changed: count, skipped: 0 });
    const [parentAgain, childAgain, farAgain] = await againOf([parent, child, far]);
    expect(await parentsOf(childAgain ?? '')).to.deep.equal([parentAgain]);
    expect(await parentsOf(farAgain ?? '')).to.deep.equal([childAgain]);
    for (const id of [childAgain, farAgain]) expect((await readTask(api, id ?? '')).reason).to.equal('blocked');
  }).timeout(60_000);

  it('in bulk depend on new parents of a workflow that names its children first', async () => {
    const children = Array.from({ length: MORE_THAN_A_PIECE }, (_one, n) => ({ name: `c${n}`, problem_id: problem, depends_on: [n === 0 ? 'middle' : 'root'] }));
    const { body } = await api.call('POST', '/api/v1/workflows', {
      tasks: [...children, { name: 'middle', problem_id: problem, depends_on: ['root'] }, { name: 'root', problem_id: problem }],
    });
    const ids = (body.tasks as { task_id: string }[]).map(({ task_id: id }) => id);
    const root = ids.at(-1) ?? '';
    await end(root, 'fail');
    const late = await submit({ depends_on: [ids[0]] });
    expect((await readTask(api, late)).reason).to.equal('dependency_failed');
    expect((await retry(ids[1] ?? '')).body.detail).to.contain(root);
    expect(await bulk({})).to.include({ examined: ids.length + 1, changed: ids.length + 1, skipped: 0 });
    const [first, second, middleAgain, rootAgain, lateAgain] = await againOf([ids[0] ?? '', ids[1] ?? '', ids.at(-2) ?? '', root, late]);
    expect(await parentsOf(first ?? '')).to.deep.equal([middleAgain]);
    expect(await parentsOf(second ?? '')).to.deep.equal([rootAgain]);
    expect(await parentsOf(lateAgain ?? '')).to.deep.equal([first]);
    expect(await readTask(api, first ?? '')).to.include({ workflow_id: null, reason: 'blocked' });
    expect((await api.call('GET', `/api/v1/workflows/${body.id}`)).body.status).to.equal('failed');
  }).timeout(60_000);

  it('in bulk can be retried in bulk in turn, where a workflow names its children first', async () => {
    const children = Array.from({ length: MORE_THAN_A_PIECE }, (_one, n) => ({ name: `c${n}`, problem_id: problem, depends_on: [n === 0 ? 'middle' : 'root'] }));
    const { body } = await api.call('POST', '/api/v1/workflows', {
      tasks: [...children, { name: 'middle', problem_id: problem, depends_on: ['root'] }, { name: 'root', problem_id: problem }],
    });
    const ids = (body.tasks as { task_id: string }[]).map(({ task_id: id }) => id);
    await end(ids.at(-1) ?? '', 'fail');
    expect(await bulk({})).to.include({ changed: ids.length });
    const firsts = (await againOf(ids)).map((id) => id ?? '');
    const root = firsts.at(-1) ?? '';
    const middle = firsts.at(-2) ?? '';
    expect([root, middle, ...firsts.slice(0, -2)], 'parents first, and else in their order').to.deep.equal([...firsts].sort());
    await end(root, 'fail');
    const since = (await readTask(api, root)).created_at as string;
    expect(await bulk({ created_from: since })).to.include({ examined: ids.length, changed: ids.length, skipped: 0 });
    const [child, other, middleAgain, rootAgain] = await againOf([firsts[0] ?? '', firsts[1] ?? '', middle, root]);
    expect([await parentsOf(child ?? ''), await parentsOf(other ?? '')]).to.deep.equal([[middleAgain], [rootAgain]]);
  }).timeout(60_000);

  it('in bulk do not wait for a parent beyond the end of their workflow', async () => {
    const { body } = await api.call('POST', '/api/v1/workflows', { tasks: [{ name: 'child', problem_id: problem }] });
    const [{ task_id: child }] = body.tasks as [{ task_id: string }];
    await end(child, 'fail');
    const parent = await submitTask(api, { problem_id: `parent-of-${problem}` });
    // As where the database's clock was set back between the two.
    await sql`insert into dependencies (task_id, parent_id, name, kind) values (${child}::uuid, ${parent}::uuid, ${parent}, 'needs')`.execute(api.db);
    expect(await bulk({})).to.include({ examined: 1, changed: 1 });
    const [again] = await againOf([child]);
    expect(await parentsOf(again ?? '')).to.deep.equal([parent]);
  });

  it('in bulk leave out, and count, what depends on a task that is not retried', async () => {
    const [parent, child] = await failedPair({ labels: { part: 'parent' } });
    const far = await submit({ depends_on: [child] });
    expect(await bulk({ status: ['cancelled'] })).to.include({ examined: 2, changed: 0, skipped: 2 });
    expect(await againOf([child, far])).to.deep.equal([undefined, undefined]);
    expect(await bulk({ labels: { part: 'parent' } })).to.include({ examined: 1, changed: 1, skipped: 0 });
    expect(await bulk({ status: ['cancelled'] })).to.include({ examined: 2, changed: 2, skipped: 0 });
    const [parentAgain, childAgain, farAgain] = await againOf([parent, child, far]);
    expect([await parentsOf(childAgain ?? ''), await parentsOf(farAgain ?? '')]).to.deep.equal([[parentAgain], [childAgain]]);
  });

  it('in bulk depend on the task that has the dedupe_key of their parent', async () => {
    const key = (of: string): Record<string, unknown> => ({ dedupe_key: `${problem}-${of}` });
    const [parent, child] = await failedPair(key('parent'), key('child'));
    const far = await submit({ depends_on: [child] });
    expect(await bulk({})).to.include({ changed: 3, skipped: 0 });
    const [parentAgain, childAgain, farAgain] = await againOf([parent, child, far]);
    expect([await parentsOf(childAgain ?? ''), await parentsOf(farAgain ?? '')]).to.deep.equal([[parentAgain], [childAgain]]);

    const [other, orphan] = await failedPair({ ...key('other'), priority: 10 });
    const holder = await submit(key('other'));
    expect(await bulk({ created_from: (await readTask(api, other)).created_at, status: ['failed', 'cancelled'] })).to.include({ skipped: 1 });
    const [none, orphanAgain] = await againOf([other, orphan]);
    expect([none, await parentsOf(orphanAgain ?? '')]).to.deep.equal([undefined, [holder]]);
  });

  it('in bulk leave out, and count, what would wait for itself after a task of the same dedupe_key stood in for a parent', async () => {
    const [parent, child] = await failedPair({ dedupe_key: `${problem}-circle` });
    const twin = await submit({ dedupe_key: `${problem}-circle`, depends_on: [child], on_dependency_failure: 'run_anyway' });
    expect(await bulk({ status: ['failed', 'cancelled'] })).to.include({ examined: 2, changed: 1, skipped: 1 });
    const [none, childAgain] = await againOf([parent, child]);
    expect([none, await parentsOf(childAgain ?? '')]).to.deep.equal([undefined, [twin]]);
    await end(twin, 'fail');
    expect((await readTask(api, childAgain ?? '')).reason).to.equal('dependency_failed');

    expect(await bulk({ status: ['failed', 'cancelled'] })).to.include({ examined: 4, changed: 1, skipped: 3 });
    const { rows } = await sql<{ retry_of: string }>`
      select t.retry_of from queue q join tasks t on t.id = q.task_id where t.problem_id = ${problem}`.execute(api.db);
    expect(rows.map(({ retry_of: of }) => of), 'the child was retried before, and its retry and the twin need each other').to.deep.equal([parent]);
  });

  it('depend on the task that has the dedupe_key of their parent, with which a retry of that one is answered', async () => {
    const key = { dedupe_key: `${problem}-live` };
    const [parent, child] = await failedPair(key);
    const holder = await submit(key);
    const answered = await retry(parent);
    expect([answered.status, answered.body.id]).to.deep.equal([200, holder]);
    expect(await parentsOf(await retried(child))).to.deep.equal([holder]);
    await end(holder, 'fail');
    const refused = await retry(child);
    expect([refused.status, refused.body.code]).to.deep.equal([409, 'dependency_failed']);
  });

  it('look at the hundred newest retries of a task', async () => {
    const [parent, child] = await failedPair();
    const oldest = await retried(parent);
    await end(oldest, 'complete');
    const retries: string[] = [];
    for (let n = 0; n < 99; n++) retries.push(await retried(parent));
    for (const id of retries) await end(id, 'fail');
    expect(await parentsOf(await retried(child))).to.deep.equal([oldest]);
    await worker.report('complete', (await worker.claim()).body.id as string, {});
    const newest = await retried(parent);
    await end(newest, 'fail');
    expect((await retry(child)).body).to.include({ code: 'dependency_failed', detail: `Retry first what it depends on: ${newest} (failed).` });
  }).timeout(60_000);
});
