/** The start of internal workers: when this API cannot reach its database just then, and in a fleet of many. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { readConfig } from '../src/config.js';
import { InternalWorkers } from '../src/internal-workers.js';
import { startServer } from '../src/server.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { startProxy } from './support/proxy.js';
import { NO_SWEEPS } from './support/sweeper.js';

/** More than two pages of workers have. */
const FLEET = 2_100;

describe('internal workers', () => {
  it('wait for an API whose database is away, and go on', async () => {
    let calls = 0;
    const server = createServer((_request, response) => {
      calls += 1;
      const away = calls < 3;
      response.writeHead(away ? 503 : 200, { 'content-type': away ? 'application/problem+json' : 'application/json' });
      response.end(JSON.stringify(away ? { code: 'database_unavailable', status: 503 } : { workers: [], total: 0, next_cursor: null }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const workers = new InternalWorkers(0);
      const { port } = server.address() as AddressInfo;
      await workers.attach({ apiUrl: `http://127.0.0.1:${port}`, owner: 'test', log: pino({ level: 'silent' }) });
      expect(calls).to.equal(4);
      expect(workers.ready()).to.equal(true);
    } finally {
      server.close();
    }
  });

  it('are scaled while the database is away: with what is true after some seconds, and anew', async () => {
    const database = await createTestDatabase();
    const proxy = await startProxy(database.url);
    const log = pino({ level: 'silent' });
    const config = readConfig({ PORT: '0', AUTO_START_WORKERS: 'false', GENERAL_POOL_SIZE: '3', LEASE_POOL_SIZE: '3' });
    const server = await startServer({ config, databaseUrl: proxy.url, log });
    const attached = async (scaleMs: number): Promise<InternalWorkers> => {
      const workers = new InternalWorkers(0, scaleMs);
      await workers.attach({ apiUrl: server.url, owner: 'test', log });
      return workers;
    };
    const [impatient, patient] = [await attached(50), await attached(600_000)];
    try {
      proxy.cut();
      expect(await impatient.scale(3)).to.deep.equal({ previous: 0, now: 1 });
      const first = patient.scale(3);
      await eventually(() => Promise.resolve(patient.status().num_workers === 1));
      const second = patient.scale(1);
      expect(await first).to.deep.equal({ previous: 0, now: 1 });
      expect(await second).to.deep.equal({ previous: 1, now: 1 });
      proxy.mend();
      for (const [workers, count] of [[impatient, 3], [patient, 1]] as const) {
        await eventually(() => Promise.resolve(workers.status().workers.length === count));
        expect(workers.status().num_workers).to.equal(count);
      }
    } finally {
      await Promise.all([impatient.end(), patient.end()]);
      await server.stop();
      await proxy.stop();
      await database.drop();
    }
  });

  it('find their earlier ids in a fleet of many, first those that hold tasks', async () => {
    const api = await startTestApi({}, NO_SWEEPS);
    const workers = new InternalWorkers(2);
    try {
      const register = (n: number, owner: string): Promise<TestWorker> =>
        TestWorker.register(api, { id: `worker-${String(n).padStart(6, '0')}-kind`, globs: ['test-*'], metadata: { internal_owner: owner } });
      const left = await register(1, 'test');
      await left.leave();
      const other = await register(2, 'other');
      const [idle, busy] = [await register(FLEET + 3, 'test'), await register(FLEET + 4, 'test')];
      await sql`
        insert into workers (id, session_id, backend_type, max_parallel_tasks, supported_problems, problem_patterns, metadata, registered_at, last_seen_at, lease_until)
        select 'worker-' || lpad(n::text, 6, '0') || '-kind', gen_random_uuid(), 'kind', 1, '{}', '{}', '{}', now(), now(), now() + interval '1 hour'
          from generate_series(3, ${FLEET + 2}::int) as n`.execute(api.db);
      const held = await submitTask(api, { problem_id: 'test-held' });
      expect((await busy.claim()).body.id).to.equal(held);
      await workers.attach({ apiUrl: api.url, owner: 'test', log: pino({ level: 'silent' }) });
      await workers.start();
      expect(workers.status().workers.map(({ id }) => id)).to.deep.equal([busy.id, idle.id]);
      expect((await api.call('GET', `/api/v1/workers/${other.id}`)).body.status).to.equal('idle');
    } finally {
      await workers.stop();
      await api.stop();
    }
  });
});
