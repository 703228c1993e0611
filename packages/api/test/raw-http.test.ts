/**
 * What no HTTP client would send, over sockets: requests that two programs may read differently, that are not HTTP, or that Node would
 * answer by itself. Each gets a problem document with the headers that all answers have, in its turn, and changes nothing.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { pino } from 'pino';
import { mostConnections } from '../src/http/connections.js';
import { eventually, submitTask, TestWorker } from './support/actors.js';
import { startTestApi, type TestApi } from './support/api.js';
import { validator } from './support/contract.js';
import { closed, exchange, open, type RawAnswer } from './support/raw.js';

const HOST = 'Host: localhost\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const TASK = '{"problem_id":"raw"}';
const LONG = 'x'.repeat(17_000);

const get = (target: string, headers = HOST): string => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const post = (headers: string, body: string | Buffer = TASK, length = Buffer.byteLength(body)): Buffer =>
  Buffer.concat([Buffer.from(`POST /api/v1/tasks HTTP/1.1\r\n${HOST}${headers}Content-Length: ${length}\r\n\r\n`), Buffer.from(body)]);
const chunked = (chunks: string, headers = 'Transfer-Encoding: chunked\r\n', version = '1.1'): string =>
  `POST /api/v1/tasks HTTP/${version}\r\n${HOST}${JSON_TYPE}${headers}\r\n${chunks}`;
const WHOLE = `${TASK.length.toString(16)}\r\n${TASK}\r\n0\r\n`;

/** Each with the code of its problem, or the status where it is taken. */
const CASES: Record<string, Record<string, [bytes: string | Buffer, answer: string | number]>> = {
  'its address': {
    'two hosts': [get('/health', `${HOST}Host: evil.example\r\n`), 'malformed_request'],
    'the same host twice': [get('/health', `${HOST}host: localhost\r\n`), 'malformed_request'],
    'no host': [get('/health', ''), 'malformed_request'],
    'no host in HTTP/1.0': ['GET /health HTTP/1.0\r\n\r\n', 'host_not_allowed'],
    'an empty host': [get('/health', 'Host:\r\n'), 'host_not_allowed'],
    'a host with a dot at its end': [get('/health', 'Host: localhost.\r\n'), 'host_not_allowed'],
    'a host with a user': [get('/health', 'Host: evil@localhost\r\n'), 'host_not_allowed'],
    'a host with a user like a port': [get('/health', 'Host: localhost:80@evil.example\r\n'), 'host_not_allowed'],
    'a list of hosts': [get('/health', 'Host: localhost, evil.example\r\n'), 'host_not_allowed'],
    'a host in upper case with a port': [get('/', 'Host: LOCALHOST:1\r\n'), 200],
    'an IPv6 host': [get('/', 'Host: [::1]:8000\r\n'), 200],
    'an absolute target': [get('http://localhost/', HOST), 200],
    'an absolute target with a query alone': [get('http://localhost?x=1', HOST), 422],
    'an absolute target elsewhere': [get('http://evil.example/health'), 'malformed_request'],
    'an absolute target elsewhere, and its host': [get('http://evil.example/health', 'Host: evil.example\r\n'), 'host_not_allowed'],
    'an absolute target with a user': [get('http://evil@localhost/health'), 'malformed_request'],
    'an absolute target that is no address': [get('http://[/api/v1/tasks'), 'malformed_request'],
    'a target of another scheme': [get('ftp://localhost/health'), 'malformed_request'],
    'CONNECT': [`CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`, 'method_not_allowed'],
    'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 'path_not_found'],
    'GET *': [get('*'), 'path_not_found'],
    'two slashes': [get('//evil.example/health'), 'path_not_found'],
    'two slashes before a path': [get('//api/v1/tasks'), 'path_not_found'],
    'dots': [get('/docs/assets/../../package.json'), 'path_not_found'],
    'encoded dots': [get('/docs/assets/%2e%2e/%2e%2e/package.json'), 'path_not_found'],
    'backslashes': [get('/docs/assets/..\\..\\package.json'), 'path_not_found'],
    'an encoded NUL': [get('/docs/assets/%00'), 'path_not_found'],
    'an overlong slash': [get('/api/v1/tasks/%c0%ae'), 'malformed_request'],
    'an escape that is none': [get('/api/v1/tasks/%zz'), 'malformed_request'],
    'an escape that is none, in the query': [get('/api/v1/tasks?status=%zz'), 'validation_failed'],
    'bytes beyond ASCII': [get('/api/v1/tasks/\u00e9'), 'malformed_request'],
    'line breaks in the path': [get('/a%0d%0aSet-Cookie:%20x=y'), 'path_not_found'],
    'line breaks in the query': [get('/api/v1/tasks?problem_id=%0d%0aX:%20y'), 'validation_failed'],
    'a target of 100 kB': [get(`/${'x'.repeat(100_000)}`), 'headers_too_large'],
  },
  'its method': {
    'a method that nobody knows': [`FOO / HTTP/1.1\r\n${HOST}\r\n`, 'malformed_request'],
    'TRACE': [`TRACE /health HTTP/1.1\r\n${HOST}Cookie: secret\r\n\r\n`, 'method_not_allowed'],
    'PROPFIND': [`PROPFIND /api/v1/tasks HTTP/1.1\r\n${HOST}\r\n`, 'method_not_allowed'],
    'a preflight': [`OPTIONS /api/v1/tasks HTTP/1.1\r\n${HOST}Access-Control-Request-Method: POST\r\n\r\n`, 'method_not_allowed'],
    'HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'malformed_request'],
    'HTTP/1.2': [`GET / HTTP/1.2\r\n${HOST}\r\n`, 'malformed_request'],
    'TLS': [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), 'malformed_request'],
    'an upgrade to a WebSocket': [get('/', `${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n`), 200],
    'an upgrade to HTTP/2': [get('/', `${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n`), 200],
    'a body of GET': [get('/', `${HOST}Content-Length: 5\r\n`) + 'hello', 200],
    'a body of HEAD': [`HEAD / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, 200],
    'a body of DELETE': [`DELETE /api/v1/workers/worker-999-kind HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 5\r\n\r\nhello`, 'worker_not_found'],
    'an expectation': [post(`${JSON_TYPE}Expect: 100-continue\r\n`), 201],
    'another expectation': [post(`${JSON_TYPE}Expect: a-miracle\r\n`), 201],
  },
  'its headers': {
    'more than there may be': [get('/', `${HOST}${'a:b\r\n'.repeat(201)}`), 'headers_too_large'],
    'an origin behind 2,500 others': [get('/health', `${HOST}${'a:b\r\n'.repeat(2_500)}Origin: http://evil.example\r\n`), 'headers_too_large'],
    'one of 17 kB': [get('/', `${HOST}X: ${LONG}\r\n`), 'headers_too_large'],
    'a folded one': [get('/', `${HOST}X: a\r\n b\r\n`), 'malformed_request'],
    'lines that end without CR': ['GET / HTTP/1.1\nHost: localhost\n\n', 'malformed_request'],
    'a bare CR': [get('/', `${HOST}X: a\rb\r\n`), 'malformed_request'],
    'a NUL': [get('/', `${HOST}X: a\0b\r\n`), 'malformed_request'],
    'a space before the colon': [get('/', `${HOST}Content-Length : 5\r\n`), 'malformed_request'],
    'two origins, one of them ours': [get('/', `${HOST}Origin: http://localhost\r\nOrigin: http://evil.example\r\n`), 'origin_not_allowed'],
    'two sites': [get('/', `${HOST}Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n`), 'origin_not_allowed'],
    'two sessions': [`POST /api/v1/workers/worker-001-kind/claim HTTP/1.1\r\n${HOST}Worker-Session: a\r\nWorker-Session: b\r\nContent-Length: 0\r\n\r\n`, 'validation_failed'],
  },
  'the frame of its body': {
    'two lengths': [post(`${JSON_TYPE}Content-Length: 1\r\n`), 'malformed_request'],
    'a length and chunks': [chunked('0\r\n\r\n', 'Content-Length: 20\r\nTransfer-Encoding: chunked\r\n'), 'malformed_request'],
    'chunks and a length': [chunked('0\r\n\r\n', 'Transfer-Encoding: chunked\r\nContent-Length: 20\r\n'), 'malformed_request'],
    'a negative length': [get('/', `${HOST}Content-Length: -1\r\n`), 'malformed_request'],
    'a length with a sign': [get('/', `${HOST}Content-Length: +5\r\n`), 'malformed_request'],
    'a length beyond 2^64': [get('/', `${HOST}Content-Length: 99999999999999999999\r\n`), 'malformed_request'],
    'a transfer coding that is not known': [chunked(`${WHOLE}\r\n`, 'Transfer-Encoding: gzip, chunked\r\n'), 'malformed_request'],
    'chunked, twice': [chunked(`${WHOLE}\r\n`, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 'malformed_request'],
    'chunked, and then another': [chunked('', 'Transfer-Encoding: chunked, identity\r\n'), 'malformed_request'],
    'chunks in HTTP/1.0': [chunked(`${WHOLE}\r\n`, undefined, '1.0'), 'malformed_request'],
    'a size that is no number': [chunked('zz\r\n'), 'malformed_request'],
    'a size beyond 2^64': [chunked('fffffffffffffffff\r\n'), 'malformed_request'],
    'a chunk longer than its size': [chunked('1\r\n{xx\r\n'), 'malformed_request'],
    'an extension of 3 MB': [chunked(`${TASK.length.toString(16)};${'x'.repeat(3_000_000)}\r\n`), 'malformed_request'],
    'trailers of 60 kB': [chunked(`${WHOLE}${'a: b\r\n'.repeat(10_000)}\r\n`), 'headers_too_large'],
    'trailers that would be headers': [chunked(`${WHOLE}Host: evil.example\r\nOrigin: http://evil.example\r\n\r\n`), 201],
    'an end before its time': [post(JSON_TYPE, TASK, 1_000), 'malformed_request'],
    'more than there may be, announced': [post(JSON_TYPE, '', 2_000_000), 'body_too_large'],
  },
  'the type of its body': {
    'UTF-16': [post('Content-Type: application/json; charset=utf-16\r\n', Buffer.from(TASK, 'utf16le')), 'unsupported_media_type'],
    'Latin 1': [post('Content-Type: application/json; charset=latin1\r\n'), 'unsupported_media_type'],
    'text/json': [post('Content-Type: text/json\r\n'), 'unsupported_media_type'],
    'two semicolons': [post('Content-Type: application/json;;\r\n'), 'unsupported_media_type'],
    'two types': [post(`${JSON_TYPE}Content-Type: text/plain\r\n`), 'malformed_request'],
    'two types, the other first': [post(`Content-Type: text/plain\r\n${JSON_TYPE}`), 'malformed_request'],
    'none': [post(''), 'unsupported_media_type'],
    'spaces without end': [post(`Content-Type: application/json${' '.repeat(15_000)};\r\n`), 'unsupported_media_type'],
    'parameters without end': [post(`Content-Type: application/json;${'a=b;'.repeat(3_500)}\r\n`), 'unsupported_media_type'],
    'a zip bomb': [post(`${JSON_TYPE}Content-Encoding: gzip\r\n`, gzipSync(Buffer.alloc(50_000_000, ' '))), 'unsupported_media_type'],
    'brotli': [post(`${JSON_TYPE}Content-Encoding: br\r\n`), 'unsupported_media_type'],
    'identity and gzip': [post(`${JSON_TYPE}Content-Encoding: identity, gzip\r\n`), 'unsupported_media_type'],
    'a byte order mark': [post(JSON_TYPE, `\u{feff}${TASK}`), 201],
    'bytes that are not UTF-8': [post(JSON_TYPE, Buffer.from([0x7b, 0xff, 0x7d])), 'malformed_json'],
    'UTF-16 under another name': [post(JSON_TYPE, Buffer.from(TASK, 'utf16le')), 'malformed_json'],
  },
};

describe('raw HTTP', () => {
  let api: TestApi;
  let secret: string;
  const logged: string[] = [];
  before(async () => {
    api = await startTestApi({}, {}, pino({ level: 'debug' }, { write: (line: string) => logged.push(line) }));
    secret = decodeURIComponent(new URL(api.databaseUrl).password);
  });
  after(() => api.stop());

  const isProblem = validator('#/components/schemas/Problem');

  /** What is true of every answer. @returns the code of its problem, or its status */
  function check({ status, headers, body }: RawAnswer): string | number {
    expect(status).to.be.lessThan(500);
    expect(headers).to.include({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control') || name === 'set-cookie' || name === 'x-powered-by')).to.deep.equal([]);
    if (secret !== '') expect(body).not.to.include(secret);
    if (status < 400 || body === '') return status;
    expect(headers['content-type']).to.equal('application/problem+json; charset=utf-8');
    const document = JSON.parse(body) as { code: string; status: number; request_id: string };
    expect(isProblem(document), body).to.equal(true);
    expect([document.status, document.request_id]).to.deep.equal([status, headers['x-request-id']]);
    return document.code;
  }

  for (const [part, cases] of Object.entries(CASES)) {
    describe(part, () => {
      for (const [name, [bytes, expected]] of Object.entries(cases)) {
        it(name, async () => {
          const { answers, closed } = await exchange(api.url, bytes, { half: name === 'an end before its time' });
          const final = answers.filter(({ status }) => status >= 200);
          expect(final.map(check).map((got) => (typeof expected === 'number' && typeof got === 'string' ? final[0]?.status : got)), `closed: ${closed}`).to.deep.equal([expected]);
          if (expected === 'malformed_request' && part !== 'its address') expect(final[0]?.headers['connection']).to.equal('close');
        });
      }
    });
  }

  it('guards every method and every path, known or not', async () => {
    const wrong = { 'Host: evil.example\r\n': 'host_not_allowed', [`${HOST}Origin: null\r\n`]: 'origin_not_allowed', [`${HOST}Origin: http://localhost.evil.example\r\n`]: 'origin_not_allowed', [`${HOST}Sec-Fetch-Site: same-site\r\n`]: 'origin_not_allowed' };
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
      for (const path of ['/', '/health', '/metrics', '/docs', '/docs/assets/swagger-ui.css', '/openapi.yaml', '/api/v1/tasks', '/api/v1/workers/worker-001-kind', '/nowhere', '/%zz']) {
        for (const [headers, code] of Object.entries(wrong)) {
          const { answers } = await exchange(api.url, `${method} ${path} HTTP/1.1\r\n${headers}\r\n`);
          // Node 20 takes no QUERY.
          const got = answers.map(check);
          expect(method === 'QUERY' && got[0] === 'malformed_request' ? [code] : got, `${method} ${path} ${headers}`).to.deep.equal([code]);
        }
      }
    }
  });

  describe('many requests in one packet', () => {
    it('are answered one by one, in their order', async () => {
      const kinds: [string | Buffer, string | number][] = [
        [get('/'), 200], [get('/nowhere'), 'path_not_found'], [post(JSON_TYPE), 201], [post(JSON_TYPE, '{'), 'malformed_json'],
        [get('/health', 'Host: evil.example\r\n'), 'host_not_allowed'], [post('Content-Type: text/plain\r\n'), 'unsupported_media_type'],
      ];
      const packet = Array.from({ length: 100 }, (_, n) => kinds[(n * 7) % kinds.length] as [string | Buffer, string | number]);
      const { answers } = await exchange(api.url, Buffer.concat(packet.map(([bytes]) => Buffer.from(bytes))), { count: 100 });
      expect(answers.map(check)).to.deep.equal(packet.map(([, expected]) => expected));
    });

    it('keep their answers where one of them is not HTTP', async () => {
      const worker = await TestWorker.register(api, { globs: ['nothing-*'] });
      const body = '{"wait_seconds":0.05}';
      const claim = `POST /api/v1/workers/${worker.id}/claim HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
      const { answers, closed } = await exchange(api.url, `${claim}${get('/')}NONSENSE\r\n\r\n${get('/')}`, { count: 4 });
      expect(answers.map(check)).to.deep.equal([204, 200, 'malformed_request']);
      expect(closed).to.equal(true);
    });

    it('do not go on waiting for a caller who has gone after nonsense', async () => {
      const id = await submitTask(api, { problem_id: 'nobody-takes-it' });
      const waiting = async (): Promise<number> => Number(/^task_executor_followers (.*)$/m.exec((await api.call('GET', '/metrics')).body as string)?.[1]);
      for (const rest of ['NONSENSE\r\n\r\n', post(JSON_TYPE, '{', 2).toString()]) {
        const socket = open(api.url);
        socket.write(get(`/api/v1/tasks/${id}?wait_seconds=30`) + rest);
        await eventually(async () => (await waiting()) === 1);
        socket.end();
        await closed(socket);
        await eventually(async () => (await waiting()) === 0);
      }
    });

    it('end with the one that may be read in two ways', async () => {
      const { answers, closed } = await exchange(api.url, `${get('/')}${get('/', `${HOST}${HOST}`)}${get('/health')}`, { count: 3 });
      expect([answers.map(check), closed]).to.deep.equal([[200, 'malformed_request'], true]);
    });
  });

  it('takes no more connections than leave files to the database', () => {
    const limits = (files: string): string => `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${files}                 1048576              files\n`;
    expect(['1048576', '20000', '1024', '256', 'unlimited'].map((files) => mostConnections(limits(files)))).to.deep.equal([20_000, 19_700, 724, 50, 20_000]);
    expect(mostConnections('')).to.equal(20_000);
  });

  it('has the system ask whether the other end of a connection is still there', async function () {
    if (process.platform !== 'linux') this.skip();
    const socket = open(api.url);
    await once(socket, 'connect');
    const hex = (port: number | undefined): string => (port ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const end = new RegExp(`: \\S+:${hex(Number(new URL(api.url).port))} \\S+:${hex(socket.localPort)} 01 \\S+ ([0-9]{2}):`);
    // 02: the timer that asks.
    await eventually(() => Promise.resolve(end.exec(readFileSync('/proc/net/tcp', 'latin1'))?.[1] === '02'));
    socket.destroy();
  });

  it('leaves a server that has nothing to complain of', async () => {
    expect((await api.call('GET', '/health')).status).to.equal(200);
    const entries = logged.map((line) => JSON.parse(line) as { level: number; event: string });
    expect(entries).to.not.be.empty;
    expect(entries.filter(({ level }) => level >= 40)).to.deep.equal([]);
    if (secret !== '') expect(logged.join('')).not.to.include(secret);
  });
});
