import { readFileSync } from 'node:fs';
import { ENVIRONMENT as WORKER_ENVIRONMENT } from '../../worker/src/process/options.js';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { explainFailure } from '../src/cli.js';
import { ConfigError, ENVIRONMENT, readConfig } from '../src/config.js';
import { InternalWorkers } from '../src/internal-workers.js';
import { createMetrics } from '../src/metrics.js';
import { startServer } from '../src/server.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi } from './support/api.js';
import { createEmptyDatabase, createTestDatabase } from './support/database.js';
import { startProxy } from './support/proxy.js';

const config = readConfig({ PORT: '0', AUTO_START_WORKERS: 'false', GENERAL_POOL_SIZE: '3', LEASE_POOL_SIZE: '3' });
const log = pino({ level: 'silent' });

describe('operations', () => {
  it('answers 503 while the database is away, and recovers by itself', async () => {
    const database = await createTestDatabase();
    const proxy = await startProxy(database.url);
    const server = await startServer({ config, databaseUrl: proxy.url, log });
    try {
      const submit = () => fetch(`${server.url}/api/v1/tasks`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ problem_id: 'test-a' }),
      });
      expect((await submit()).status).to.equal(201);
      proxy.cut();
      for (const answer of [await submit(), await fetch(`${server.url}/api/v1/tasks`), await fetch(`${server.url}/api/v1/workers/worker-001-kind/claim`, { method: 'POST' })]) {
        expect(answer.status).to.equal(503);
        expect(answer.headers.get('retry-after')).to.equal('1');
        expect(await answer.json()).to.include({ code: 'database_unavailable', retryable: true });
      }
      const health = await fetch(`${server.url}/health`);
      expect(health.status).to.equal(503);
      expect(await health.json()).to.deep.include({ status: 'unhealthy', database: { connected: false, latency_ms: null } });
      expect((await fetch(`${server.url}/ready`)).status).to.equal(503);
      proxy.mend();
      await eventually(async () => (await fetch(`${server.url}/health`)).status === 200);
      expect((await submit()).status).to.equal(201);
    } finally {
      await server.stop();
      await proxy.stop();
      await database.drop();
    }
  });

  it('logs why it is not healthy, also where the mistake is its own', async () => {
    const lines: string[] = [];
    const api = await startTestApi({}, {}, pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }));
    try {
      await sql`alter table totals rename to elsewhere`.execute(api.db);
      expect((await api.call('GET', '/health')).status).to.equal(503);
      const logged = lines.filter((line) => line.includes('"health_failed"'));
      expect(logged).to.have.length(1);
      expect(logged[0]).to.include('totals');
    } finally {
      await api.stop();
    }
  });

  it('lets replicas start at once on an empty database', async () => {
    const database = await createEmptyDatabase();
    const servers = await Promise.all(Array.from({ length: 3 }, () => startServer({ config, databaseUrl: database.url, log })));
    try {
      for (const server of servers) expect((await fetch(`${server.url}/api/v1/tasks`)).status).to.equal(200);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      await database.drop();
    }
  });

  it('counts what happens, and shows the queue and the fleet as they are', async () => {
    const api = await startTestApi();
    try {
      const worker = await TestWorker.register(api, { parallel: 4, globs: ['test-*'] });
      const ids = [await submitTask(api), await submitTask(api), await submitTask(api), await submitTask(api, { problem_id: 'nobody' })];
      for (let n = 0; n < 3; n++) await worker.claim();
      await worker.claim();
      await worker.report('logs', ids[0]!, { entries: [{ message: 'a' }, { message: 'b' }] });
      await worker.report('complete', ids[0]!, {});
      await worker.report('fail', ids[1]!, { error: 'x' });
      await api.call('POST', `/api/v1/tasks/${ids[1]!}/cancel`);
      await TestWorker.register(api).then((other) => other.leave());
      const { body } = await api.call('GET', '/metrics');
      const values = new Map((body as string).split('\n').filter((line) => line.startsWith('task_executor_')).map((line) => [line.replace(/ [^ ]+$/, ''), Number(line.split(' ').at(-1))]));
      const expected = {
        task_executor_submissions_total: 4,
        'task_executor_claims_total{result="task"}': 3,
        'task_executor_claims_total{result="nothing"}': 1,
        task_executor_log_lines_total: 2,
        'task_executor_attempts_total{outcome="completed"}': 1,
        'task_executor_attempts_total{outcome="failed"}': 1,
        'task_executor_outcomes_total{status="completed"}': 1,
        'task_executor_outcomes_total{status="failed"}': 1,
        'task_executor_queue_tasks{state="running",reason=""}': 1,
        'task_executor_queue_tasks{state="pending",reason="ready"}': 0,
        'task_executor_queue_tasks{state="pending",reason="unclaimable"}': 1,
        'task_executor_workers{status="busy"}': 1,
        'task_executor_workers{status="offline"}': 1,
        'task_executor_http_request_duration_seconds_count{method="POST",operation="createTask",status="201"}': 4,
        'task_executor_http_request_duration_seconds_count{method="POST",operation="cancelTask",status="409"}': 1,
      };
      expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values.get(name)]))).to.deep.equal(expected);
      expect(values.get('task_executor_queue_oldest_seconds{reason="unclaimable"}')).to.be.greaterThan(0);
    } finally {
      await api.stop();
    }
  });

  it('is not ready while its workers have not been started yet', async () => {
    const api = await startTestApi();
    try {
      const workers = new InternalWorkers(1);
      expect(workers.ready()).to.equal(false);
      await workers.attach({ apiUrl: api.url, owner: 'test', log });
      await workers.start();
      expect(workers.ready()).to.equal(true);
      await workers.stop();
    } finally {
      await api.stop();
    }
  });

  it('names every mistake in the configuration at once', () => {
    const mistakes = { PORT: 'x', DEFAULT_PRIORITY: '11', AUTO_START_WORKERS: 'maybe', DATABASE_URL: 'mysql://x', HEARTBEAT_INTERVAL_SECONDS: '50', NUM_INTERNAL_WORKERS: '51', ALLOWED_HOSTS: 'a.example, http://b.example' };
    let message = '';
    try {
      readConfig(mistakes);
    } catch (error) {
      if (error instanceof ConfigError) ({ message } = error);
    }
    expect(message.split('\n')).to.have.length(7);
    for (const name of Object.keys(mistakes)) expect(message).to.include(name);
  });

  it('takes an empty setting for one that is not set', () => {
    const empty = Object.fromEntries(Object.keys(ENVIRONMENT).map((name) => [name, '']));
    expect(readConfig(empty)).to.deep.equal(readConfig({}));
    expect(readConfig({ HOST: '', DATA_DIR: ' ' })).to.include({ host: '127.0.0.1', dataDir: '.data' });
  });

  it('refuses the address of a database that cannot be read, and shows nothing of it', () => {
    const read = (url: string): string => {
      try {
        readConfig({ DATABASE_URL: url });
        return '';
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return error.message;
      }
    };
    const secrets = ['a@secret/secret', 'a@b/secret@secret', 'secret#secret', 'secret?secret', '12?secret', 'secret/secret'];
    const wrong = ['postgres://', 'postgresql:///', 'postgres://host:99999/db', 'postgres://host:secret/db',
      ...secrets.map((password) => `postgres://user:${password}@host/db`)];
    for (const url of wrong) expect(read(url), url).to.match(/^DATABASE_URL must be like postgresql:(?!.*secret)/);
    expect(read('postgres://host/db?sslrootcert=/nowhere/ca.pem')).to.equal('DATABASE_URL names a file that cannot be read: /nowhere/ca.pem');
    const right = ['postgres://host', 'postgresql://user:p%40ss@[::1]:5432/db?sslmode=disable', 'postgres://user:p@ss@host/db', 'postgres://user:p%zz@host/db', 'postgres:///db',
      'postgres://user@/db?host=/run/postgresql', 'postgres://%2Frun%2Fpostgresql/db', 'postgres://host/db?application_name=a%40b'];
    for (const url of right) expect(read(url), url).to.equal('');
  });

  it('says what to do about an address to listen on, and not that the database is away', () => {
    const config = readConfig({ HOST: 'elsewhere.example' });
    for (const fault of [{ code: 'EADDRNOTAVAIL', syscall: 'listen' }, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'elsewhere.example' }]) {
      expect(explainFailure(Object.assign(new Error('x'), fault), config).message, fault.code).to.match(/^HOST elsewhere\.example is no address/);
    }
    for (const fault of [{ code: 'EADDRNOTAVAIL', syscall: 'connect' }, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'db.example' }]) {
      expect(explainFailure(Object.assign(new Error('x'), fault), config).message, fault.code).to.match(/PostgreSQL cannot be reached/);
    }
  });

  it('documents every setting and every metric', async () => {
    const page = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| ([A-Z][A-Z0-9_]+) \| (.*) \|$/gm)].map(([, name = '', rest = '']) => [name, ...rest.split('|')].map((cell) => cell.trim()));
    const api = Object.entries(ENVIRONMENT).map(([name, { default: value, meaning }]) => [name, value, meaning]);
    const worker = Object.entries(WORKER_ENVIRONMENT).map(([name, { option, default: value, meaning }]) => [name, option, value, meaning]);
    expect(rows.map((row) => row.filter((cell) => cell !== ''))).to.deep.equal([...api, ...worker].map((row) => row.filter((cell) => cell !== '')));
    for (const { name } of await createMetrics().registry.getMetricsAsJSON()) {
      if (name.startsWith('task_executor_')) expect(page).to.include(`| ${name} |`);
    }
  });
});
