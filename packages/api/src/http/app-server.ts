/**
 * The HTTP server under the Express application. Express gives every request and response another prototype
 * (Object.setPrototypeOf), which V8 answers by dropping what it has optimised. Here both are made with the application's
 * prototypes from the start, so that the change is none; and JSON answers are written plainly, without Express's search for
 * settings, charsets and entity tags.
 */
import { createServer, IncomingMessage, ServerResponse, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Express, Request as ExpressRequest, Response as ExpressResponse } from 'express';
import { toOriginForm } from './framing.js';
import type { HeldBytes } from './held-bytes.js';

/** Express's `json`, written plainly. The validator of answers wraps it where it is used. */
function jsonWith(held: HeldBytes): (this: ServerResponse, value: unknown) => ServerResponse {
  return function json(value) {
    const text = JSON.stringify(value);
    if (!this.hasHeader('Content-Type')) this.setHeader('Content-Type', 'application/json; charset=utf-8');
    const bytes = Buffer.byteLength(text);
    this.setHeader('Content-Length', bytes);
    held.counter(this)(bytes);
    return this.end(text);
  };
}

const queued = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * The answer to a pipelined request waits for those before it without a socket, and where the connection closes meanwhile, Node (20 to
 * 24) never tells it: whoever waits for its close would keep what they hold for ever.
 */
function closeWithSocket(socket: Socket, res: ServerResponse): void {
  let waiting = queued.get(socket);
  if (waiting === undefined) {
    const ofSocket = new Set<ServerResponse>();
    queued.set(socket, ofSocket);
    socket.once('close', () => {
      for (const one of ofSocket) if (one.socket === null) one.emit('close');
    });
    waiting = ofSocket;
  }
  waiting.add(res);
  res.once('close', () => {
    waiting.delete(res);
  });
}

/** A server for `app`, not yet listening. */
export function createAppServer(app: Express, held: HeldBytes, options: ServerOptions): Server {
  class Request extends IncomingMessage {}
  class Response<R extends IncomingMessage> extends ServerResponse<R> {}
  // Request -> the application's request -> Express's request -> IncomingMessage; and so for the response.
  Object.setPrototypeOf(Request.prototype, app.request);
  Object.setPrototypeOf(Response.prototype, app.response);
  Object.assign(Response.prototype, { json: jsonWith(held) });
  app.request = Request.prototype as unknown as Express['request'];
  app.response = Response.prototype as unknown as Express['response'];
  const server = createServer({ ...options, requireHostHeader: false, IncomingMessage: Request, ServerResponse: Response }, (req, res) => {
    toOriginForm(req);
    if (res.socket === null) closeWithSocket(req.socket, res);
    app(req as unknown as ExpressRequest, res as unknown as ExpressResponse);
  });
  // Node would drop what is beyond, and with it what the guards look for: http/framing counts them.
  server.maxHeadersCount = 0;
  return server;
}
