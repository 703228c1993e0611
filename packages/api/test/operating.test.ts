/** What operators of the database do: a role that may change data and nothing else, and a database that is read-only for a while. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { sql } from 'kysely';
import { eventually, readTask, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

/** The statements of docs/operating.md between its marks, for the role and the password of a test. */
function documentedGrants(role: string, password: string, database: string): string[] {
  const text = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
  const block = /```sql\n(-- as the owner[\s\S]*?)```/.exec(text)?.[1];
  if (block === undefined) throw new Error('docs/operating.md does not say how to make a role');
  return block.replaceAll('task_executor_api', role).replaceAll("'a-password'", `'${password}'`).replaceAll('database task_executor', `database ${database}`)
    .replaceAll(/^--.*$/gm, '').split(';').map((one) => one.trim()).filter((one) => one !== '');
}

describe('operating the database', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ SWEEP_INTERVAL_MS: '100' });
  });
  after(() => api.stop());

  it('needs no more than a role that may change data', async () => {
    const url = new URL(api.databaseUrl);
    const [role, password] = [`role_${randomBytes(6).toString('hex')}`, randomBytes(12).toString('hex')];
    const statements = documentedGrants(role, password, url.pathname.slice(1));
    for (const statement of statements) await sql.raw(statement).execute(api.db);
    try {
      url.username = role;
      url.password = password;
      const replica = await api.replica({ SWEEP_INTERVAL_MS: '100' }, url.href);
      try {
        const worker = await TestWorker.register(replica, { globs: ['role-*'], parallel: 5 });
        const [first, second] = [await submitTask(replica, { problem_id: 'role-a', labels: { l: '1' } }), await submitTask(replica, { problem_id: 'role-b' })];
        const child = await submitTask(replica, { problem_id: 'role-c', depends_on: [first] });
        for (const id of [first, second]) {
          expect((await worker.claim()).body.id).to.equal(id);
          expect((await worker.report('logs', id, { entries: [{ message: 'x' }] })).status).to.equal(200);
          expect((await worker.report('progress', id, { step: 1 })).status).to.equal(204);
          expect((await worker.report('complete', id, {})).status).to.equal(200);
        }
        expect((await worker.claim({ wait_seconds: 5 })).body.id).to.equal(child);
        const schedule = await replica.call('POST', '/api/v1/schedules', { cron: '* * * * * *', task: { problem_id: 'role-s' } });
        await eventually(async () => (await replica.call('GET', `/api/v1/schedules/${schedule.body.id}`)).body.fires > 0);
        const bulk = await replica.call('POST', '/api/v1/bulk-operations', { action: 'retry', filter: { status: ['completed'], problem_id: 'role-b' } });
        await eventually(async () => (await replica.call('GET', `/api/v1/bulk-operations/${bulk.body.id}`)).body.changed === 1);
        expect((await replica.call('GET', '/api/v1/tasks/stats')).body.completed_tasks).to.equal(2);
        expect((await replica.call('DELETE', `/api/v1/schedules/${schedule.body.id}`)).status).to.equal(204);
      } finally {
        await replica.stop();
      }
      const refused = await sql<{ may: boolean }>`
        select has_schema_privilege(${role}, 'public', 'create') or has_table_privilege(${role}, 'tasks', 'truncate') as may`.execute(api.db);
      expect(refused.rows).to.deep.equal([{ may: false }]);
    } finally {
      await sql.raw(`drop owned by ${role}`).execute(api.db);
      await sql.raw(`drop role ${role}`).execute(api.db);
    }
  });

  it('answers 503 to whatever would write while the database is read-only, goes on reading, and recovers by itself', async () => {
    const name = new URL(api.databaseUrl).pathname.slice(1);
    const worker = await TestWorker.register(api, { globs: ['flip-*'], parallel: 2 });
    const id = await submitTask(api, { problem_id: 'flip-a' });
    expect((await worker.claim()).body.id).to.equal(id);
    const flip = async (on: boolean): Promise<void> => {
      await sql.raw(`alter database ${name} ${on ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only'}`).execute(api.db);
      // As at a switch-over: what is connected is cut.
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(api.db);
    };
    const submit = (): Promise<Answer> => api.call('POST', '/api/v1/tasks', { problem_id: 'flip-b', parameters: {} });
    await sql`set default_transaction_read_only = off`.execute(api.db);
    await flip(true);
    try {
      const refused = await eventually(async () => {
        const answer = await submit();
        return answer.status === 503 && answer;
      });
      expect(refused.body).to.include({ code: 'database_unavailable', retryable: true });
      expect(Number(refused.headers['retry-after'])).to.be.at.least(1);
      expect((await worker.report('complete', id, { n: 1 })).status).to.equal(503);
      expect((await worker.heartbeat()).status).to.equal(503);
      expect((await readTask(api, id)).status).to.equal('running');
    } finally {
      await sql.raw('set default_transaction_read_only = off').execute(api.db);
      await flip(false);
    }
    await eventually(async () => (await submit()).status === 201);
    expect(await eventually(async () => {
      const answer = await worker.report('complete', id, { n: 1 });
      return answer.status === 200 && answer.body;
    })).to.include({ status: 'completed', attempt: 1 });
  });
});
