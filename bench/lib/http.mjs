/** A client as a program would be one: undici, connections kept alive, JSON. Any answer but the expected one ends the benchmark. */
import { undici } from './packages.mjs';

const JSON_BODY = { 'content-type': 'application/json' };

export class Http {
  #pools;
  #next = 0;

  /** `connections` over all of `urls` in turn. */
  constructor(urls, connections = 1) {
    const each = Math.max(1, Math.ceil(connections / urls.length));
    this.#pools = urls.map((url) => new undici.Pool(url, {
      connections: each, pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: 60_000, bodyTimeout: 60_000,
    }));
  }

  /** Sends `body` (JSON text, an object or nothing); resolves with the answer's JSON, undefined for 204. */
  async post(path, body, headers) {
    return this.#json('POST', path, body === undefined || typeof body === 'string' ? body : JSON.stringify(body), headers);
  }

  async get(path) {
    return this.#json('GET', path);
  }

  /** As `post`, but the answer's content is not looked at. */
  async send(path, text) {
    const answer = await this.#request('POST', path, text);
    await answer.body.dump();
  }

  async close() {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  async #json(method, path, text, headers) {
    const answer = await this.#request(method, path, text, headers);
    if (answer.statusCode !== 204) return answer.body.json();
    await answer.body.dump();
    return undefined;
  }

  async #request(method, path, text, headers) {
    const pool = this.#pools[this.#next++ % this.#pools.length];
    const answer = await pool.request({ method, path, body: text ?? null, headers: text === undefined ? headers : { ...JSON_BODY, ...headers } });
    if (answer.statusCode < 300) return answer;
    throw new Error(`${method} ${path}: ${answer.statusCode} ${(await answer.body.text()).slice(0, 500)}`);
  }
}
