/** Answers that settle nothing: what the worker has to say stays in its spool until the API itself has decided; nor do they end a worker. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { problem, type Reply } from '../src/conformance/model.js';
import { Spool } from '../src/spool/spool.js';
import { COMPLETED, gate, SILENT, Stage } from './fixtures/scripted-worker.js';

/** What a proxy says in words of its own. */
const page = (status: number): Reply => ({ status, body: '<html>' });

const FOREIGN: Readonly<Record<string, Reply>> = {
  'a redirect of a proxy': { status: 302, headers: { location: '/login' } },
  'the 401 of a login': page(401),
  'the 404 of a proxy': page(404),
  'the 407 of a proxy': page(407),
  'a 409 of something else': page(409),
  'the 413 of a proxy': page(413),
  host_not_allowed: problem('host_not_allowed'),
  path_not_found: problem('path_not_found'),
  method_not_allowed: problem('method_not_allowed'),
  headers_too_large: problem('headers_too_large'),
  unsupported_media_type: problem('unsupported_media_type'),
  'a code of a newer API': { status: 422, body: { code: 'not_yet_known', title: 'news', status: 422, retryable: false } },
  'the answer to another call': problem('schedule_not_found'),
};

describe('worker: answers that settle nothing', () => {
  const stage = Stage.forEachTest();
  let root: string;
  let errors: { fields: Record<string, unknown>; message: string }[];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'answers-test-'));
    errors = [];
  });
  afterEach(() => rm(root, { recursive: true }));

  const log = {
    ...SILENT,
    error: (fields: Record<string, unknown>, message: string): void => {
      errors.push({ fields, message });
      stage.current.api.look();
    },
  };
  const open = (): Promise<Spool> => Spool.open({ root, apiUrl: stage.current.api.url, maxBytes: 1024 * 1024, gatherMs: 0, log });

  for (const [name, reply] of Object.entries(FOREIGN)) {
    it(`keeps log and result after ${name}, says so, and sends them again`, async () => {
      const { api } = stage.current;
      const task = api.give();
      const spool = await open();
      api.script('logs', reply);
      api.script('complete', reply, reply);
      const worker = stage.current.start({ spool, log }, async (context) => {
        await context.log('info', 'hello');
        return COMPLETED;
      });
      await api.until(() => errors.length === 3);
      expect(spool.files).to.be.greaterThan(0);
      const ended = await api.until(() => api.model.ended.get(`${task.id}/1`));
      expect(ended).to.deep.equal({ verb: 'complete', body: { ok: true }, lines: ['hello'] });
      expect(new Set(errors.map(({ fields }) => fields.event))).to.deep.equal(new Set(['answer_stuck']));
      await worker.drain();
      expect(spool.files).to.equal(0);
      expect(stage.current.begun).to.equal(1);
    });
  }

  for (const [operation, concurrency] of [
    ['register', 1], ['heartbeat', 1], ['claim', 1], ['claim-batch', 2], ['logs', 1], ['complete', 1], ['report', 2],
  ] as const) {
    it(`takes a success of something else for no answer to ${operation}, and loses nothing`, async () => {
      const { api } = stage.current;
      api.model.intervalSeconds = 0.2;
      const task = api.give();
      const spool = await open();
      const { opened, open: openGate } = gate();
      api.script(operation, { status: 200, body: {} }, { status: 200 });
      const worker = stage.current.start({ concurrency, spool, log }, async (context) => {
        await context.log('info', 'hello');
        await opened;
        return COMPLETED;
      });
      await stage.current.untilBegun();
      await api.untilCalls('heartbeat', api.of('heartbeat').length + 3);
      openGate();
      expect(await api.until(() => api.model.ended.get(`${task.id}/1`))).to.deep.equal({ verb: 'complete', body: { ok: true }, lines: ['hello'] });
      expect(api.of('register')).to.have.length(operation === 'register' ? 3 : 1);
      // Reports that went together are then sent one by one.
      expect(api.of(operation).length).to.be.at.least(operation === 'report' ? 1 : 3);
      await worker.drain();
      expect(spool.files).to.equal(0);
      expect(stage.current.begun).to.equal(1);
    });
  }

  it('goes on registering, claiming and telling what it takes through the answers of a proxy, and says what it got', async () => {
    const { api } = stage.current;
    const warnings: [unknown, string][] = [];
    const warn = ({ event }: Record<string, unknown>, message: string): void => {
      warnings.push([event, message]);
    };
    const said = (event: string, status: number): boolean =>
      warnings.some(([which, message]) => which === event && message.includes(`an answer of ${status} came, but not from the API; check API_URL`));
    api.script('register', page(404), { status: 302, headers: { location: '/login' } }, page(501), page(502), problem('database_unavailable'));
    api.script('claim', page(403));
    const worker = stage.current.start({ problems: ['test-*', 'old-*'], log: { ...SILENT, warn } });
    const [first, second] = await api.untilCalls('claim', 2);
    expect(worker.id).to.equal('worker-001-kind');
    // The proxy may have answered when the API had given a task already.
    expect(second?.body.request_id).to.equal(first?.body.request_id);
    api.always('heartbeat', page(413));
    worker.offer(['test-*']);
    const told = (status: number): boolean => api.of('heartbeat').some((call) => call.body.capabilities !== undefined && call.status === status);
    await api.until(() => told(413));
    api.always('heartbeat', 'usual');
    await api.until(() => told(200));
    await worker.drain();
    expect([404, 302, 501, 502, 503].filter((status) => said('registration_failed', status))).to.deep.equal([404, 302, 501]);
    expect([said('claim_failed', 403), said('capabilities_failed', 413)]).to.deep.equal([true, true]);
  });

  it('takes another server for an API that is away: a worker that runs one task ends with an error where it has waited long enough', async () => {
    const { api } = stage.current;
    api.always('register', page(404));
    expect(await stage.current.start({ maxTasks: 1, maxIdleMs: 50 }).stopped).to.equal('unreached');
  });

  it('ends where the API itself refuses its registration', async () => {
    const { api } = stage.current;
    for (const reply of [problem('validation_failed'), problem('host_not_allowed'), FOREIGN['a code of a newer API']!]) {
      api.script('register', reply);
      expect(await stage.current.start({ log }).stopped).to.equal('refused');
      expect(errors.pop()?.fields.event).to.equal('registration_refused');
    }
  });

  it('says what to do about them', async () => {
    const { api } = stage.current;
    api.give();
    api.script('complete', problem('host_not_allowed'), problem('path_not_found'), problem('internal_error'), page(413));
    const worker = stage.current.start({ log });
    await api.until(() => errors.length === 4);
    const advice = [/ALLOWED_HOSTS/, /API_URL/, /look for scripted in the log of the API/, /what answers 413/];
    for (const [n, expected] of advice.entries()) expect(errors[n]?.message).to.match(expected);
    await worker.drain();
  });

  it('registers all the same, and delivers the result when the way is free', async () => {
    const { api } = stage.current;
    const task = api.give();
    api.always('complete', page(404));
    const worker = stage.current.start({ spool: await open(), log });
    await api.untilCalls('complete', 3);
    api.script('heartbeat', problem('session_ended'));
    api.script('claim', problem('session_ended'));
    await api.untilCalls('register', 2);
    expect(worker.state().waitingReports).to.equal(0);
    expect(worker.state().spoolBytes).to.be.greaterThan(0);
    api.always('complete', 'usual');
    await api.until(() => api.model.ended.has(`${task.id}/1`) || api.model.late.has(`${task.id}/1`));
    await worker.drain();
  });

  it('registers with a report of an earlier process in its spool that is stuck', async () => {
    const { api } = stage.current;
    const before = await open();
    const identity = { worker_id: 'worker-001-kind', session: 'session-0', task_id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt: 1 };
    await before.put(identity, null, { kind: 'report', report: { verb: 'complete', body: { ok: true } } });
    await before.close();
    // Of a process that is gone.
    const owner = join(before.folder, 'owner.json');
    await writeFile(owner, JSON.stringify({ ...(JSON.parse(await readFile(owner, 'utf8')) as object), pid: 2 ** 22 + 1 }));
    api.always('complete', page(401));
    const worker = stage.current.start({ spool: await open(), log });
    await api.untilCalls('register');
    expect(api.of('complete')).to.have.length(3);
    api.always('complete', 'usual');
    expect(await api.until(() => api.model.late.get(`${identity.task_id}/1`))).to.include({ verb: 'complete' });
    await worker.drain();
  });

  it('sends the report after a log that makes the API fail again and again', async () => {
    const { api } = stage.current;
    const task = api.give();
    api.always('logs', problem('internal_error'));
    const worker = stage.current.start({ log }, async (context) => {
      await context.log('info', 'hello');
      return COMPLETED;
    });
    await api.until(() => api.model.ended.has(`${task.id}/1`));
    expect(api.of('logs')).to.have.length(9);
    await worker.drain();
  });

  it('registers while a log does not get through, and loses none of it', async () => {
    const { api } = stage.current;
    const task = api.give();
    api.always('logs', page(401));
    const worker = stage.current.start({ log }, async (context) => {
      await context.log('info', 'hello');
      return COMPLETED;
    });
    await api.untilCalls('logs', 2);
    expect(worker.state().waitingReports).to.equal(1);
    api.script('heartbeat', problem('session_ended'));
    api.script('claim', problem('session_ended'));
    await api.untilCalls('register', 2);
    expect(api.of('logs').length).to.be.at.least(9);
    expect(api.of('complete')).to.be.empty;
    api.always('logs', 'usual');
    expect(await api.until(() => api.model.ended.get(`${task.id}/1`) ?? api.model.late.get(`${task.id}/1`))).to.include({ verb: 'complete' });
    await worker.drain();
  });

  it('sends reports one by one where their call is refused by something before the API or by its mistake', async () => {
    const { api } = stage.current;
    const { opened, open: openGate } = gate();
    for (let n = 0; n < 3; n++) api.give();
    api.script('report', page(413), problem('internal_error'));
    api.script('complete', page(413));
    const worker = stage.current.start({ concurrency: 3, log }, async () => {
      await opened;
      return COMPLETED;
    });
    await stage.current.untilBegun(3);
    openGate();
    await api.until(() => api.model.ended.size === 3);
    expect([...api.model.ended.values()].map(({ verb }) => verb)).to.deep.equal(['complete', 'complete', 'complete']);
    await worker.drain();
  });

  it('takes the 404 of a proxy for no sign that the API does not know a call', async () => {
    const { api } = stage.current;
    api.script('claim-batch', page(404));
    api.script('report', page(404));
    for (let n = 0; n < 2; n++) api.give();
    const worker = stage.current.start({ concurrency: 2, log });
    await api.until(() => api.model.ended.size === 2);
    expect(api.of('claim')).to.be.empty;
    const reports = api.of('report').length;
    for (let n = 0; n < 2; n++) api.give();
    await api.until(() => api.model.ended.size === 4);
    expect(api.of('report').length).to.be.greaterThan(reports);
    await worker.drain();
  });
});
