/**
 * Answers to what Node's HTTP server would answer by itself or not at all: bytes that are not HTTP, headers that are too large,
 * requests that do not arrive in time, CONNECT, and expectations. They are problem documents like all others.
 */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProblemCode } from '@task-executor/shared';
import { COMMON_HEADERS } from './guards.js';
import { Problem, problemDocument } from './problem.js';
import { mayTakeLonger } from './uploads.js';

const CODES: Record<string, ProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout', HPE_HEADER_OVERFLOW: 'headers_too_large',
};

/** What Node keeps on a socket: the answer that is being written, and the parser with the request that is being read. */
interface HttpSocket extends Duplex {
  destroySoon(): void;
  readonly _httpMessage?: ServerResponse | null;
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

/** The whole of an answer that closes the connection. */
function answerOf(code: ProblemCode): string {
  const requestId = randomUUID();
  const document = problemDocument(new Problem(code), requestId);
  const body = JSON.stringify(document);
  const headers = {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': requestId,
    ...COMMON_HEADERS,
    ...(document.retryable && { 'Retry-After': '1' }),
    ...(document.status === 405 && { Allow: '' }),
    Connection: 'close',
    Date: new Date().toUTCString(),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}

const refused = new WeakSet<Duplex>();

/** Ends a connection with a problem. Requests that came whole before get their answers first: the client would take this one for theirs. */
function refuse(socket: HttpSocket, code: ProblemCode): void {
  if (refused.has(socket)) return;
  refused.add(socket);
  // A long poll must not be given a task for a caller who has gone meanwhile.
  if (socket._httpMessage?.req.complete === true) {
    if (socket.readableEnded) {
      socket.destroy();
      return;
    }
    socket.once('end', () => socket.destroy());
  }
  const act = (): void => {
    const answer = socket._httpMessage ?? null;
    if (socket.destroyed) return;
    if (answer?.req.complete === true) {
      answer.once('close', act);
      return;
    }
    // A request that is still arriving may have been answered: nothing is written into or after that answer.
    const isAnswered = answer === null ? socket.parser?.incoming?.complete === false : answer.headersSent;
    if (socket.writable && !isAnswered) socket.write(answerOf(code));
    socket.destroySoon();
  };
  act();
}

export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayTakeLonger(socket)) return;
    refuse(socket as HttpSocket, CODES[error.code ?? ''] ?? 'malformed_request');
  });
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    // Node has let go of this socket; without a listener its errors would end the process.
    socket.on('error', () => undefined);
    refuse(socket as HttpSocket, 'method_not_allowed');
  });
  // RFC 9110, section 10.1.1: an expectation that is not known may be passed over.
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    server.emit('request', req, res);
  });
}
