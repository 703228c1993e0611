/**
 * Bodies that are refused before they have come, sent by clients that read nothing until they have sent all: the answer reaches them, and
 * nothing of the body is kept.
 */
import { once } from 'node:events';
import { expect } from 'chai';
import { eventually, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { closed, open } from './support/raw.js';

const MIB = 1024 * 1024;
const PART = Buffer.alloc(MIB, 'x');

describe('a body that is refused while it comes', () => {
  let api: TestApi;
  let report: string;
  before(async () => {
    api = await startTestApi({}, { heldBytes: 4 * MIB });
    const worker = await TestWorker.register(api);
    report = `/api/v1/workers/${worker.id}/tasks/00000000-0000-7000-8000-000000000000/complete`;
  });
  after(() => api.stop());

  const head = (path: string, headers: string, host = 'localhost', method = 'POST'): string =>
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;
  const JSON_TYPE = 'Content-Type: application/json\r\n';
  const CHUNKED = 'Transfer-Encoding: chunked\r\n';
  const CLOSE = 'Connection: close\r\n';
  const length = (mib: number): string => `Content-Length: ${mib * MIB}\r\n`;

  /** Sends `start` and `mib` MiB, reads only when all of it is sent, and resolves with what has come by the end of the connection. */
  async function sendAll(start: string, mib: number, isChunked = false): Promise<{ answer: string; error: Error | null }> {
    const socket = open(api.url);
    let error: Error | null = null;
    socket.on('error', (fault) => (error = fault));
    socket.pause();
    await once(socket, 'connect');
    socket.write(start);
    for (let n = 0; n < mib && !socket.destroyed; n++) {
      const part = isChunked ? Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), PART, Buffer.from('\r\n')]) : PART;
      await new Promise((resolve) => socket.write(part, resolve));
    }
    if (isChunked) socket.write('0\r\n\r\n');
    const answer: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    await closed(socket);
    return { answer: Buffer.concat(answer).toString(), error };
  }

  const cases: [string, () => [start: string, mib: number, isChunked?: boolean], RegExp][] = [
    ['8 MiB, announced', () => [head(report, JSON_TYPE + CLOSE + length(8)), 8], /^HTTP\/1.1 413 .*"code":"body_too_large"/s],
    ['40 MiB, announced', () => [head(report, JSON_TYPE + CLOSE + length(40)), 40], /^HTTP\/1.1 413 .*"code":"body_too_large"/s],
    ['8 MiB in chunks', () => [head(report, JSON_TYPE + CLOSE + CHUNKED), 8, true], /^HTTP\/1.1 413 .*"code":"body_too_large"/s],
    ['40 MiB in chunks', () => [head(report, JSON_TYPE + CLOSE + CHUNKED), 40, true], /^HTTP\/1.1 413 .*"code":"body_too_large"/s],
    ['what there is no room for', () => [head('/api/v1/tasks/batch', JSON_TYPE + CLOSE + length(14)), 14], /^HTTP\/1.1 429 .*Retry-After: 1\r\n.*"code":"too_many_requests"/s],
    ['a host that is not allowed', () => [head(report, JSON_TYPE + CLOSE + length(8), 'evil.example'), 8], /^HTTP\/1.1 403 .*"code":"host_not_allowed"/s],
    ['a file of the wrong type', () => [head(report.replace('complete', 'artifacts?name=a'), JSON_TYPE + CLOSE + length(8), 'localhost', 'PUT'), 8], /^HTTP\/1.1 415 .*"code":"unsupported_media_type"/s],
  ];
  for (const [name, request, expected] of cases) {
    it(`is answered: ${name}`, async () => {
      const { answer, error } = await sendAll(...request());
      expect(error).to.equal(null);
      expect(answer).to.match(expected);
      await eventually(async () => /^task_executor_held_bytes 0$/m.test((await api.call('GET', '/metrics')).body as string));
    });
  }

  it('leaves its connection to the next call', async () => {
    const next = head('/', CLOSE).replace('POST', 'GET');
    const socket = open(api.url);
    socket.write(head(report, JSON_TYPE + length(8)));
    for (let n = 0; n < 8; n++) socket.write(PART);
    socket.write(next);
    let answers = '';
    socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
    await closed(socket);
    expect([...answers.matchAll(/HTTP\/1.1 ([0-9]+)/g)].map(([, status]) => status)).to.deep.equal(['413', '200']);
  });

  it('is cut where it does not end', async () => {
    const socket = open(api.url);
    await once(socket, 'connect');
    socket.write(head(report, JSON_TYPE + CHUNKED));
    const chunk = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), PART, Buffer.from('\r\n')]);
    let sent = 0;
    while (!socket.destroyed) {
      await new Promise((resolve) => socket.write(chunk, resolve));
      sent += 1;
    }
    expect(sent).to.be.within(64, 128);
  });
});
