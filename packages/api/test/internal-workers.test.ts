/** The start of internal workers, when this API cannot reach its database just then. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { InternalWorkers } from '../src/internal-workers.js';

describe('internal workers', () => {
  it('wait for an API whose database is away, and go on', async () => {
    let calls = 0;
    const server = createServer((_request, response) => {
      calls += 1;
      const away = calls < 3;
      response.writeHead(away ? 503 : 200, { 'content-type': away ? 'application/problem+json' : 'application/json' });
      response.end(JSON.stringify(away ? { code: 'database_unavailable', status: 503 } : { workers: [], total: 0 }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const workers = new InternalWorkers(0);
      const { port } = server.address() as AddressInfo;
      await workers.attach({ apiUrl: `http://127.0.0.1:${port}`, owner: 'test', count: 0, log: pino({ level: 'silent' }) });
      expect(calls).to.equal(3);
      expect(workers.ready()).to.equal(true);
    } finally {
      server.close();
    }
  });
});
