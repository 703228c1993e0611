/** Labels and filters: what a list finds, how it is paged while tasks come in, and how many there are. */
import { expect } from 'chai';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';

describe('labels and filters', () => {
  let api: TestApi;
  let worker: TestWorker;
  const ids: string[] = [];
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50', LEASE_SECONDS: '600' });
    worker = await TestWorker.register(api, { parallel: 100, globs: ['list-*'] });
    // 0 to 7: completed, failed, cancelled after it ran, running, pending, scheduled, blocked, cancelled before it ran.
    for (let n = 0; n < 8; n++) {
      ids.push(await submitTask(api, {
        problem_id: `list-${n % 2 === 0 ? 'even' : 'odd'}`, labels: { n: String(n), parity: n % 2 === 0 ? 'even' : 'odd', constructor: 'x=y z' },
        ...(n === 5 ? { run_at: '2100-01-01T00:00:00Z' } : {}), ...(n === 6 ? { depends_on: [ids[5]] } : {}),
      }));
      await eventually(async () => Date.now() > Date.parse((await readTask(api, ids[n] ?? '')).created_at as string));
    }
    for (let n = 0; n < 4; n++) await worker.claim();
    await worker.report('complete', ids[0] ?? '', {});
    await worker.report('fail', ids[1] ?? '', { error: 'x' });
    for (const n of [2, 7]) await api.call('POST', `/api/v1/tasks/${ids[n]}/cancel`);
  });
  after(() => api.stop());

  const list = async (query: string): Promise<number[]> => {
    const { status, body } = await api.call('GET', `/api/v1/tasks?sort=created_at&${query}`);
    expect(status, query).to.equal(200);
    expect(body.total, query).to.equal(body.tasks.length);
    expect(body.total_is_lower_bound).to.equal(false);
    return body.tasks.map((task: { id: string }) => ids.indexOf(task.id)) as number[];
  };
  const createdOf = async (n: number): Promise<string> => (await readTask(api, ids[n] ?? '')).created_at as string;

  it('find by label', async () => {
    expect(await list('label=parity=even')).to.deep.equal([0, 2, 4, 6]);
    expect(await list('label=parity=even&label=n=4')).to.deep.equal([4]);
    expect(await list('label=parity=even&label=n=3')).to.deep.equal([]);
    expect(await list(`label=${encodeURIComponent('constructor=x=y z')}`)).to.have.length(8);
    expect(await list('label=constructor=x')).to.deep.equal([]);
    expect(await list('label=parity=odd&status=failed,cancelled')).to.deep.equal([1, 7]);
    for (const query of ['label=parity', 'label==x', 'label=n=1&label=n=2', 'label=a=%00',
      Array.from({ length: 11 }, (_one, n) => `label=k${n}=v`).join('&'), `label=k=${'v'.repeat(400)}`]) {
      expect((await api.call('GET', `/api/v1/tasks?${query}`)).status, query).to.equal(422);
    }
  });

  it('find by status, problem, glob, worker and all together', async () => {
    expect(await list('status=pending')).to.deep.equal([4, 5, 6]);
    expect(await list('status=pending,running')).to.deep.equal([3, 4, 5, 6]);
    expect(await list('status=completed,failed,pending')).to.deep.equal([0, 1, 4, 5, 6]);
    expect(await list('status=pending,running,completed,failed,timeout,cancelled')).to.have.length(8);
    expect(await list('problem_glob=list-*')).to.have.length(8);
    expect(await list('problem_glob=*-o?d')).to.deep.equal([1, 3, 5, 7]);
    expect(await list('problem_glob=list_*')).to.deep.equal([]);
    expect(await list(`worker_id=${worker.id}`)).to.deep.equal([0, 1, 2, 3]);
    expect(await list(`worker_id=${worker.id}&status=running,cancelled`)).to.deep.equal([2, 3]);
    expect(await list(`worker_id=${worker.id}&problem_id=list-even&status=completed&label=n=0`)).to.deep.equal([0]);
    expect(await list('status=cancelled&problem_id=list-odd')).to.deep.equal([7]);
    for (const query of ['status=', 'status=done', 'status=pending,done', 'problem_glob=a%20b', 'worker_id=x', 'workflow_id=x']) {
      expect((await api.call('GET', `/api/v1/tasks?${query}`)).status, query).to.equal(422);
    }
  });

  it('find by time, from and before', async () => {
    const [third, sixth] = [await createdOf(3), await createdOf(6)];
    expect(await list(`created_from=${third}`)).to.deep.equal([3, 4, 5, 6, 7]);
    expect(await list(`created_from=${third}&created_before=${sixth}`)).to.deep.equal([3, 4, 5]);
    expect(await list(`created_before=${third}&status=completed,failed`)).to.deep.equal([0, 1]);
    const ended = (await readTask(api, ids[1] ?? '')).completed_at as string;
    expect(await list(`completed_from=${ended}&label=parity=odd`)).to.deep.equal([1, 7]);
    expect(await list(`completed_before=${ended}&label=parity=odd`)).to.deep.equal([]);
    expect(await list(`completed_from=${ended}&status=pending`)).to.deep.equal([]);
    expect(await list(`created_from=${encodeURIComponent(third.replace('Z', '+00:00'))}`)).to.deep.equal([3, 4, 5, 6, 7]);
    expect((await api.call('GET', '/api/v1/tasks?created_from=yesterday')).status).to.equal(422);
  });

  it('give a batch times that its ids keep', async () => {
    const { body } = await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 1000 }, () => ({ problem_id: 'moments', labels: { kind: 'moment' } })) });
    const times = new Map<string, number>();
    let cursor = '';
    do {
      const page: { tasks: { created_at: string }[]; next_cursor: string | null } = (await api.call('GET', `/api/v1/tasks?problem_id=moments&page_size=100${cursor}`)).body;
      for (const { created_at: created } of page.tasks) times.set(created, (times.get(created) ?? 0) + 1);
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
    } while (cursor !== '');
    expect(body.created).to.equal(1000);
    for (const [created, count] of times) {
      const next = new Date(Date.parse(created) + 1).toISOString();
      const { body: found } = await api.call('GET', `/api/v1/tasks?problem_id=moments&created_from=${created}&created_before=${next}`);
      expect(found.total, created).to.equal(count);
    }
  });

  it('find each task in one of two adjacent windows, also where they meet within its millisecond', async () => {
    const task = { problem_id: 'list-window', parameters: { window: 1 }, labels: { kind: 'window' }, priority: 10 };
    const first = await submitTask(api, task);
    await worker.claim();
    expect((await worker.report('complete', first, {})).status).to.equal(200);
    // Ends as it is submitted.
    const id = await submitTask(api, { ...task, reuse: { max_age_seconds: 3600 } });
    const { created_at: moment, completed_at: ended } = await readTask(api, id);
    expect(ended).to.equal(moment);
    const within = (moment as string).replace('Z', '5Z');
    for (const key of ['created', 'completed']) {
      const found = async (...bounds: string[]): Promise<string[]> => {
        const { body } = await api.call('GET', `/api/v1/tasks?label=kind=window&${bounds.join('&')}`);
        return (body.tasks as { id: string }[]).map((one) => one.id);
      };
      expect(await found(`${key}_from=${moment}`, `${key}_before=${within}`), key).to.deep.equal([id]);
      expect(await found(`${key}_from=${within}`), key).to.deep.equal([]);
      expect(await found(`${key}_before=${moment}`), key).to.deep.equal([first]);
      const filter = { status: ['completed'], labels: { kind: 'window' }, [`${key}_from`]: moment, [`${key}_before`]: within };
      const { status, body } = await api.call('POST', '/api/v1/bulk-operations', { action: 'retry', filter });
      expect(status, JSON.stringify(body)).to.equal(202);
      expect(await eventually(async () => {
        const { body: operation } = await api.call('GET', `/api/v1/bulk-operations/${body.id}`);
        return operation.state === 'done' && operation;
      })).to.include({ examined: 1 });
    }
  });

  it('page exactly while tasks come in', async () => {
    const known = new Set((await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 120 }, () => ({ problem_id: 'walk', labels: { walk: 'yes' } })) }))
      .body.tasks.map(({ id }: { id: string }) => id) as string[]);
    let going = true;
    const inserting = (async () => {
      // So many that each walk comes to the first ones within its pages.
      for (let batches = 0; going && batches < 400; batches++) {
        await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 5 }, () => ({ problem_id: 'walk', labels: { walk: 'yes' } })) });
      }
    })();
    for (const query of ['label=walk=yes', 'problem_id=walk', 'problem_id=walk&status=pending', 'problem_glob=wal?&sort=created_at', 'status=pending,running&sort=-updated_at']) {
      const seen: string[] = [];
      let cursor = '';
      // Upwards a walk follows the newest for as long as they come.
      for (let pages = 0; pages < 500; pages++) {
        const page: { tasks: { id: string }[]; next_cursor: string | null } = (await api.call('GET', `/api/v1/tasks?page_size=7&${query}${cursor}`)).body;
        seen.push(...page.tasks.map(({ id }) => id));
        if (page.next_cursor === null) break;
        cursor = `&cursor=${page.next_cursor}`;
      }
      expect(new Set(seen).size, query).to.equal(seen.length);
      for (const id of known) expect(seen, query).to.include(id);
    }
    going = false;
    await inserting;
  }).timeout(120_000);

  it('count exactly up to ten thousand, and then say so', async () => {
    const many = (count: number): Promise<unknown> => api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: count }, () => ({ problem_id: 'many', labels: { many: 'yes' } })) });
    for (let n = 0; n < 10; n++) await many(1000);
    expect((await api.call('GET', '/api/v1/tasks?label=many=yes&page_size=1')).body).to.include({ total: 10_000, total_is_lower_bound: false });
    await many(1);
    expect((await api.call('GET', '/api/v1/tasks?label=many=yes&page_size=1')).body).to.include({ total: 10_000, total_is_lower_bound: true });
    expect((await api.call('GET', '/api/v1/tasks?problem_id=many&page_size=1')).body).to.include({ total: 10_001, total_is_lower_bound: false });
  }).timeout(120_000);

  it('take 32 labels of any text, and no more', async () => {
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_one, n) => [`key/${n}`, n === 0 ? '' : `ä ${'x'.repeat(200)}`]));
    const id = await submitTask(api, { labels });
    expect((await readTask(api, id)).labels).to.deep.equal(labels);
    expect(await api.call('GET', '/api/v1/tasks?label=key/0=').then(({ body }) => body.tasks[0].id as string)).to.equal(id);
    for (const bad of [{ ...labels, more: 'x' }, { '': 'x' }, { '-a': 'x' }, { 'a b': 'x' }, { ['k'.repeat(64)]: 'x' }, { a: 'x'.repeat(256) }, { a: 1 }, { a: null }, { 'a-longer-key': '😀'.repeat(255) }]) {
      expect((await api.call('POST', '/api/v1/tasks', { problem_id: 'a', labels: bad })).status, JSON.stringify(bad).slice(0, 80)).to.equal(422);
    }
  });

  it('walk a glob that means few problems or many in the order of submission', async () => {
    const submitted = await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 1000 }, (_, n) => ({ problem_id: `many-${String(n * 7919 % 1000)}`, parameters: { n } })) });
    expect(submitted.status).to.equal(201);
    await api.call('POST', '/api/v1/tasks/batch', { tasks: Array.from({ length: 30 }, (_, n) => ({ problem_id: n % 3 === 0 ? 'more-x' : `more-${String(n)}`, parameters: { n: 1000 + n } })) });
    const walk = async (query: string): Promise<number[]> => {
      const found: number[] = [];
      for (let next: string | null = ''; next !== null;) {
        const { body } = await api.call('GET', `/api/v1/tasks?page_size=100&${query}${next === '' ? '' : `&cursor=${next}`}`);
        found.push(...(body.tasks as { parameters: { n: number } }[]).map(({ parameters }) => parameters.n));
        next = body.next_cursor as string | null;
      }
      return found;
    };
    const all = Array.from({ length: 1030 }, (_, n) => n);
    expect(await walk('problem_glob=m*-*&sort=created_at')).to.deep.equal(all);
    expect(await walk('problem_glob=m*-*')).to.deep.equal(all.toReversed());
    expect(await walk('problem_glob=more-*')).to.deep.equal(all.slice(1000).toReversed());
    expect(await walk('problem_glob=*e-x&sort=created_at')).to.deep.equal(all.slice(1000).filter((_, n) => n % 3 === 0));
    const { body } = await api.call('GET', '/api/v1/tasks?problem_glob=more-*&page=2&page_size=20');
    expect([body.total, body.total_is_lower_bound, body.tasks.length]).to.deep.equal([30, false, 10]);
  });
});
