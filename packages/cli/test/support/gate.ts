/** A proxy before the API that lets through only what carries one header, as a proxy with a token does. */
import { EventEmitter } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Gate {
  readonly url: string;
  /** The calls that were let through, and those that were not: method and path. */
  readonly passed: readonly string[];
  readonly refused: readonly string[];
  /** Resolves with the next call that is let through and that `call` fits. */
  untilPassed(call: RegExp): Promise<void>;
  stop(): Promise<void>;
}

export async function startGate(target: string, [name, value]: readonly [string, string]): Promise<Gate> {
  const passed: string[] = [];
  const refused: string[] = [];
  const arrivals = new EventEmitter();
  const server = createServer((req, res) => {
    const call = `${req.method ?? ''} ${(req.url ?? '').split('?')[0] ?? ''}`;
    if (req.headers[name] !== value) {
      refused.push(call);
      res.writeHead(401, { 'content-type': 'text/html' }).end('<h1>Who are you?</h1>');
      return;
    }
    passed.push(call);
    arrivals.emit('passed', call);
    const far = request(`${target}${req.url ?? ''}`, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    far.on('error', () => res.destroy());
    res.on('close', () => far.destroy());
    req.pipe(far);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    refused,
    untilPassed: (wanted) => new Promise((resolve) => {
      const look = (call: string): void => {
        if (!wanted.test(call)) return;
        arrivals.off('passed', look);
        resolve();
      };
      arrivals.on('passed', look);
    }),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
