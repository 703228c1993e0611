/**
 * Hostile input: thousands of requests made from openapi.yaml, most with one thing wrong. Whatever comes, the answer is one that the
 * contract declares and never a 5xx, what does not fit the contract is refused, and the database keeps its invariants.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { HOSTILE_STRINGS, toJson } from './hostile/corpus.js';
import { requests, type HostileRequest, type Ids } from './hostile/requests.js';
import { submitTask, workerWithTask } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { validator } from './support/contract.js';
import { expectInvariants } from './support/invariants.js';

const RUNS = Number(process.env.HOSTILE_RUNS ?? 800);

/** Other tests' internal workers are enough; these would run what is submitted here. */
const EXCEPT = ['scaleInternalWorkers', 'startInternalWorkers'];

describe('hostile input', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ EVENT_STREAM_SECONDS: '1', LEASE_SECONDS: '600', HEARTBEAT_INTERVAL_SECONDS: '60' });
  });
  after(() => api.stop());

  async function made(path: string, body: unknown): Promise<string> {
    const answer = await api.call('POST', path, body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body.id as string;
  }

  /** Some of everything that has an id. */
  async function furnish(): Promise<Ids> {
    const tasks: string[] = [];
    for (let n = 0; n < 6; n++) tasks.push(await made('/api/v1/tasks', { problem_id: `h-${n}`, priority: 10 - n }));
    const worker = await made('/api/v1/workers/register', { backend_type: 'kind', capabilities: { max_parallel_tasks: 100, supported_problems: ['h-*'] } });
    for (let n = 0; n < 4; n++) await api.call('POST', `/api/v1/workers/${worker}/claim`);
    await api.call('POST', `/api/v1/workers/${worker}/tasks/${tasks[0] ?? ''}/complete`, { done: true });
    await api.call('POST', `/api/v1/tasks/${tasks[1] ?? ''}/cancel`);
    return {
      task_id: tasks,
      worker_id: [worker],
      workflow_id: [await made('/api/v1/workflows', { name: 'w', tasks: [{ name: 'a', problem_id: 'h-a' }, { name: 'b', problem_id: 'h-b', depends_on: ['a'] }] })],
      schedule_id: [await made('/api/v1/schedules', { name: 's', cron: '0 0 1 1 *', task: { problem_id: 'h-s' } })],
      limit_id: [await made('/api/v1/limits', { key: 'problem_id', value: 'h-limited', max_running: 1 })],
    };
  }

  /** Whether the body is one that the contract allows; true where there is no telling. */
  function fits({ schema, text }: HostileRequest): boolean {
    if (schema === null || text === undefined) return true;
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return false;
    }
    return validator(schema)(body);
  }

  it('gets an answer of the contract, changes nothing that it may not, and is refused where it does not fit', async function () {
    this.timeout(20 * RUNS + 30_000);
    const ids = await furnish();
    await fc.assert(fc.asyncProperty(requests(ids, EXCEPT), async (request) => {
      const { status, body } = await api.call(request.method, request.path, request.text, request.headers);
      expect(status, JSON.stringify(body)).to.be.lessThan(500);
      if (!fits(request)) expect(status).to.be.at.least(400);
    }), {
      numRuns: RUNS,
      // A stack of a counterexample can have 70,000 characters.
      reporter: (run) => {
        if (run.failed) throw new Error(`seed ${run.seed}, path ${run.counterexamplePath ?? ''}: ${fc.stringify(run.counterexample).slice(0, 2_000)}`, { cause: run.errorInstance });
      },
    });
    await expectInvariants(api.db, { settled: false });
    expect((await api.call('GET', '/health')).status).to.equal(200);
  });

  it('takes no number that is infinite, wherever a text may be one', async () => {
    const id = await submitTask(api, { problem_id: 'h-number' });
    for (const number of ['1e400', '-1e400']) {
      for (const path of ['tasks?page=', 'tasks?page_size=', 'workers?limit=', `tasks/${id}/logs?attempt=`, `tasks/${id}/logs?limit=`, `tasks/${id}?wait_seconds=`]) {
        const { status, body } = await api.call('GET', `/api/v1/${path}${number}`);
        expect([status, body.code], path).to.deep.equal([422, 'validation_failed']);
      }
      const { status, body } = await api.call('POST', `/api/v1/workers/worker-001-kind/tasks/${id}/release`, '{}', { 'task-attempt': number });
      expect([status, body.errors], number).to.deep.equal([422, [{ path: '/headers/task-attempt', message: 'must be a finite number' }]]);
    }
  });

  it('takes a wait that is shorter than PostgreSQL can say for none', async () => {
    const retry = { max_attempts: 2, initial_seconds: 5e-324, max_seconds: 1e-300, jitter: 5e-324 };
    const answer = await api.call('POST', '/api/v1/tasks', { problem_id: 'h-short', retry });
    expect([answer.status, answer.body.retry]).to.deep.equal([201, { max_attempts: 2, initial_seconds: 0, factor: 2, max_seconds: 0, jitter: 0 }]);
  });

  it('takes no moment that PostgreSQL or a clock does not know, wherever one may be given', async () => {
    const { worker, id } = await workerWithTask(api);
    await worker.claim();
    const pending = await submitTask(api, { problem_id: 'h-moment' });
    const task = { problem_id: 'h-moment' };
    const filters = ['created_from', 'created_before', 'completed_from', 'completed_before'];
    for (const moment of ['2026-12-31T23:59:60Z', '2026-06-30T12:00:00+16:00', '2026-06-30T12:00:00-23:59', '2026-06-30T12:00:00+02', '2026-06-30\u00a012:00:00Z', '0001-01-02T00:00:00Z']) {
      const refused = async (path: string, answer: Promise<Answer>): Promise<void> => {
        const { status, body } = await answer;
        expect([status, body.code, body.errors[0].path], `${moment} as ${path}`).to.deep.equal([422, 'validation_failed', path]);
        expect(body.errors[0].message).to.contain('without a leap second and with an offset such as +02:00, of less than 16 hours');
      };
      for (const name of filters) {
        for (const list of ['tasks', 'tasks/export']) await refused(`/query/${name}`, api.call('GET', `/api/v1/${list}?${name}=${encodeURIComponent(moment)}`));
        await refused(`/body/filter/${name}`, api.call('POST', '/api/v1/bulk-operations', { action: 'retry', filter: { [name]: moment } }));
      }
      for (const name of ['run_at', 'expires_at']) {
        await refused(`/body/${name}`, api.call('POST', '/api/v1/tasks', { ...task, [name]: moment }));
        await refused(`/body/tasks/0/${name}`, api.call('POST', '/api/v1/tasks/batch', { tasks: [{ ...task, [name]: moment }] }));
        await refused(`/body/tasks/0/${name}`, api.call('POST', '/api/v1/workflows', { tasks: [{ ...task, name: 'a', [name]: moment }] }));
      }
      await refused('/body/run_at', api.call('PATCH', `/api/v1/tasks/${pending}`, { run_at: moment }));
      await refused('/body/entries/0/timestamp', worker.report('logs', id, { entries: [{ message: 'x', timestamp: moment }] }));
    }
    for (const moment of ['2026-06-30T12:00:00+15:59', '2026-06-30T12:00:00-1559', '2026-06-30t12:00:00.123456789z', '2026-06-30 12:00:00Z', '0100-01-01T00:00:00+15:59', '9998-12-31T23:59:59-15:59']) {
      for (const name of filters) expect((await api.call('GET', `/api/v1/tasks?${name}=${encodeURIComponent(moment)}`)).status, `${moment} as ${name}`).to.equal(200);
      for (const name of ['run_at', 'expires_at']) expect((await api.call('POST', '/api/v1/tasks', { ...task, [name]: moment })).status, `${moment} as ${name}`).to.equal(201);
    }
  });

  it('takes no cursor with a moment or an id that it did not give', async () => {
    for (let n = 0; n < 2; n++) await submitTask(api, { problem_id: 'h-cursor' });
    const path = '/api/v1/tasks?problem_id=h-cursor&sort=updated_at&page_size=1';
    const { next_cursor: given } = (await api.call('GET', path)).body;
    const [filters, moment, id, page] = JSON.parse(Buffer.from(given as string, 'base64url').toString()) as unknown[];
    const cursorOf = (place: unknown[]): string => Buffer.from(JSON.stringify(place)).toString('base64url');
    expect((await api.call('GET', `${path}&cursor=${cursorOf([filters, moment, id, page])}`)).body.tasks).to.have.length(1);
    for (const [key, task] of [['2026-06-30T12:00:00+16:00', id], ['Tue, 30 Jun 2026 12:00:00 GMT', id], ['0000-01-01T00:00:00.000Z', id], ['2026-02-30T12:00:00.000Z', id], [moment, '-'.repeat(36)]]) {
      const { status, body } = await api.call('GET', `${path}&cursor=${cursorOf([filters, key, task, page])}`);
      expect([status, body.code, body.errors?.[0].path], JSON.stringify([key, task])).to.deep.equal([422, 'validation_failed', '/query/cursor']);
    }
    for (const [list, place] of [
      ['/api/v1/schedules', '-'.repeat(36)], ['/api/v1/bulk-operations', '-'.repeat(36)], ['/api/v1/workers', '\u0000'], ['/api/v1/workers', 'worker-1'],
      [`/api/v1/tasks/${id as string}/attempts`, 2 ** 32], [`/api/v1/tasks/${id as string}/attempts`, Number.MAX_SAFE_INTEGER], [`/api/v1/tasks/${id as string}/logs`, -1],
    ] as const) {
      const { status, body } = await api.call('GET', `${list}?cursor=${cursorOf([place])}`);
      expect([status, body.code, body.errors?.[0].path], `${list} ${place}`).to.deep.equal([422, 'validation_failed', '/query/cursor']);
    }
    expect((await api.call('GET', `/api/v1/tasks/${id as string}/logs?cursor=${cursorOf([Number.MAX_SAFE_INTEGER])}`)).status).to.equal(200);
  });

  it('is stored as it came where it is allowed', async () => {
    for (const text of HOSTILE_STRINGS) {
      const parameters = { [`key ${text}`]: text, list: [text] };
      const answer = await api.call('POST', '/api/v1/tasks', toJson({ problem_id: 'h-text', parameters }));
      if (answer.status !== 201) {
        expect(answer.body.code, JSON.stringify(text)).to.equal('unstorable_json');
        expect(text.includes('\0') || !text.isWellFormed(), JSON.stringify(text)).to.equal(true);
      } else {
        expect((await api.call('GET', `/api/v1/tasks/${answer.body.id}`)).body.parameters).to.deep.equal(parameters);
      }
    }
  });
});
