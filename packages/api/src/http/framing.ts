/**
 * What a request must be before anything is decided by it: addressed in one way, framed in one way, with no header that Node would
 * have dropped or taken the first of. Where two programs could read a request differently, it is refused.
 */
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { Problem } from './problem.js';

/** Headers that a request may have; real ones have about twenty. */
export const MAX_HEADERS = 200;

/** RFC 9112, section 3.2.2: what a client says to a proxy, and a server has to take too. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([/?].*)?$/i;

/**
 * Brings a request target in absolute form to the origin form that Express can route; `originalUrl` keeps what was sent. A target in
 * neither form becomes `/`, and `checkFraming` refuses it.
 */
export function toOriginForm(req: IncomingMessage & { originalUrl?: string }): void {
  const target = req.url ?? '';
  if (target.startsWith('/') || target === '*') return;
  req.originalUrl = target;
  const rest = ABSOLUTE_FORM.exec(target)?.[2] ?? '/';
  req.url = rest.startsWith('?') ? `/${rest}` : rest;
}

/** Why a request is not to be taken, or null. */
function faultOf(req: IncomingMessage, target: string): string | null {
  const { host, 'transfer-encoding': coding } = req.headers;
  const { rawHeaders } = req;
  let hosts = 0;
  let types = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    else if (name.length === 12 && name.toLowerCase() === 'content-type') types += 1;
  }
  if (hosts > 1) return 'There is more than one Host header.';
  if (types > 1) return 'There is more than one Content-Type header.';
  if (host === undefined && req.httpVersionMajor === 1 && req.httpVersionMinor === 1) return 'There is no Host header.';
  if (!target.startsWith('/') && target !== '*') {
    const authority = ABSOLUTE_FORM.exec(target)?.[1];
    if (authority === undefined) return 'The request target is neither a path nor an http address.';
    if (host !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
      return 'The request target and the Host header name different hosts.';
    }
  }
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || req.httpVersionMinor === 0)) {
    return 'Bodies are sent with a Content-Length or, in HTTP/1.1, as Transfer-Encoding: chunked.';
  }
  return null;
}

/** Refuses requests that are ambiguous, or have too many headers, and ends their connection: what follows may be misread, too. */
export const checkFraming: RequestHandler = (req, _res, next) => {
  if (req.rawHeaders.length > MAX_HEADERS * 2) {
    throw new Problem('headers_too_large', `At most ${MAX_HEADERS} headers are taken.`, {}, { Connection: 'close' });
  }
  const fault = faultOf(req, req.originalUrl);
  if (fault !== null) throw new Problem('malformed_request', fault, {}, { Connection: 'close' });
  next();
};
