/** Tasks posted to a service: a real one, on loopback. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { parseCatalog } from '../src/catalog/catalog-file.js';
import { errorOf, run, TASK, type Story } from './fixtures/executions.js';

describe('http executor', () => {
  let server: Server;
  let url: string;
  let answer: (req: IncomingMessage, res: ServerResponse, body: string) => void;
  beforeEach(async () => {
    server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += String(chunk))).on('end', () => {
        answer(req, res, body);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const entry = (more: Record<string, unknown> = {}) => parseCatalog(JSON.stringify({ problems: [{ match: '*', http: { url, ...more } }] }), '/tmp/c.json').entries[0]!;
  async function answered(status: number, text = '', headers: Record<string, string> = {}, more: Record<string, unknown> = {}): Promise<Story> {
    answer = (_req, res) => res.writeHead(status, headers).end(text);
    return run(entry(more));
  }

  it('posts the task, and takes the answer for its result', async () => {
    process.env.TOKEN_OF_THE_SERVICE = 'secret';
    answer = (req, res, body) => {
      res.end(JSON.stringify({ method: req.method, key: req.headers['idempotency-key'], token: req.headers.authorization, task: JSON.parse(body) }));
    };
    const { execution } = await run(entry({ headers_from_environment: { Authorization: 'TOKEN_OF_THE_SERVICE' } }), { dependencies: { a: { b: 1 } } });
    expect(execution).to.deep.equal({
      kind: 'completed',
      result: {
        method: 'POST', key: `${TASK.id}-3`, token: 'secret',
        task: {
          id: TASK.id, name: null, problem_id: 'bench-x', parameters: TASK.parameters, labels: {}, attempt: 3, max_attempts: 1, timeout_seconds: 60,
          dependencies: { a: { b: 1 } },
        },
      },
    });
    expect((await answered(204)).execution).to.deep.equal({ kind: 'completed', result: { success: true } });
  });

  it('tells statuses after which to try again from those after which not', async () => {
    expect((await answered(503, 'busy', { 'retry-after': '7' })).execution).to.deep.equal({ kind: 'failed', error: `${url} answered with 503: busy`, retryAfterSeconds: 7 });
    expect((await answered(422, 'no')).execution).to.deep.equal({ kind: 'failed', error: `${url} answered with 422: no`, retryable: false });
    expect((await answered(302, '', { location: '/' })).execution).to.deep.include({ retryable: false });
    expect((await answered(500, '', {}, { retry_statuses: [422] })).execution).to.deep.include({ retryable: false });
  });

  it('bounds the answer, and takes no other than a JSON object', async () => {
    expect(errorOf((await answered(200, `{"a": "${'x'.repeat(2_000)}"}`, {}, { max_answer_bytes: 1_000 })).execution)).to.match(/larger than 1000 bytes/);
    expect(errorOf((await answered(200, 'hello')).execution)).to.match(/not JSON/);
  });

  it('ends the call when the task is to stop', async () => {
    const stop = new AbortController();
    const closed = new Promise((resolve) => {
      answer = (req) => {
        req.socket.on('close', resolve);
        stop.abort();
      };
    });
    expect(errorOf((await run(entry(), {}, undefined, stop)).execution)).to.match(/stopped/);
    await closed;
  });

  it('fails where the service breaks off, and is not fit where it is not there', async () => {
    answer = (req) => req.socket.destroy();
    expect((await run(entry())).execution.kind).to.equal('failed');
    server.close();
    server.closeAllConnections();
    expect((await run(entry())).execution.kind).to.equal('unfit');
    expect((await run(entry({ headers_from_environment: { A: 'NO_SUCH_VARIABLE_HERE' } }))).execution.kind).to.equal('unfit');
  });

  it('is not fit where a variable holds what no header can', async () => {
    answer = (_req, res) => res.writeHead(200).end('{}');
    process.env.TOKEN_OF_THE_SERVICE = 'secret\n';
    try {
      const made = entry({ headers_from_environment: { Authorization: 'TOKEN_OF_THE_SERVICE' } });
      const { execution } = await run(made);
      expect(execution.kind).to.equal('unfit');
      expect(errorOf(execution)).to.contain('TOKEN_OF_THE_SERVICE').and.not.contain('secret');
      expect(await made.fault?.()).to.equal(errorOf(execution));
    } finally {
      delete process.env.TOKEN_OF_THE_SERVICE;
    }
  });

  it('asks the service for its health', async () => {
    answer = (req, res) => res.writeHead(req.url === '/health' ? 200 : 500).end();
    expect(await entry({ health_url: `${url}/health` }).fault?.()).to.equal(null);
    expect(await entry({ health_url: `${url}/other` }).fault?.()).to.match(/answered with 500/);
  });
});
