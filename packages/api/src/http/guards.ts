/**
 * What every request passes before anything reads it. There is no authentication, so a browser must not be a way in: only
 * known host names are served (DNS rebinding), and nothing that a page of another origin sent, whatever the method.
 */
import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { Problem } from './problem.js';

/** The headers of every answer, whoever writes it. */
export const COMMON_HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };

/** Gives the request an id that its answer, its problem document and its log lines share. */
export const giveRequestId: RequestHandler = (_req, res, next) => {
  res.setHeader('X-Request-Id', randomUUID());
  for (const name in COMMON_HEADERS) res.setHeader(name, COMMON_HEADERS[name as keyof typeof COMMON_HEADERS]);
  next();
};

/** The host name of a Host header, lower case and without its port. */
export function hostName(header: string): string {
  return header.toLowerCase().replace(/:[0-9]*$/, '');
}

/** Refuses requests to other hosts than `allowed` (`*` allows all) and those that another origin's page made. */
export function checkOrigin(allowed: readonly string[]): RequestHandler {
  return (req, _res, next) => {
    const host = req.headers.host ?? '';
    if (!allowed.includes('*') && !allowed.includes(hostName(host))) {
      const shown = host.slice(0, 200);
      throw new Problem('host_not_allowed', `The Host header is "${shown}"; add ${hostName(shown)} to ALLOWED_HOSTS if it is this server's.`);
    }
    const { origin } = req.headers;
    const site = req.headers['sec-fetch-site'];
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) throw new Problem('origin_not_allowed');
    if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new Problem('origin_not_allowed');
    next();
  };
}
