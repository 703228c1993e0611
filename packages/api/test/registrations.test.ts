/** Registrations that come twice, late, or for nobody: each takes an id from nobody who holds it rightly. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, workerWithTask } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';
import { closed, open } from './support/raw.js';

describe('registrations', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '50' });
  });
  after(() => api.stop());

  const register = (body: Record<string, unknown>): Promise<Answer> => api.call('POST', '/api/v1/workers/register', { backend_type: 'kind', ...body });
  const heartbeat = ({ body }: Answer): Promise<Answer> =>
    api.call('POST', `/api/v1/workers/${body.id}/heartbeat`, {}, { 'worker-session': body.session as string });
  const live = async (): Promise<number> => {
    const { body } = await api.call('GET', '/api/v1/workers');
    return (body.workers as { status: string }[]).filter(({ status }) => status !== 'offline').length;
  };

  it('begin the session that their client made, and are answered with it again while it lives', async () => {
    const session = randomUUID();
    const first = await register({ session: session.toUpperCase(), metadata: { host: 'h1' } });
    expect([first.status, first.body.session]).to.deep.equal([201, session]);
    const before = await live();
    const copy = await register({ session });
    expect([copy.status, copy.body.id, copy.body.session, copy.body.registered_at, copy.headers.location])
      .to.deep.equal([201, first.body.id, session, first.body.registered_at, first.headers.location]);
    expect((await register({ session, worker_id: first.body.id })).body.registered_at).to.equal(first.body.registered_at);
    expect(await live()).to.equal(before);
    expect((await heartbeat(first)).status).to.equal(200);
  });

  it('renew the lease where they are copies, since their client counts it from its last try', async () => {
    const session = randomUUID();
    const { body } = await register({ session });
    const leaseUntil = async (): Promise<number> => {
      const { rows } = await sql<{ at: Date }>`select lease_until as at from workers where id = ${body.id}`.execute(api.db);
      return rows[0]!.at.getTime();
    };
    await sql`update workers set lease_until = now() + interval '5 seconds' where id = ${body.id}`.execute(api.db);
    const before = await leaseUntil();
    await register({ session });
    expect(await leaseUntil()).to.be.above(before);
  });

  for (const worker_id of [undefined, 'worker-900-kind']) {
    it(`make one worker where copies come at once, ${worker_id === undefined ? 'without' : 'with'} an id`, async () => {
      const session = randomUUID();
      const before = await live();
      const answers = await Promise.all(Array.from({ length: 8 }, () => register({ session, worker_id })));
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.id} ${body.session}`)).size).to.equal(1);
      expect(await live()).to.equal(before + 1);
      expect((await heartbeat(answers[0]!)).status).to.equal(200);
    });
  }

  it('take nothing from a worker that runs a task when a copy comes late', async () => {
    const session = randomUUID();
    const problem = `late-${session}`;
    const { body: worker } = await register({ session, worker_id: 'worker-901-kind', capabilities: { supported_problems: [problem] } });
    await api.call('POST', '/api/v1/tasks', { problem_id: problem, parameters: {} });
    const { body: task } = await api.call('POST', `/api/v1/workers/${worker.id}/claim`, {}, { 'worker-session': session });
    const late = await register({ session, worker_id: worker.id, capabilities: { supported_problems: [problem] } });
    expect([late.status, late.body.current_task_id]).to.deep.equal([201, task.id]);
    const report = await api.call('POST', `/api/v1/workers/${worker.id}/tasks/${task.id}/complete`, {}, { 'worker-session': session });
    expect([report.status, report.body.status]).to.deep.equal([200, 'completed']);
  });

  it('tell a copy that its worker is drained', async () => {
    const session = randomUUID();
    const { body } = await register({ session });
    await api.call('POST', `/api/v1/workers/${body.id}/drain`);
    expect((await register({ session })).body.directives).to.deep.equal({ cancel: [], lost: [], drain: true });
  });

  it('revive no session that has ended, and take none of another worker', async () => {
    const session = randomUUID();
    const { body } = await register({ session });
    const elsewhere = await register({ session, worker_id: 'worker-902-kind' });
    expect([elsewhere.status, elsewhere.body.code]).to.deep.equal([409, 'session_ended']);
    expect((await api.call('GET', '/api/v1/workers/worker-902-kind')).status).to.equal(404);
    await sql`update workers set lease_until = now() - interval '1 second' where id = ${body.id}`.execute(api.db);
    expect((await register({ session })).body.code).to.equal('session_ended');
    await eventually(async () => (await api.call('GET', `/api/v1/workers/${body.id}`)).body.status === 'offline');
    for (const worker_id of [undefined, body.id]) expect((await register({ session, worker_id })).body.code).to.equal('session_ended');
    expect((await register({ session: randomUUID(), worker_id: body.id })).body.id).to.equal(body.id);
    expect((await register({ session: 'mine' })).status).to.equal(422);
  });

  it('supersede, with another session or without one, whatever the id had', async () => {
    const first = await register({ session: randomUUID(), worker_id: 'worker-903-kind' });
    const second = await register({ session: randomUUID(), worker_id: 'worker-903-kind' });
    expect((await heartbeat(first)).body.code).to.equal('session_superseded');
    const third = await register({ worker_id: 'worker-903-kind' });
    expect((await heartbeat(second)).body.code).to.equal('session_superseded');
    expect((await heartbeat(third)).status).to.equal(200);
  });

  it('are not made for a caller who has gone', async () => {
    const { worker, id } = await workerWithTask(api);
    await worker.claim();
    const body = JSON.stringify({ worker_id: worker.id, backend_type: 'kind' });
    for (let n = 0; n < 20; n++) {
      const socket = open(api.url);
      await once(socket, 'connect');
      // In one turn of the event loop, so that the server finds both, like a process that stood still.
      socket.write(`POST /api/v1/workers/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      socket.destroy();
      await closed(socket);
    }
    const gone = /^task_executor_http_request_duration_seconds_count\{method="POST",operation="registerWorker",status="499"\} 20$/m;
    await eventually(async () => gone.test((await api.call('GET', '/metrics')).body as string));
    expect((await worker.heartbeat()).status).to.equal(200);
    expect((await worker.report('complete', id, {})).status).to.equal(200);
  });
});
