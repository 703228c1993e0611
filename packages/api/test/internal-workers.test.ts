/** The start of internal workers: when this API cannot reach its database just then, and in a fleet of many. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { sql } from 'kysely';
import { pino } from 'pino';
import { InternalWorkers } from '../src/internal-workers.js';
import { submitTask, TestWorker } from './support/actors.js';
import { startTestApi } from './support/api.js';
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
      await workers.attach({ apiUrl: `http://127.0.0.1:${port}`, owner: 'test', count: 0, log: pino({ level: 'silent' }) });
      expect(calls).to.equal(4);
      expect(workers.ready()).to.equal(true);
    } finally {
      server.close();
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
      await workers.attach({ apiUrl: api.url, owner: 'test', count: 2, log: pino({ level: 'silent' }) });
      await workers.start();
      expect(workers.status().workers.map(({ id }) => id)).to.deep.equal([busy.id, idle.id]);
      expect((await api.call('GET', `/api/v1/workers/${other.id}`)).body.status).to.equal('idle');
    } finally {
      await workers.stop();
      await api.stop();
    }
  });
});
