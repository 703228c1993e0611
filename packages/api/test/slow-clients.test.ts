/**
 * Clients that take their time: headers and bodies that never end, readers that never read, connections that say nothing, and such that
 * go away in the middle. Each is ended by a bound, holds nothing afterwards, and costs nobody else anything.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Response } from 'express';
import { pino } from 'pino';
import { Caller } from '../src/http/caller.js';
import { write } from '../src/http/outflow.js';
import { endStalledReaders } from '../src/http/stalled.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { closed, exchange, open } from './support/raw.js';

const HOST = 'Host: localhost\r\n';
const MIB = 1024 * 1024;
const BOUND_MS = 300;
/** More than the kernel takes of what nobody reads. */
const UNREAD_BYTES = 24 * MIB;

async function gaugeOf(api: TestApi, name: string): Promise<number> {
  const { body } = await api.call('GET', '/metrics');
  return Number(new RegExp(`^task_executor_${name} (.*)$`, 'm').exec(body as string)?.[1]);
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;

/** Submits as many tasks of a MiB as make a list that the kernel does not take; resolves with the last. */
async function submitLarge(api: TestApi): Promise<string> {
  let task = '';
  for (let n = 0; n * MIB < UNREAD_BYTES; n++) task = await submitTask(api, { problem_id: 'large', parameters: { text: 'x'.repeat(MIB - 1_000) } });
  return task;
}

describe('slow clients', () => {
  let api: TestApi;
  const events: { event: string; level: number }[] = [];
  before(async () => {
    api = await startTestApi({ MAX_EVENT_STREAMS: '2' }, { requestTimeoutMs: BOUND_MS, stallMs: BOUND_MS, heldBytes: 48 * MIB }, pino({ level: 'debug' }, {
      write: (line: string) => events.push(JSON.parse(line) as { event: string; level: number }),
    }));
  });
  after(() => api.stop());

  const seen = (event: string): number => events.filter((one) => one.event === event).length;

  /** Sends a byte now and again until the connection is closed. */
  async function drip(start: string, byte: string): Promise<string> {
    const socket = open(api.url);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.write(start);
    const dripping = setInterval(() => socket.write(byte), 10);
    await closed(socket);
    clearInterval(dripping);
    return answer;
  }

  const POST = `POST /api/v1/tasks HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
  const late: [string, string, string][] = [
    ['headers that never end', `GET / HTTP/1.1\r\n${HOST}X: `, 'x'],
    ['a body that never ends', `${POST}Content-Length: 100000\r\n\r\n`, ' '],
    ['chunks that never end', `${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
  ];
  for (const [name, start, byte] of late) {
    it(`end ${name} with 408`, async () => {
      expect(await drip(start, byte)).to.match(/^HTTP\/1.1 408 .*Retry-After: 1\r\n.*Connection: close\r\n.*"code":"request_timeout"/s);
    });
  }

  it('end a body that stops at half with 408, and one that was refused meanwhile without a word', async () => {
    const half = `Content-Length: 20\r\n\r\n{"problem_`;
    expect((await exchange(api.url, `${POST}${half}`)).answers.map(({ status }) => status)).to.deep.equal([408]);
    const { answers } = await exchange(api.url, `${POST.replace('localhost', 'evil.example')}${half}`, { count: 2 });
    expect(answers.map(({ status }) => status)).to.deep.equal([403]);
  });

  it('end a connection that sends nothing, or line breaks alone', async () => {
    await Promise.all(['', '\r\n', '\r\n\r\n\r\n'].map((bytes) => {
      const socket = open(api.url);
      socket.write(bytes);
      return closed(socket);
    }));
  });

  it('are not taken for an absent database where they go away in the middle of a body', async () => {
    const before = events.length;
    for (let n = 0; n < 5; n++) {
      const socket = open(api.url);
      socket.write(`${POST}Content-Length: 20\r\n\r\n{`, () => socket.destroy());
      await closed(socket);
    }
    await eventually(() => Promise.resolve(events.slice(before).filter(({ event }) => event === 'request').length >= 5));
    expect(events.slice(before).filter(({ level }) => level >= 40)).to.deep.equal([]);
  });

  describe('that do not read', () => {
    /** Whoever comes first cuts: the server, which watches its sockets, or the export, which waits for its reader. */
    const cuts = (): number => seen('reader_stalled') + seen('export_broken_off');

    /** Sends requests and reads nothing until the server has cut the connection, once; resolves with how many bytes had come. */
    async function unread(requests: string): Promise<number> {
      const before = cuts();
      const socket = open(api.url);
      socket.pause();
      socket.write(requests);
      await eventually(() => Promise.resolve(cuts() > before));
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
      await closed(socket);
      expect(cuts()).to.equal(before + 1);
      return bytes;
    }
    let task: string;
    before(async () => {
      task = await submitLarge(api);
    });

    it('a list that is given to the socket whole', async () => {
      expect(await unread(get('/api/v1/tasks?page_size=100'))).to.be.lessThan(UNREAD_BYTES);
      await eventually(async () => (await gaugeOf(api, 'held_bytes')) === 0);
    });

    it('many answers to pipelined requests', async () => {
      expect(await unread(get(`/api/v1/tasks/${task}`).repeat(30))).to.be.lessThan(UNREAD_BYTES);
      await eventually(async () => (await gaugeOf(api, 'held_bytes')) === 0);
    });

    it('an export', async () => {
      expect(await unread(get('/api/v1/tasks/export'))).to.be.lessThan(UNREAD_BYTES);
    });
  });
});

describe('a client that reads slowly, but steadily', () => {
  const STALL_MS = 1_000;
  const PART_BYTES = 40 * MIB;

  it('is not taken for one that does not read, however long a part is', async () => {
    let fault: unknown = null;
    const server = createServer((_req, answer) => {
      const res = answer as Response;
      write(res, Buffer.alloc(PART_BYTES), new Caller(res), STALL_MS).then(() => res.end(), (error: unknown) => {
        fault = error;
        res.destroy();
      });
    });
    const endWatch = endStalledReaders(server, STALL_MS, pino({ level: 'silent' }));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const socket = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes % MIB < chunk.length) socket.pause();
    });
    // A MiB at a time: two bounds for all of it.
    const reading = setInterval(() => socket.resume(), (2 * STALL_MS * MIB) / PART_BYTES);
    socket.write(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    await closed(socket, false);
    clearInterval(reading);
    endWatch();
    await new Promise((resolve) => server.close(resolve));
    expect(fault).to.equal(null);
    expect(bytes).to.be.greaterThan(PART_BYTES);
  });
});

describe('clients that make much be held at once', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({ MAX_EVENT_STREAMS: '2' }, { heldBytes: 8 * MIB });
  });
  after(() => api.stop());

  const bulk = (path: string): string => `POST ${path} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 15000000\r\n\r\n`;
  const submission = bulk('/api/v1/tasks/batch');

  it('fill the room of submissions, but not that of workers', async () => {
    const worker = await TestWorker.register(api, { globs: ['much-*'] });
    await submitTask(api, { problem_id: 'much-a' });
    const id = (await worker.claim()).body.id as string;
    const sockets = [1, 2].map(() => {
      const socket = open(api.url);
      socket.write(submission + ' '.repeat(2.5 * MIB));
      return socket;
    });
    // One of the two, whichever was later, goes on where there is no room any more.
    await Promise.race(sockets.map((socket) => new Promise((resolve) => {
      socket.once('data', (chunk: Buffer) => {
        expect(chunk.toString()).to.match(/^HTTP\/1.1 429 .*Retry-After: 1\r\n/s);
        resolve(null);
      });
    })));
    expect((await exchange(api.url, `${submission}${' '.repeat(3 * MIB)}`)).answers.map(({ status }) => status)).to.deep.equal([429]);
    const reports = open(api.url);
    reports.write(`${bulk(`/api/v1/workers/${worker.id}/report`)}${' '.repeat(3 * MIB)}`);
    await eventually(async () => (await gaugeOf(api, 'held_bytes')) > 5 * MIB);
    expect((await worker.report('complete', id, { text: 'x'.repeat(500_000) })).status).to.equal(200);
    for (const socket of [...sockets, reports]) socket.destroy();
    await eventually(async () => (await gaugeOf(api, 'held_bytes')) === 0);
  });

  it('hold nothing after they have gone, also where their answers waited for others', async () => {
    const worker = await TestWorker.register(api, { globs: ['nothing-*'] });
    const body = '{"wait_seconds":30}';
    const claim = `POST /api/v1/workers/${worker.id}/claim HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const task = await submitTask(api, { problem_id: 'streamed' });
    const stream = `GET /api/v1/tasks/${task}/events HTTP/1.1\r\n${HOST}\r\n`;
    const socket = open(api.url);
    socket.write(`${claim}${stream}${stream}${submission}${' '.repeat(MIB)}`);
    await eventually(async () => (await gaugeOf(api, 'held_bytes')) > MIB / 2 && (await gaugeOf(api, 'event_streams')) === 2);
    socket.destroy();
    await closed(socket);
    await eventually(async () => (await gaugeOf(api, 'held_bytes')) === 0 && (await gaugeOf(api, 'event_streams')) === 0);
  });
});

describe('a client that leaves a large answer unread', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi({}, { heldBytes: 1.5 * UNREAD_BYTES });
  });
  after(() => api.stop());

  it('keeps lists from others, and workers from nothing', async () => {
    const worker = await TestWorker.register(api, { globs: ['nothing-*'] });
    await submitLarge(api);
    const socket = open(api.url);
    socket.pause();
    socket.write(get('/api/v1/tasks?page_size=100'));
    const refused = await eventually(async () => {
      const answer = await api.call('GET', '/api/v1/tasks?page_size=1');
      return answer.status === 429 && answer;
    });
    expect(refused.headers['retry-after']).to.equal('1');
    expect((await worker.heartbeat()).status).to.equal(200);
    expect((await worker.claim()).status).to.equal(204);
    expect((await api.call('GET', '/health')).status).to.equal(200);
    socket.destroy();
    await closed(socket);
    await eventually(async () => (await api.call('GET', '/api/v1/tasks?page_size=1')).status === 200);
  });
});
