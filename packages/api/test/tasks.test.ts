import { expect } from 'chai';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

const UNKNOWN = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

describe('tasks', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await startTestApi();
  });
  afterEach(() => api.stop());

  it('stores a submission and shows it', async () => {
    const parameters = { max_steps: 30, agent_config: { z: 1, a: [null, 'é'] } };
    const created = await api.call('POST', '/api/v1/tasks', { problem_id: 'k8s_target_port-misconfig-detection-1', parameters });
    expect(created.status).to.equal(201);
    expect(created.headers.location).to.equal(`/api/v1/tasks/${created.body.id}`);
    expect(created.body).to.include({ status: 'pending', reason: 'unclaimable', priority: 5, timeout_seconds: 1800, attempt: 0, max_attempts: 1, max_lost: 3 });
    const read = await api.call('GET', String(created.headers.location));
    const { warnings, ...task } = created.body;
    expect(warnings).to.have.length(1);
    expect(read.body).to.deep.equal(task);
    expect(Object.keys(read.body.parameters.agent_config as object)).to.deep.equal(['z', 'a']);
  });

  it('says whether a live worker fits', async () => {
    const id = await submitTask(api, { problem_id: 'test-a' });
    const path = `/api/v1/tasks/${id}`;
    expect((await api.call('GET', path)).body.reason).to.equal('unclaimable');
    const worker = await TestWorker.register(api, { globs: ['test-*'] });
    expect((await api.call('GET', path)).body.reason).to.equal('ready');
    await worker.leave();
    expect((await api.call('GET', path)).body.reason).to.equal('unclaimable');
  });

  const refused: [string, unknown, string][] = [
    ['no problem', {}, '/body/problem_id'],
    ['an unknown property', { problem_id: 'a', color: 'red' }, '/body/color'],
    ['a priority of 11', { problem_id: 'a', priority: 11 }, '/body/priority'],
    ['a priority of 1.5', { problem_id: 'a', priority: 1.5 }, '/body/priority'],
    ['a numeric string', { problem_id: 'a', priority: '5' }, '/body/priority'],
    ['a glob as a problem', { problem_id: 'test-*' }, '/body/problem_id'],
    ['a problem of 256 characters', { problem_id: 'a'.repeat(256) }, '/body/problem_id'],
    ['a timeout of 0', { problem_id: 'a', timeout_seconds: 0 }, '/body/timeout_seconds'],
    ['a timeout of 8 days', { problem_id: 'a', timeout_seconds: 8 * 86_400 }, '/body/timeout_seconds'],
    ['parameters that are a list', { problem_id: 'a', parameters: [] }, '/body/parameters'],
    ['null parameters', { problem_id: 'a', parameters: null }, '/body/parameters'],
  ];
  for (const [name, body, path] of refused) {
    it(`refuses ${name}`, async () => {
      const answer = await api.call('POST', '/api/v1/tasks', body);
      expect(answer.status).to.equal(422);
      expect(answer.body.code).to.equal('validation_failed');
      expect(answer.body.errors[0].path).to.equal(path);
    });
  }

  it('answers 404 for a task that is not there, 422 for an id that is none', async () => {
    for (const [method, path] of [['GET', ''], ['POST', '/cancel'], ['GET', '/logs']] as const) {
      expect((await api.call(method, `/api/v1/tasks/${UNKNOWN}${path}`)).body.code).to.equal('task_not_found');
      expect((await api.call(method, `/api/v1/tasks/nonsense${path}`)).status).to.equal(422);
    }
  });

  it('says what an id has to look like', async () => {
    const uuid = 'must be a UUID, such as 0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';
    const worker = 'must be worker-NNN-kind with 3 to 6 digits, such as worker-001-kind';
    for (const [method, path, body, where, message] of [
      ['GET', '/tasks/nonsense', undefined, '/params/task_id', uuid],
      ['GET', `/tasks/${UNKNOWN}0`, undefined, '/params/task_id', uuid],
      ['GET', `/tasks/${UNKNOWN.replace('0', 'x')}`, undefined, '/params/task_id', uuid],
      ['GET', `/tasks/urn:uuid:${UNKNOWN}`, undefined, '/params/task_id', uuid],
      ['GET', '/tasks?workflow_id=x', undefined, '/query/workflow_id', uuid],
      ['GET', '/tasks?worker_id=w', undefined, '/query/worker_id', worker],
      ['POST', '/tasks', { problem_id: 'a', depends_on: ['one'] }, '/body/depends_on/0', uuid],
      ['GET', '/workers/worker-1-kind', undefined, '/params/worker_id', worker],
      ['GET', '/workers/worker-0000001-kind', undefined, '/params/worker_id', worker],
      ['GET', '/schedules/nightly', undefined, '/params/schedule_id', uuid],
    ] as const) {
      const answer = await api.call(method, `/api/v1${path}`, body);
      expect([answer.status, answer.body.errors], path).to.deep.equal([422, [{ path: where, message }]]);
      expect(answer.body.detail).to.equal(`${where}: ${message}`);
    }
    const { body } = await api.call('POST', '/api/v1/workers/worker-001-kind/heartbeat', {}, { 'worker-session': 'mine' });
    expect(body.errors).to.deep.equal([{ path: '/headers/worker-session', message: uuid }]);
    expect((await api.call('GET', `/api/v1/tasks/${UNKNOWN.toUpperCase()}`)).body.code).to.equal('task_not_found');
  });

  it('cancels a pending task at once, and only once', async () => {
    const id = await submitTask(api);
    const cancelled = await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    expect(cancelled.status).to.equal(200);
    expect(cancelled.body).to.include({ status: 'cancelled', reason: 'cancel_requested', attempt: 0, worker_id: null });
    const again = await api.call('POST', `/api/v1/tasks/${id}/cancel`);
    expect(again.status).to.equal(409);
    expect(again.body).to.include({ code: 'task_terminal', task_status: 'cancelled' });
    const worker = await TestWorker.register(api);
    expect((await worker.claim()).status).to.equal(204);
  });

  it('pages by number and by cursor without loss or repetition', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 25; n++) ids.push(await submitTask(api, { problem_id: n % 2 === 0 ? 'test-even' : 'test-odd' }));
    const newestFirst = [...ids].reverse();
    const first = await api.call('GET', '/api/v1/tasks');
    expect(first.body).to.include({ total: 25, total_is_lower_bound: false, page: 1, page_size: 20 });
    expect(first.body.tasks.map((task: { id: string }) => task.id)).to.deep.equal(newestFirst.slice(0, 20));
    const second = await api.call('GET', '/api/v1/tasks?page=2');
    expect(second.body.tasks.map((task: { id: string }) => task.id)).to.deep.equal(newestFirst.slice(20));
    expect(second.body.next_cursor).to.equal(null);

    const seen: string[] = [];
    let path = '/api/v1/tasks?page_size=4&sort=created_at&problem_id=test-odd';
    for (;;) {
      const page = await api.call('GET', path);
      expect(page.body.total).to.equal(12);
      seen.push(...page.body.tasks.map((task: { id: string }) => task.id));
      if (page.headers.link === undefined) break;
      path = /^<(.+)>; rel="next"$/.exec(String(page.headers.link))?.[1] ?? '';
      // What comes in during a walk neither shifts nor repeats what it shows.
      await submitTask(api, { problem_id: 'test-even' });
    }
    expect(seen).to.deep.equal(ids.filter((_id, n) => n % 2 === 1));
  });

  it('names the next page in a header only where that is no longer than it may be', async () => {
    const labels = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`long-${n}`, 'ü'.repeat(127)]));
    for (let n = 0; n < 2; n++) await submitTask(api, { labels });
    const query = Object.entries(labels).map(([key, value]) => `label=${encodeURIComponent(`${key}=${value}`)}`);
    const long = await api.call('GET', `/api/v1/tasks?page_size=1&${query.join('&')}`);
    expect([long.body.total, typeof long.body.next_cursor, long.headers.link]).to.deep.equal([2, 'string', undefined]);
    expect((await api.call('GET', `/api/v1/tasks?page_size=1&${query[0]}`)).headers.link).to.be.a('string');
  });

  it('says how a plus is sent where a moment came with a space', async () => {
    const refused = await api.call('GET', '/api/v1/tasks?created_from=2026-01-01T00:00:00+00:00');
    expect(refused.status).to.equal(422);
    expect(refused.body.detail).to.include('%2B');
    expect((await api.call('GET', '/api/v1/tasks?created_from=2026-01-01T00:00:00%2B00:00')).status).to.equal(200);
  });

  it('refuses cursors that are not of this list', async () => {
    for (let n = 0; n < 3; n++) await submitTask(api);
    const { next_cursor: cursor } = (await api.call('GET', '/api/v1/tasks?page_size=1')).body;
    expect((await api.call('GET', `/api/v1/tasks?page_size=1&cursor=${cursor}`)).status).to.equal(200);
    for (const query of [`cursor=${cursor}&sort=created_at`, `cursor=${cursor}&status=pending`, 'cursor=abc', `cursor=${cursor}&page=2`,
      `cursor=${Buffer.from('["","","x",1]').toString('base64url')}`, 'page=0', 'page_size=101', 'sort=id', 'status=done', 'color=red']) {
      const answer = await api.call('GET', `/api/v1/tasks?${query}`);
      expect(answer.status, query).to.equal(422);
    }
  });

  it('filters and sorts over tasks in every status', async () => {
    const worker = await TestWorker.register(api, { parallel: 10 });
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push(await submitTask(api, { problem_id: n < 3 ? 'test-a' : 'test-b' }));
    for (let n = 0; n < 5; n++) await worker.claim();
    await worker.report('complete', ids[0]!, { n: 0 });
    await worker.report('complete', ids[3]!, { n: 3 });
    await worker.report('fail', ids[1]!, { error: 'broken' });
    await api.call('POST', `/api/v1/tasks/${ids[2]}/cancel`);
    const list = async (query: string): Promise<number[]> => {
      const { body } = await api.call('GET', `/api/v1/tasks?${query}`);
      expect(body.total, query).to.equal(body.tasks.length);
      return body.tasks.map((task: { id: string }) => ids.indexOf(task.id));
    };
    expect(await list('status=completed&sort=created_at')).to.deep.equal([0, 3]);
    expect(await list('status=running')).to.deep.equal([4]);
    expect(await list('status=pending')).to.deep.equal([5]);
    expect(await list('problem_id=test-b&status=completed')).to.deep.equal([3]);
    expect(await list(`worker_id=${worker.id}&sort=created_at`)).to.deep.equal([0, 1, 2, 3, 4]);
    expect(await list('sort=completed_at')).to.deep.equal([0, 3, 1, 2, 4, 5]);
    expect(await list('sort=-completed_at')).to.deep.equal([2, 1, 3, 0, 5, 4]);
    expect(await list('sort=-updated_at&problem_id=test-a')).to.deep.equal([2, 1, 0]);
    expect(await list('sort=started_at')).to.deep.equal([0, 1, 2, 3, 4, 5]);
    for (const sort of ['created_at', '-created_at', 'updated_at', '-updated_at', 'started_at', '-started_at', 'completed_at', '-completed_at']) {
      const whole = await list(`sort=${sort}`);
      const walked: number[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body }: { body: { tasks: { id: string }[]; next_cursor: string | null } } = await api.call('GET', `/api/v1/tasks?sort=${sort}&page_size=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
        walked.push(...body.tasks.map((task) => ids.indexOf(task.id)));
        cursor = body.next_cursor;
      }
      expect(walked, sort).to.deep.equal(whole);
    }
  });

  it('counts exactly, before and after the counters are folded', async () => {
    const worker = await TestWorker.register(api, { parallel: 10 });
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await submitTask(api, { problem_id: n < 3 ? 'test-a' : 'test-b' }));
    for (let n = 0; n < 4; n++) await worker.claim();
    await worker.report('complete', ids[0]!, {});
    await worker.report('fail', ids[1]!, { error: 'broken' });
    await api.call('POST', `/api/v1/tasks/${ids[4]}/cancel`);
    const expected = {
      total_tasks: 5, pending_tasks: 0, running_tasks: 2, completed_tasks: 1, failed_tasks: 1, timeout_tasks: 0, cancelled_tasks: 1, success_rate: 0.5,
    };
    const now = await api.call('GET', '/api/v1/tasks/stats');
    expect(now.body).to.include(expected);
    expect(now.body.tasks_by_problem).to.deep.equal({ 'test-a': 3, 'test-b': 2 });
    expect(now.body.tasks_by_worker).to.deep.equal({ [worker.id]: 2 });
    const { sql } = await import('kysely');
    await eventually(async () => (await sql`select from counter_deltas`.execute(api.db)).rows.length === 0);
    expect((await api.call('GET', '/api/v1/tasks/stats')).body).to.deep.equal(now.body);
    const stats = await api.call('GET', `/api/v1/workers/${worker.id}/stats`);
    expect(stats.body).to.include({ tasks_completed: 1, tasks_failed: 1, total_tasks: 2, running_tasks: 2, success_rate: 0.5, status: 'busy' });
  });

  it('gives a place in the line only to tasks that a claim looks at', async () => {
    const worker = await TestWorker.register(api, { globs: ['test-*'] });
    const reuse = { max_age_seconds: 60 };
    const failing = await submitTask(api, { problem_id: 'test-failing', retry: { max_attempts: 2, initial_seconds: 600, jitter: 0 } });
    expect((await worker.claim()).body.id).to.equal(failing);
    await worker.report('fail', failing, { error: 'broken' });
    const ready = await submitTask(api, { problem_id: 'test-b', reuse });
    const expected = [
      [failing, 'backing_off', null],
      [ready, 'ready', 1],
      [await submitTask(api, { problem_id: 'test-b', reuse }), 'reusing', null],
      [await submitTask(api, { problem_id: 'test-c', depends_on: [ready] }), 'blocked', null],
      [await submitTask(api, { problem_id: 'test-d', delay_seconds: 600 }), 'scheduled', null],
      [await submitTask(api, { problem_id: 'nobody' }), 'unclaimable', 2],
    ] as const;
    for (const [id, reason, position] of expected) {
      expect((await api.call('GET', `/api/v1/tasks/${id}/explain`)).body).to.include({ status: 'pending', reason, position, position_is_lower_bound: false });
    }
  });
});
