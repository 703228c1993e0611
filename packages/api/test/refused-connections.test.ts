/** A database that is there and lets nobody in: whoever calls comes again, and nothing that a task says is given up. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { explainFailure } from '../src/cli.js';
import { readConfig } from '../src/config.js';
import { startServer, type RunningServer } from '../src/server.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { callerOf, type Caller } from './support/api.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';

const log = pino({ level: 'silent' });
const config = readConfig({ PORT: '0', AUTO_START_WORKERS: 'false', GENERAL_POOL_SIZE: '3', LEASE_POOL_SIZE: '3' });

describe('a database that refuses connections', () => {
  const role = `role_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let url: URL;
  let name: string;
  let admin: pg.Client;
  let server: RunningServer;
  let api: Caller;
  before(async () => {
    database = await createTestDatabase();
    url = new URL(database.url);
    name = url.pathname.slice(1);
    const elsewhere = new URL(database.url);
    elsewhere.pathname = '/postgres';
    admin = new pg.Client({ connectionString: elsewhere.href });
    await admin.connect();
    await admin.query(`create role ${role} superuser login password 'right'`);
    url.username = role;
    url.password = 'right';
    server = await startServer({ config, databaseUrl: url.href, log });
    api = { call: callerOf(server.url) };
  });
  after(async () => {
    await server.stop();
    await database.drop();
    await admin.query(`drop role ${role}`);
    await admin.end();
  });

  const CUT = '-- cut';
  // $database stands for the name, which is not known yet.
  const [shut, open] = ['alter database $database allow_connections false', 'alter database $database allow_connections true'];
  const cases: [what: string, state: string, away: string[], back: string[]][] = [
    ['takes no connections', '55000', [shut], [open]],
    ['has another name for a while', '3D000', [shut, CUT, 'alter database $database rename to $database_away'], ['alter database $database_away rename to $database', open]],
    ['does not let the role in', '28000', [`alter role ${role} nologin`], [`alter role ${role} login`]],
    ['has another password', '28P01', [`alter role ${role} password 'other'`], [`alter role ${role} password 'right'`]],
  ];
  async function run(statements: readonly string[]): Promise<void> {
    for (const statement of [...statements, CUT]) {
      // One that was connecting may come just after the cut.
      if (statement === CUT) {
        await eventually(async () => (await admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 or datname = $2', [role, name])).rowCount === 0);
      } else await admin.query(statement.replaceAll('$database', name));
    }
  }

  for (const [what, state, away, back] of cases) {
    it(`is away where it ${what} (${state})`, async () => {
      const worker = await TestWorker.register(api);
      const id = await submitTask(api);
      expect((await worker.claim()).body.id).to.equal(id);
      await run(away);
      try {
        for (const answer of [
          await api.call('POST', '/api/v1/tasks', { problem_id: 'test-a' }), await api.call('GET', '/api/v1/tasks'),
          await worker.report('logs', id, { entries: [{ message: 'x' }] }), await worker.report('complete', id, {}), await worker.heartbeat(),
        ]) {
          expect(answer.status).to.equal(503);
          expect(answer.body).to.include({ code: 'database_unavailable', retryable: true });
        }
        const failure: unknown = await startServer({ config, databaseUrl: url.href, log }).then((one) => one.stop(), (error: unknown) => error);
        expect(failure).to.have.property('code', state);
        expect(explainFailure(failure, config).message).to.match(/^DATABASE_URL is refused by the server: [^\n]+\.$/);
      } finally {
        await run(back);
      }
      expect(await eventually(async () => {
        const answer = await worker.report('complete', id, {});
        return answer.status === 200 && answer.body;
      })).to.include({ status: 'completed' });
    });
  }
});

describe('a database whose address names a file of certificates', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'task-executor-certificates-'));
    database = await createTestDatabase();
    const elsewhere = new URL(database.url);
    elsewhere.pathname = '/postgres';
    admin = new pg.Client({ connectionString: elsewhere.href });
    await admin.connect();
  });
  after(async () => {
    await database.drop();
    await admin.end();
    rmSync(folder, { recursive: true });
  });

  it('is away while a new connection cannot read it, and needs nobody when it can', async () => {
    const [file, away] = [join(folder, 'ca.pem'), join(folder, 'away')];
    writeFileSync(file, '');
    const url = new URL(database.url);
    url.searchParams.set('sslmode', 'disable');
    url.searchParams.set('sslrootcert', file);
    const failures: string[] = [];
    const listening = pino({ level: 'debug' }, {
      write(line: string) {
        if (line.includes('listener_failed')) failures.push(line);
      },
    });
    const server = await startServer({ config, databaseUrl: url.href, log: listening });
    const api: Caller = { call: callerOf(server.url) };
    const ofServer = `from pg_stat_activity where datname = '${url.pathname.slice(1)}'`;
    try {
      const worker = await TestWorker.register(api);
      renameSync(file, away);
      await eventually(async () => (await admin.query(`select pg_terminate_backend(pid) ${ofServer}`)).rowCount === 0);
      for (const answer of await Promise.all([...Array.from({ length: 10 }, () => api.call('GET', '/api/v1/tasks')), worker.heartbeat()])) {
        expect([answer.status, answer.body.code]).to.deep.equal([503, 'database_unavailable']);
      }
      await eventually(() => Promise.resolve(failures.length > 0));
      expect(failures[0]).to.contain('ENOENT');
      renameSync(away, file);
      await eventually(async () => (await worker.heartbeat()).status === 200);
      await eventually(async () => (await admin.query(`select ${ofServer} and application_name = 'task-executor-api listener'`)).rowCount === 1);
    } finally {
      await server.stop();
    }
  });
});
