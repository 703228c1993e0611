import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { ApiClient, TaskClient } from '../src/index.js';

const ID = 'a/b?c#d';
const ENCODED = 'a%2Fb%3Fc%23d';
const TASK = `/api/v1/tasks/${ENCODED}`;
const WORKER = `/api/v1/workers/${ENCODED}`;

describe('paths of calls', () => {
  let server: Server;
  let url: string;
  let asked: (string | undefined)[];
  beforeEach(async () => {
    asked = [];
    server = createServer((req, res) => {
      asked.push(req.url);
      req.resume();
      res.writeHead(404).end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
  });

  it('hold ids that were typed as one part, whatever is in them', async () => {
    const worker = { workerId: ID, session: 'session-1' };
    const api = new ApiClient(url);
    const tasks = new TaskClient(url, { forMs: 0, backoff: { initialMs: 1, maxMs: 1 } });
    const calls: [() => Promise<unknown>, string][] = [
      [() => api.getTask(ID), TASK],
      [() => api.followTask(ID).next(), `${TASK}/events`],
      [() => api.downloadArtifact(ID, ID), `${TASK}/artifacts/${ENCODED}`],
      [() => api.deregister(worker), WORKER],
      [() => api.claim(worker, {}), `${WORKER}/claim`],
      [() => api.complete(worker, { task_id: ID, attempt: 1 }, {}), `${WORKER}/tasks/${ENCODED}/complete`],
      [() => tasks.getTask(ID), TASK],
      [() => tasks.followTask(ID, { logs: true, level: 'info' }).next(), `${TASK}/events?logs=true&level=info`],
      [() => tasks.downloadArtifact(ID, ID, 0), `${TASK}/artifacts/${ENCODED}`],
    ];
    for (const [call] of calls) await call().catch(() => undefined);
    expect(asked).to.deep.equal(calls.map(([, path]) => path));
    await Promise.all([api.close(), tasks.close()]);
  });
});
