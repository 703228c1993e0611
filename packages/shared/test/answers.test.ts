/** What something before the API says with a success is no answer to a worker's call. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { ApiClient, ApiError } from '../src/index.js';

const WORKER = { workerId: 'worker-001-kind', session: '00000000-0000-4000-8000-000000000001' };
const ATTEMPT = { task_id: '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01', attempt: 1 };
const TASK = { id: ATTEMPT.task_id, problem_id: 'test-1', parameters: {}, attempt: 1, timeout_seconds: 60 };
const DIRECTIVES = { cancel: [], lost: [], drain: false };
const SESSION = { id: WORKER.workerId, session: WORKER.session, lease_seconds: 30, heartbeat_interval_seconds: 5, directives: DIRECTIVES };

type Call = (client: ApiClient) => Promise<unknown>;

/** The name of a call, the call, answers to it, and what is no answer to it, besides what is none to any. */
const CALLS: readonly [string, Call, readonly unknown[], readonly unknown[]][] = [
  ['register', (client) => client.register({ backend_type: 'kind' }), [SESSION, { ...SESSION, claim_wait_seconds: 55 }], [
    { ...SESSION, lease_seconds: null }, { ...SESSION, heartbeat_interval_seconds: 0 }, { ...SESSION, session: undefined },
    { ...SESSION, directives: {} }, { ...SESSION, claim_wait_seconds: 'long' },
  ]],
  ['heartbeat', (client) => client.heartbeat(WORKER, {}), [SESSION, { ...SESSION, directives: { ...DIRECTIVES, unnamed: [] } }], [
    { ...SESSION, lease_seconds: '30' }, { ...SESSION, session: 'another' }, { ...SESSION, id: 'worker-002-kind' },
    { ...SESSION, directives: undefined },
  ]],
  ['claim', (client) => client.claim(WORKER, {}), [TASK, ''], [
    { ...TASK, id: undefined }, { ...TASK, attempt: null }, { ...TASK, timeout_seconds: null }, { ...TASK, parameters: null },
  ]],
  ['claimMany', (client) => client.claimMany(WORKER, { max_tasks: 2 }), [
    { tasks: [] }, { tasks: [TASK], waited_seconds: 0, next_wait_seconds: 300, directives: DIRECTIVES },
  ], [
    { tasks: {} }, { tasks: [TASK, {}] }, { tasks: [], waited_seconds: 'x' }, { tasks: [], next_wait_seconds: 0 },
    { tasks: [], directives: {} },
  ]],
  ['reportMany', (client) => client.reportMany(WORKER, []), [{ reports: [] }], [{ reports: {} }]],
  ['complete', (client) => client.complete(WORKER, ATTEMPT, {}), [TASK], [{ ...TASK, id: 'another' }]],
  ['fail', (client) => client.fail(WORKER, ATTEMPT, { error: 'wrong' }), [TASK], [{ ...TASK, id: 'another' }]],
  ['release', (client) => client.release(WORKER, ATTEMPT, { reason: 'gone' }), [TASK], [{ ...TASK, id: 'another' }]],
  ['appendLogs', (client) => client.appendLogs(WORKER, ATTEMPT, { entries: [] }), [{ accepted: 0, next_offset: 0 }], [
    { next_offset: '1' }, { next_offset: null },
  ]],
  ['putArtifact', (client) => client.putArtifact(WORKER, ATTEMPT, { name: 'a', stream: Readable.from([]), bytes: 0 }), [
    { id: ATTEMPT.task_id, name: 'a' },
  ], []],
];

describe('answers', () => {
  let server: Server;
  let client: ApiClient;
  let answer: unknown;
  beforeEach(async () => {
    server = createServer((req, res) => {
      req.resume();
      res.end(answer === '' ? '' : JSON.stringify(answer));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    client = new ApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    await client.close();
    server.close();
  });

  for (const [name, call, right, wrong] of CALLS) {
    it(`to ${name} are told from what is none`, async () => {
      for (answer of right) await call(client);
      for (answer of [{}, [], { status: 'ok' }, ...(right.includes('') ? [] : ['']), ...wrong]) {
        const error = await call(client).then(() => null, (one: unknown) => one);
        // As what a proxy says: it settles nothing, and may come again for ever.
        expect(error, JSON.stringify(answer)).to.be.instanceOf(ApiError);
        expect(error).to.deep.include({ status: 200, code: 'unknown', settles: null, isOfApi: false, retryable: false });
      }
    });
  }
});
